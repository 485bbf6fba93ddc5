// Command client-fasthttp is fasthttp as a peer of the benchmark.
package main

import (
	"bytes"
	"io"
	"math"
	"net"
	"sync"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/ratmom/ratmom/bench/internal/client"
	"github.com/ratmom/ratmom/bench/internal/trust"
)

func main() { client.Main("fasthttp", open) }

type peer struct {
	client fasthttp.Client
	fresh  bool
	bodies sync.Pool
}

// open leaves out the headers that the other peers do not send, and the limits on
// connections and bodies that they do not have.
func open(o client.Options) (client.Peer, error) {
	config, err := trust.Config(o.CAFile)
	if err != nil {
		return nil, err
	}
	return &peer{
		client: fasthttp.Client{
			Name:               "bench",
			MaxConnsPerHost:    math.MaxInt32,
			StreamResponseBody: o.Stream,
			ReadBufferSize:     o.Buffer,
			TLSConfig:          config,
			// Three seconds, its default, are too short for thousands that dial at once.
			Dial: func(addr string) (net.Conn, error) { return fasthttp.DialTimeout(addr, time.Minute) },
		},
		fresh:  o.Fresh,
		bodies: sync.Pool{New: func() any { return new(body) }},
	}, nil
}

// body gives a response back when it has been read: that is how fasthttp is fast.
type body struct {
	peer  *peer
	resp  *fasthttp.Response
	whole bytes.Reader
	io.Reader
}

func (b *body) Close() error {
	err := b.resp.CloseBodyStream()
	fasthttp.ReleaseResponse(b.resp)
	b.resp, b.Reader = nil, nil
	b.peer.bodies.Put(b)
	return err
}

func (p *peer) Get(url string) (int, io.ReadCloser, error) {
	req := fasthttp.AcquireRequest()
	req.SetRequestURI(url)
	return p.do(req)
}

func (p *peer) Put(url string, body io.Reader, size int64) (int, io.ReadCloser, error) {
	req := fasthttp.AcquireRequest()
	req.SetRequestURI(url)
	req.Header.SetMethod(fasthttp.MethodPut)
	req.SetBodyStream(body, int(size))
	return p.do(req)
}

func (p *peer) do(req *fasthttp.Request) (int, io.ReadCloser, error) {
	defer fasthttp.ReleaseRequest(req)
	resp := fasthttp.AcquireResponse()
	if p.fresh {
		req.SetConnectionClose()
	}
	if err := p.client.Do(req, resp); err != nil {
		fasthttp.ReleaseResponse(resp)
		return 0, nil, err
	}
	b := p.bodies.Get().(*body)
	b.peer, b.resp = p, resp
	if b.Reader = resp.BodyStream(); b.Reader == nil {
		b.whole.Reset(resp.Body())
		b.Reader = &b.whole
	}
	return resp.StatusCode(), b, nil
}

func (p *peer) Close() error {
	p.client.CloseIdleConnections()
	return nil
}
