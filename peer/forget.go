package peer

import (
	"net/url"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"time"
	"weak"
)

// registry is the peers of a map. Those that are idle are let go of after a time, or when
// there are too many: what somebody holds, or something runs on, stays what it is and
// is found again; the collector takes the others.
type registry struct {
	byID map[ID]*entry
	kept int       // that have a keep
	goal int       // the number of kept ones at which idle ones are looked for
	next time.Time // and the time; zero: now
}

type entry struct {
	keep atomic.Pointer[Peer] // changed under the map's lock; read without it
	weak weak.Pointer[Peer]

	scheme, host, profile string // as they were written when the peer was made
}

// peer is nil if it has been collected.
func (e *entry) peer() *Peer {
	if p := e.keep.Load(); p != nil {
		return p
	}
	return e.weak.Value()
}

// find is the peer with an identity, kept again if it was not. The map's lock is held.
func (r *registry) find(id ID) *Peer {
	e := r.byID[id]
	if e == nil {
		return nil
	}
	p := e.peer()
	if p != nil && e.keep.Load() == nil {
		e.keep.Store(p)
		r.kept++
	}
	return p
}

// add keeps a new peer. The map's lock is held.
func (r *registry) add(id ID, p *Peer, u *url.URL) {
	e := &entry{weak: weak.Make(p), scheme: strings.Clone(u.Scheme), host: strings.Clone(u.Host), profile: id.Profile}
	e.keep.Store(p)
	r.byID[id] = e
	r.kept++
}

// watch has a peer forgotten when it is collected. It does not hold the map, which holds the peer.
func (m *Map) watch(id ID, p *Peer) {
	w := weak.Make(m)
	runtime.AddCleanup(p, func(id ID) {
		if m := w.Value(); m != nil {
			m.collected(id)
		}
	}, id)
}

// collected forgets an identity whose peer is no more.
func (m *Map) collected(id ID) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if e := m.peers.byID[id]; e != nil && e.peer() == nil {
		delete(m.peers.byID, id)
	}
}

// sweepEvery is how often idle peers are looked for at the most, while new ones come.
const sweepEvery = time.Minute

// sweep lets go of idle peers, if it is time to look for them. The map's lock is held.
func (m *Map) sweep(now time.Time) {
	r := &m.peers
	if r.kept < r.goal && now.Before(r.next) {
		return
	}
	type idle struct {
		e     *entry
		since time.Time
	}
	var all []idle
	for _, e := range r.byID {
		p := e.keep.Load()
		if p == nil {
			continue
		}
		since, old := p.idleSince(now, m.opt.forgetAfter)
		switch {
		case since.IsZero():
		case old:
			r.letGo(e)
		default:
			all = append(all, idle{e, since})
		}
	}
	if most := m.opt.maxIdlePeers; len(all) > most {
		// Some more, so that not every new one is a reason to look.
		slices.SortFunc(all, func(a, b idle) int { return a.since.Compare(b.since) })
		for _, i := range all[:len(all)-most+most/4] {
			r.letGo(i.e)
		}
	}
	r.goal = max(m.opt.maxIdlePeers, r.kept+r.kept/4) + 1
	r.next = now.Add(min(sweepEvery, m.opt.forgetAfter))
	if m.opt.forgetAfter == 0 {
		r.next = now.Add(sweepEvery)
	}
}

// letGo leaves a peer that is idle to who holds it.
func (r *registry) letGo(e *entry) {
	e.keep.Swap(nil).rest()
	r.kept--
}

// rest stops the timer and the checks, which would hold the peer; the next decision sets the timer again, and the
// next request begins the checks anew.
func (p *Peer) rest() {
	p.mu.Lock()
	defer p.unlock()
	p.restChecks()
	p.s.standDown()
	if p.timer != nil && p.timer.Stop() {
		p.due = time.Time{}
	}
}

// idleSince is when the peer was used last, zero if it is in use: has connections, something
// that waits, pins. It is old if that is longer ago than after and it is not
// left alone for a failure, nor one of its endpoints because it asks for that.
func (p *Peer) idleSince(now time.Time, after time.Duration) (since time.Time, old bool) {
	p.mu.Lock()
	defer p.unlock()
	s := p.s
	if p.resolving || len(s.links) > 0 || s.queue.Len() > 0 || len(s.dues) > 0 || len(s.pins) > 0 {
		return time.Time{}, false
	}
	return p.used, after > 0 && now.Sub(p.used) >= after && p.faults.err(now) == nil && !now.Before(s.restEnd)
}
