package peer

import (
	"context"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"sync"

	"github.com/ratmom/ratmom/config"
	"github.com/ratmom/ratmom/handler"
	"github.com/ratmom/ratmom/internal/failure"
	"github.com/ratmom/ratmom/peer/health"
)

// A trial is a request, or the beginning of one, on a link that nothing else uses.
type trial struct{ over chan struct{} }

func (t *trial) LinkUp(handler.LinkInfo)    {}
func (t *trial) LinkDown()                  {}
func (t *trial) Completed(*handler.Handler) { close(t.over) }

// prober makes what checks an endpoint of the peer. opts are those of its requests.
func (p *Peer) prober(c *Check, opts []config.RequestOption) (func(*endpoint) health.Probe, error) {
	if c.Probe != nil {
		return func(*endpoint) health.Probe { return c.Probe }, nil
	}
	major := 0
	if c.Kind == CheckHTTP2 {
		major = 2
		version := config.HTTP2
		if p.id.Scheme == "http" {
			version = config.HTTP2PriorKnowledge
		}
		opts = append(slices.Clip(opts), config.HTTPVersion(version))
	}
	at, port := p.id.origin(), schemePorts[p.id.Scheme]
	if c.Kind == CheckTCP && p.id.Proxy == "" {
		at.Scheme = "http"
	}
	plan, err := p.m.inside.Plan(opts)
	if err != nil {
		return nil, err
	}
	bare(plan)
	switch c.Kind {
	case CheckTCP, CheckTLS:
		return func(e *endpoint) health.Probe {
			return health.ProbeFunc(func(ctx context.Context, _ string) error {
				req, err := http.NewRequestWithContext(ctx, http.MethodGet, at.String(), nil)
				if err != nil {
					return err
				}
				if req = e.dress(req); req.URL.Port() == "" { // the scheme's may be another's now
					req.URL.Host = net.JoinHostPort(req.URL.Hostname(), port)
				}
				return p.tryConnect(req, plan, e.Address)
			})
		}, nil
	case CheckHTTP, CheckHTTP2:
		path := c.Path
		if path == "" {
			path = "/"
		}
		return func(e *endpoint) health.Probe {
			return health.HTTP{
				Do:  func(req *http.Request) (*http.Response, error) { return p.tryRequest(e.dress(req), plan, e.Address) },
				URL: at.String() + path, Method: c.Method, Header: c.Header, Expect: c.Expect, Major: major,
			}
		}, nil
	}
	return nil, failure.New(failure.InvalidOption, "peer: there is no kind of check "+strconv.Itoa(int(c.Kind)))
}

// tryConnect makes the connection for a request that it does not send.
func (p *Peer) tryConnect(req *http.Request, plan *handler.Plan, address string) error {
	h, l, err := p.try(req, plan, address, true)
	if err != nil {
		return err
	}
	p.agents[0].CloseLink(l)
	if h.Connected() {
		return nil
	}
	return h.Err()
}

// tryRequest sends a request. The connection is closed with the response's body.
func (p *Peer) tryRequest(req *http.Request, plan *handler.Plan, address string) (*http.Response, error) {
	h, l, err := p.try(req, plan, address, false)
	if err != nil {
		return nil, err
	}
	resp, err := h.Response()
	if err != nil {
		p.agents[0].CloseLink(l)
		return nil, err
	}
	resp.Body = &trialBody{ReadCloser: resp.Body, done: func() { p.agents[0].CloseLink(l) }}
	return resp, nil
}

// try waits for the head, or the end of a request that is taken back before it is sent.
func (p *Peer) try(req *http.Request, plan *handler.Plan, address string, revoked bool) (*handler.Handler, *handler.Link, error) {
	t := &trial{over: make(chan struct{})}
	l, err := handler.NewLink(address, t)
	if err != nil {
		return nil, nil, err
	}
	h, err := handler.New(p.agents[0].Pool(), &handler.Spec{
		Request: req, Plan: plan, Driver: p.agents[0].Driver(), Done: t, Link: l, Owner: p.m.client,
	})
	if err != nil {
		p.agents[0].CloseLink(l)
		return nil, nil, err
	}
	if revoked {
		h.Revoke()
	}
	p.agents[0].Execute(h)
	<-t.over
	return h, l, nil
}

// trialBody is a response's body, with which its connection ends.
type trialBody struct {
	io.ReadCloser
	once sync.Once
	done func()
}

func (b *trialBody) Close() error {
	err := b.ReadCloser.Close()
	b.once.Do(b.done)
	return err
}
