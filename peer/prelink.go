package peer

import (
	"net"
	"net/http"
	"net/url"
	"time"
)

// Prelink has the peer make a connection, if it has none and has not failed before. HTTP
// has no way to make one without a request: it sends OPTIONS *, or OPTIONS / if the peer has answered that
// with 400, as nginx does, which closes the connection then. It does not wait.
func (p *Peer) Prelink() error {
	var idle bool
	p.look(func(now time.Time) {
		idle = len(p.s.links) == 0 && p.s.queue.Len() == 0 && p.faults.err(now) == nil
	})
	if !idle {
		return nil
	}
	c, err := p.opener()
	if err != nil {
		return err
	}
	c.begin()
	return nil
}

// opener is a request that makes a connection and is of no other use.
func (p *Peer) opener(opts ...RequestOption) (*call, error) {
	u := p.id.origin()
	u.Path = "*"
	p.look(func(time.Time) {
		if p.noStar {
			u.Path = "/"
		}
	})
	req := &http.Request{Method: http.MethodOptions, URL: &u, Header: http.Header{}}
	c, err := p.m.newCall(req, p.id.Profile, append(opts, AnyStatus(), MaxContent(0), Truncate()))
	if err != nil {
		return nil, err
	}
	c.eager, c.done = true, make(chan struct{})
	return c, nil
}

// origin is the peer's URL as most people write it: without a port that is the scheme's.
func (id ID) origin() url.URL {
	u := url.URL{Scheme: id.Scheme, Host: net.JoinHostPort(id.Host, id.Port)}
	if port := schemePorts[id.Scheme]; port == id.Port {
		u.Host = u.Host[:len(u.Host)-len(port)-1]
	}
	return u
}
