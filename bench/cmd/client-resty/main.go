// Command client-resty is resty, over a net/http transport, as a peer of the
// benchmark.
package main

import (
	"bytes"
	"io"
	"net/http"

	"github.com/go-resty/resty/v2"

	"github.com/ratmom/ratmom/bench/internal/client"
	"github.com/ratmom/ratmom/bench/internal/tuned"
)

func main() { client.Main("resty "+resty.Version, open) }

type peer struct {
	client *resty.Client
	stream bool
}

func open(o client.Options) (client.Peer, error) {
	t, err := tuned.Transport(o)
	if err != nil {
		return nil, err
	}
	return &peer{resty.NewWithClient(&http.Client{Transport: t}), o.Stream}, nil
}

// Get reads the body whole, which is what resty is for, unless it is too large.
func (p *peer) Get(url string) (int, io.ReadCloser, error) {
	resp, err := p.client.R().SetDoNotParseResponse(p.stream).Get(url)
	if err != nil {
		return 0, nil, err
	}
	if p.stream {
		return resp.StatusCode(), resp.RawBody(), nil
	}
	return resp.StatusCode(), io.NopCloser(bytes.NewReader(resp.Body())), nil
}

func (p *peer) Close() error {
	p.client.GetClient().CloseIdleConnections()
	return nil
}
