// Command client-ratmom is ratmom as a peer of the benchmark.
package main

import (
	"io"
	"net/http"

	"github.com/ratmom/ratmom"
	"github.com/ratmom/ratmom/bench/internal/client"
	"github.com/ratmom/ratmom/config"
)

func main() { client.Main("ratmom", open) }

type peer struct{ client *ratmom.Client }

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
	if o.Buffer > 0 {
		options = append(options, config.BufferSize(o.Buffer))
	}
	c, err := ratmom.New(options...)
	if err != nil {
		return nil, err
	}
	return &peer{c}, nil
}

func (p *peer) Get(url string) (int, io.ReadCloser, error) {
	req, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		return 0, nil, err
	}
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
