// Command client-ratmompeer is ratmom's package peer as a peer of the benchmark: what the placement adds
// to the plain client.
package main

import (
	"bytes"
	"io"
	"net/http"

	"github.com/ratmom/ratmom"
	"github.com/ratmom/ratmom/bench/internal/client"
	"github.com/ratmom/ratmom/config"
	"github.com/ratmom/ratmom/peer"
)

func main() { client.Main("ratmom peer", open) }

type placed struct {
	client *ratmom.Client
	peers  *peer.Map
}

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
	c, err := ratmom.New(options...)
	if err != nil {
		return nil, err
	}
	links := o.InFlight
	if o.HTTP2 {
		links = 1 + (o.InFlight-1)/100 // as many as the servers' streams make necessary
	}
	m, err := peer.Open(c, peer.MaxLinks(links))
	if err != nil {
		return nil, err
	}
	return &placed{c, m}, nil
}

func (p *placed) Get(url string) (int, io.ReadCloser, error) {
	req, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		return 0, nil, err
	}
	return whole(p.peers.Do(req))
}

// Start begins a request without a goroutine.
func (p *placed) Start(url string) func() (int, io.ReadCloser, error) {
	req, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		return func() (int, io.ReadCloser, error) { return 0, nil, err }
	}
	r := p.peers.Go(req)
	return func() (int, io.ReadCloser, error) { return whole(r.Wait(req.Context())) }
}

func whole(res *peer.Result, err error) (int, io.ReadCloser, error) {
	if err != nil {
		return 0, nil, err
	}
	c := new(content)
	c.Reset(res.Content)
	return res.Status, c, nil
}

// content is a body that is in memory.
type content struct{ bytes.Reader }

func (*content) Close() error { return nil }

func (p *placed) Close() error {
	p.peers.Close()
	return p.client.Close()
}
