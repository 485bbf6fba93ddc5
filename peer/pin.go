package peer

import (
	"net/http"
	"runtime"
	"time"
)

// Pin gives one connection to one owner until it is released: requests on it use that
// very connection or fail with [ErrPinLost]. They are never sent again, and no other
// request is on it. The connection is made by the first one; over HTTP/1 they are sent one after
// another.
//
// A pin that nobody holds any more is released when the garbage collector finds it.
type Pin struct {
	peer *Peer
	pin  *pin
}

// Pin pins a connection of the peer, which is new. The error is [ErrTooManyPins] at the limit of [MaxPins].
func (p *Peer) Pin() (*Pin, error) {
	var sp *pin
	p.decide(func(time.Time) {
		if !p.closed {
			sp = p.s.newPin()
		}
	})
	if sp == nil {
		if p.m.closed.Load() {
			return nil, ErrClosed
		}
		return nil, ErrTooManyPins
	}
	out := &Pin{p, sp}
	runtime.AddCleanup(out, func(in struct {
		p *Peer
		s *pin
	}) {
		go in.p.release(in.s, ErrPinReleased)
	}, struct {
		p *Peer
		s *pin
	}{p, sp})
	return out, nil
}

func (p *Peer) release(sp *pin, why error) {
	p.decide(func(now time.Time) { p.s.release(sp, why, now) })
}

// Go sends req on the pinned connection and returns at once.
func (p *Pin) Go(req *http.Request, opts ...RequestOption) *Request {
	defer runtime.KeepAlive(p)
	return p.peer.m.start(req, p, opts)
}

// Do sends req on the pinned connection and waits for the whole response.
func (p *Pin) Do(req *http.Request, opts ...RequestOption) (*Result, error) {
	defer runtime.KeepAlive(p)
	return p.peer.m.do(req, p, opts)
}

// RoundTrip sends req on the pinned connection and returns its response when its head
// is there.
func (p *Pin) RoundTrip(req *http.Request) (*http.Response, error) {
	defer runtime.KeepAlive(p)
	return p.peer.m.roundTrip(req, p, nil)
}

// Release ends the pin. Its connection is closed, with what runs on it: the server may know
// it as the owner's. Further calls do nothing.
func (p *Pin) Release() {
	p.peer.release(p.pin, ErrPinReleased)
	runtime.KeepAlive(p)
}
