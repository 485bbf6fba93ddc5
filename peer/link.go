package peer

import (
	"net/http"
	"runtime"
	"time"
	"weak"
)

// Link is one connection to a peer that is its caller's alone: what http.ClientConn is to
// net/http, with the same methods, for who keeps a pool of their own. Underneath it is a
// [Pin]: the connection is never replaced by another, nothing on it is sent again, and it
// counts for [MaxPins]. Requests have to be for the link's peer.
//
// The connection is made by the first RoundTrip, since libcurl makes none without a
// request; if that fails, the next one tries again. Until there is a first head the link takes one request.
//
// A link that nobody holds any more is closed when the garbage collector finds it, with the
// last request on it.
type Link struct {
	pin  *Pin
	hook stateHook
}

// Link makes a link to the peer, which has no connection yet. The error is [ErrTooManyPins]
// at the limit of [MaxPins].
func (p *Peer) Link() (*Link, error) {
	pin, err := p.Pin()
	if err != nil {
		return nil, err
	}
	l := &Link{pin: pin}
	p.decide(func(time.Time) {
		pin.pin.owner = weak.Make(l)
		pin.pin.look()
		pin.pin.news = false
	})
	return l, nil
}

// RoundTrip sends req and returns its response, of whatever status, when its head is there. The body
// streams and must be closed. A reservation is used up, if there is one; else RoundTrip waits
// until the link has room. Requests that are cancelled end the connection over HTTP/1, and over HTTP/2
// where no other is on it.
func (l *Link) RoundTrip(req *http.Request) (*http.Response, error) {
	defer runtime.KeepAlive(l)
	c, err := l.pin.peer.m.newPinned(req, l.pin, nil)
	if err != nil {
		l.Release()
		return nil, err
	}
	return c.roundTrip(req)
}

// Reserve takes room for one request, which counts as in flight from now on. A RoundTrip then does not wait;
// it uses the reservation up, and Release gives it back. The error is that of Err, or tells that
// there is no room.
func (l *Link) Reserve() (err error) {
	l.pin.peer.decide(func(time.Time) { err = l.pin.peer.s.reserve(l.pin.pin) })
	return err
}

// Release gives a reservation back; it does nothing if there is none.
func (l *Link) Release() {
	l.pin.peer.decide(func(now time.Time) { l.pin.peer.s.unreserve(l.pin.pin, now) })
}

// Available is how many requests can be sent without waiting; 0 when the link is over. Over
// HTTP/2 it starts from [MaxStreams], or from the server's own limit once that was met: libcurl
// does not tell it earlier.
func (l *Link) Available() int {
	n, _, _ := l.state()
	return n
}

// InFlight is how many requests are under way, reservations included; 0 after Close. A request
// is under way until all of its response has come, read or not.
func (l *Link) InFlight() int {
	_, n, _ := l.state()
	return n
}

// Err is why the link cannot be used any more: [ErrPinLost] when its connection is over, [ErrPinReleased] after
// Close, [ErrClosed] after that of the map; nil as long as it can.
func (l *Link) Err() error {
	_, _, err := l.state()
	return err
}

func (l *Link) state() (available, inFlight int, err error) {
	sp := l.pin.pin
	l.pin.peer.look(func(time.Time) { available, inFlight, err = sp.available(), sp.inFlight(), sp.err() })
	return available, inFlight, err
}

// Close closes the connection. What is under way fails with [ErrPinReleased], reading a body
// too. It always returns nil.
func (l *Link) Close() error {
	p, sp := l.pin.peer, l.pin.pin
	var calls []*call
	p.decide(func(now time.Time) {
		if sp.link != nil {
			for _, r := range sp.link.running {
				if r.tag != nil {
					calls = append(calls, r.tag.call)
				}
			}
		}
		p.s.release(sp, ErrPinReleased, now)
	})
	for _, c := range calls {
		c.cancel(ErrPinReleased)
	}
	runtime.KeepAlive(l)
	return nil
}
