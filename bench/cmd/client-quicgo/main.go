// Command client-quicgo is quic-go's HTTP/3 client as a peer of the benchmark.
package main

import (
	"errors"
	"io"
	"net/http"

	"github.com/quic-go/quic-go/http3"

	"github.com/ratmom/ratmom/bench/internal/client"
	"github.com/ratmom/ratmom/bench/internal/trust"
)

func main() { client.Main("quic-go", open) }

type peer struct{ transport *http3.Transport }

func open(o client.Options) (client.Peer, error) {
	if !o.HTTP3 {
		return nil, errors.New("this peer speaks HTTP/3 alone")
	}
	config, err := trust.Config(o.CAFile)
	if err != nil {
		return nil, err
	}
	return &peer{&http3.Transport{TLSClientConfig: config, DisableCompression: true}}, nil
}

func (p *peer) Get(url string) (int, io.ReadCloser, error) {
	req, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		return 0, nil, err
	}
	return p.do(req)
}

func (p *peer) Put(url string, body io.Reader, size int64) (int, io.ReadCloser, error) {
	req, err := http.NewRequest(http.MethodPut, url, body)
	if err != nil {
		return 0, nil, err
	}
	req.ContentLength = size
	return p.do(req)
}

func (p *peer) do(req *http.Request) (int, io.ReadCloser, error) {
	resp, err := p.transport.RoundTrip(req)
	if err != nil {
		return 0, nil, err
	}
	return resp.StatusCode, resp.Body, nil
}

func (p *peer) Close() error { return p.transport.Close() }
