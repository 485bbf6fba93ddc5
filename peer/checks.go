package peer

import (
	"net"
	"net/http"
	"slices"
	"time"

	"github.com/ratmom/ratmom/peer/health"
)

// CheckKind is what a [Check] does.
type CheckKind uint8

const (
	// CheckTCP opens a connection. Behind a proxy it is [CheckTLS], which goes as far as a request would.
	CheckTCP CheckKind = iota
	// CheckTLS opens a connection and, for https, a TLS session on it. Nothing is sent in it.
	CheckTLS
	// CheckHTTP sends a request and looks at the head of the response.
	CheckHTTP
	// CheckHTTP2 is CheckHTTP over HTTP/2: whoever answers over another version is down. For http it is
	// HTTP/2 by prior knowledge.
	CheckHTTP2
)

// Check is how endpoints are checked. Each check has a connection of its own, which is closed after it, and is
// otherwise made as the peer's requests are: with their options for TLS, credentials and proxies.
type Check struct {
	Kind CheckKind

	// Method, Path and Header are those of the request of CheckHTTP and CheckHTTP2. Default: GET of "/". The path may
	// have a query.
	Method, Path string
	Header       http.Header
	// Expect looks at its response. Default: a status from 200 to 399.
	Expect func(*http.Response) error

	// Probe checks in place of Kind. It is given the address of the endpoint, or host and port of
	// the peer where libcurl looks that up.
	Probe health.Probe

	// Cut ends the tries that wait for an answer of an endpoint that is found down, whose head has not come: what was
	// sent fails with ratmom.ErrConnectionClosed, or is repeated as retry.Broken is. Otherwise they go on, as the endpoint may
	// answer late.
	Cut bool

	// Policy says how often, and what follows from it.
	Policy health.CheckPolicy
}

// Checks has the endpoints of peers checked, from a peer's first request on until it is forgotten
// ([ForgetAfter]) or the map is closed. One that is found down is not used, as [Panic] says, and its
// connections are closed: at once where nothing runs, with the last request otherwise; requests that wait for a
// connection to it go elsewhere. One that comes back is no outlier any more. When requests fail at an endpoint it
// is checked soon. Default: no checks.
func Checks(c Check) Option {
	return func(o *options) error { o.check = &c; return nil }
}

// NoChecks has none made: for a peer by [EachPeer].
func NoChecks() Option {
	return func(o *options) error { o.check = nil; return nil }
}

// CheckWorkers is how many checks of the map run at once; others wait. Default: 64.
func CheckWorkers(n int) Option {
	return atLeast("CheckWorkers", n, 1, func(o *options) { o.checkWorkers = n })
}

// update gives the scheduler the endpoints, and the checker. The lock is held.
func (p *Peer) update(addrs []Address, now time.Time) {
	before := slices.Clone(p.s.endpoints)
	p.s.update(addrs, now)
	if until := p.s.allRest(); until.After(now) {
		p.leavePeer(http.StatusServiceUnavailable, until.Sub(now), now) // none is left that does not
	} else {
		p.faults.comeBack(now)
	}
	p.watchEndpoints(before)
}

// watchEndpoints has those endpoints checked that are there, and those of before no more that are gone. The lock
// is held.
func (p *Peer) watchEndpoints(before []*endpoint) {
	p.unchecked = false
	if p.check == nil {
		return
	}
	for _, e := range before {
		if e.gone && e.check != 0 {
			p.unwatch(e)
		}
	}
	for _, e := range p.s.endpoints {
		if e.gone || e.check != 0 {
			continue
		}
		address := e.Address
		if address == "" {
			address = net.JoinHostPort(p.id.Host, p.id.Port)
		}
		e.check = p.m.lastCheck.Add(1)
		p.checker.Watch(health.Target{
			ID: e.check, Address: address, Probe: p.probe(e), Policy: p.check.Policy,
			Changed: func(c health.Change) { p.m.work.Submit(func() { p.rechecked(e, c.ID) }) },
		})
	}
}

// unwatch forgets what checks have said of an endpoint. The lock is held.
func (p *Peer) unwatch(e *endpoint) {
	p.checker.Remove(e.check)
	e.check, e.failing = 0, false
	e.Down = e.ejected
}

// rechecked passes on what the checks say of an endpoint now: not what they said when they called, as
// calls may overtake each other.
func (p *Peer) rechecked(e *endpoint, id uint64) {
	p.decide(func(now time.Time) {
		if e.check != id {
			return
		}
		state, _ := p.checker.State(id)
		p.s.checked(e, state != health.Down, now)
	})
}

// restChecks ends the checks until the next request. The lock is held.
func (p *Peer) restChecks() {
	for _, e := range p.s.endpoints {
		if e.check != 0 {
			p.unwatch(e)
			p.unchecked = true
		}
	}
}
