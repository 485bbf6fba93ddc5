// Command client-nethttp is Go's own client as a peer of the benchmark.
package main

import (
	"io"
	"net/http"
	"runtime"

	"github.com/ratmom/ratmom/bench/internal/client"
	"github.com/ratmom/ratmom/bench/internal/tuned"
)

func main() { client.Main("net/http "+runtime.Version(), open) }

type peer struct{ client http.Client }

func open(o client.Options) (client.Peer, error) {
	t, err := tuned.Transport(o)
	if err != nil {
		return nil, err
	}
	return &peer{http.Client{Transport: t}}, nil
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
	resp, err := p.client.Do(req)
	if err != nil {
		return 0, nil, err
	}
	return resp.StatusCode, resp.Body, nil
}

func (p *peer) Close() error {
	p.client.CloseIdleConnections()
	return nil
}
