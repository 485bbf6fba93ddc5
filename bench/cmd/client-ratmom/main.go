// Command client-ratmom is ratmom as a peer of the benchmark.
package main

import (
	"io"
	"net/http"

	"github.com/ratmom/ratmom"
	"github.com/ratmom/ratmom/bench/internal/client"
	"github.com/ratmom/ratmom/config"
	"github.com/ratmom/ratmom/retry"
)

func main() { client.Main("ratmom", open) }

type peer struct {
	client *ratmom.Client
}

// open sets what the net/http peer sets too.
func open(o client.Options) (client.Peer, error) {
	options := []config.ClientOption{
		config.HTTPVersion(config.HTTP11),
		config.ConnectionCacheSize(o.InFlight + 8),
		config.Decompression(false),
	}
	if o.CAFile != "" {
		options = append(options, config.CAFile(o.CAFile))
	}
	if o.HTTP2 {
		options = append(options, config.HTTPVersion(config.HTTP2))
	}
	if o.HTTP3 {
		options = append(options, config.HTTPVersion(config.HTTP3Only))
	}
	if o.Buffer > 0 {
		options = append(options, config.BufferSize(o.Buffer))
	}
	if o.Agents > 0 {
		options = append(options, config.Agents(o.Agents))
	}
	if o.Fresh {
		options = append(options, config.ConnectionReuse(retry.ReuseNever))
	}
	c, err := ratmom.New(options...)
	if err != nil {
		return nil, err
	}
	return &peer{client: c}, nil
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
	resp, err := p.client.Send(req)
	if err != nil {
		return 0, nil, err
	}
	return resp.StatusCode, resp.Body, nil
}

// Start begins a request without a goroutine.
func (p *peer) Start(url string) func() (int, io.ReadCloser, error) {
	req, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		return func() (int, io.ReadCloser, error) { return 0, nil, err }
	}
	future := p.client.SendAsync(req)
	return func() (int, io.ReadCloser, error) {
		resp, err := future.Result()
		if err != nil {
			return 0, nil, err
		}
		return resp.StatusCode, resp.Body, nil
	}
}

func (p *peer) Close() error { return p.client.Close() }
