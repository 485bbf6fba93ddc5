package peer

import (
	"errors"
	"time"
)

// Standby is how many connections to an endpoint are kept open and unused beyond those in use, ahead of demand. They are made as
// [Peer.Prelink] makes one, by a request of OPTIONS that counts among the others, one at a time for each endpoint: from
// the peer's first answer on, be it to a request or to Prelink, and whenever fewer are free. Over HTTP/2 one connection
// with room for a request is enough, whatever n is.
//
// None is made beyond [MaxLinks] or what the breaker allows, while requests wait for a connection, to an endpoint that
// is ejected, found down or resting, or has a worse priority than another that could be used, nor while the peer is left alone
// for a failure. Where they fail, or close before a request comes to use one, the next ones wait ever longer, up to a minute. One that
// [IdleTimeout] or [MaxLinkAge] closes is replaced by a new one; the timeout counts for those of [MinLinks] as
// well then. After [Map.CloseIdle], or when no request has come for as long as [ForgetAfter] says, they are left to close,
// until the next request.
//
// There are none if a connection carries one request alone ([MaxRequestsPerLink], config.ConnectionReuse), and what must not
// ride an old connection does not ride these. Default: 0.
func Standby(n int) Option {
	return atLeast("Standby", n, 0, func(o *options) { o.limits.standby = n })
}

var errNotWanted = errors.New("peer: the standby connection is not wanted any more")

// standbyTimeout is how long the answer may take that makes a connection a standby one.
const standbyTimeout = 30 * time.Second

// warm is asked by the scheduler for a standby link; it cannot be made under the lock.
func (p *Peer) warm(e *endpoint) { p.todo.add(action{kind: doWarm, e: e}) }

// warmUp makes the request for a standby link.
func (p *Peer) warmUp(e *endpoint) {
	var left bool
	p.look(func(now time.Time) { left = !p.s.stands(now) || p.faults.err(now) != nil })
	if !left {
		if c, err := p.opener(Timeout(standbyTimeout), NoRetry()); err == nil {
			c.tag.spare = e
			c.begin()
			return
		}
	}
	p.decide(func(now time.Time) {
		e.spares.opening = false
		p.s.refill(now) // later
	})
}
