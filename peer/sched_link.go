package peer

import (
	"slices"
	"time"

	"github.com/ratmom/ratmom/peer/health"
)

// A link is opening until it has a connection; ready while it can take a request, busy
// while it cannot; draining when it takes none any more and something runs on
// it still; closed.
type linkState uint8

const (
	linkOpening linkState = iota
	linkReady
	linkBusy
	linkDraining
	linkClosed
)

func (s linkState) String() string {
	return [...]string{"opening", "ready", "busy", "draining", "closed"}[s]
}

// link is one connection.
type link struct {
	id        uint64
	state     linkState
	ep        *endpoint
	pin       *pin // whose it is
	connected bool
	down      bool // its connection is over
	told      bool // whether it is HTTP/2
	limit     int  // of runs at once
	streams   streams
	runs      int
	running   []*run
	served    int
	born      time.Time
	used      time.Time // when the last run left
	stalled   time.Time // when another place was looked for last
	why       LinkEnd   // of its end
	wire      wire      // the transport's
}

// newLink opens a link for a tag.
func (s *scheduler) newLink(e *endpoint, p *pin, now time.Time) *link {
	s.lastID++
	l := &link{id: s.lastID, ep: e, pin: p, limit: 1, born: now, used: now}
	_ = s.breaker.Take(health.Links) // there was room
	s.links = append(s.links, l)
	s.count.LinksOpened++
	if p == nil {
		e.links++
		e.untold++
		s.recount = true // those beside it are more than have to be kept now
	}
	s.do.open(l)
	return l
}

// assign starts a tag on a link.
func (s *scheduler) assign(t *tag, l *link, now time.Time) {
	s.letGo(t)
	s.try(t, now)
	r := s.run(t, l, now)
	r.until = t.until
	t.state, t.run = tagAssigned, r
	s.willHedge(t, now)
	s.do.start(r)
}

// run puts a tag on a link.
func (s *scheduler) run(t *tag, l *link, now time.Time) *run {
	_ = s.breaker.Take(health.Requests) // there was room
	r := &t.first
	if r.link != nil {
		r = new(run)
	}
	r.tag, r.link, r.bound, r.began = t, l, l.state != linkOpening, now
	if r.bound && l.pin == nil {
		l.ep.spares.found()
	}
	l.runs++
	l.served++
	l.running = append(l.running, r)
	l.enter(r)
	r.way.Begin(&l.ep.Endpoint, now)
	s.settle(l, now)
	return r
}

// leave ends a run's stay on its link.
func (s *scheduler) leave(r *run, now time.Time) {
	l := r.link
	r.over = true
	s.breaker.Give(health.Requests)
	if r.hedge {
		s.breaker.Give(health.Retries)
	}
	if t := r.tag; t != nil && t.second == nil {
		s.dues.remove(t)
	}
	l.runs--
	l.running = slices.DeleteFunc(l.running, func(o *run) bool { return o == r })
	l.used = now
	r.way.End()
	s.settle(l, now)
}

// settle finds the state of a link that is not closed.
func (s *scheduler) settle(l *link, now time.Time) {
	s.touch(l.pin)
	defer s.expect(l)
	switch {
	case l.state == linkDraining:
		if l.runs == 0 {
			s.shut(l)
		}
	case !l.connected:
		// It is opening.
	case l.worn(s.limits, now):
		l.because(EndWorn)
		s.drain(l)
	case l.runs < l.limit:
		l.turn(linkReady)
	default:
		l.turn(linkBusy)
	}
}

// turn sets the state, and has the endpoint know the link where it is ready.
func (l *link) turn(to linkState) {
	if was, is := l.state == linkReady, to == linkReady; was != is && l.pin == nil {
		e := l.ep
		if is {
			e.ready = append(e.ready, l)
		} else {
			i := len(e.ready) - 1
			for e.ready[i] != l {
				i--
			}
			e.ready = slices.Delete(e.ready, i, i+1)
		}
	}
	l.state = to
}

// tell notes that it is known what the link can carry, or does not matter any more.
func (l *link) tell() {
	if !l.told && l.pin == nil {
		l.ep.untold--
	}
	l.told = true
}

// worn reports whether a link has done what one may.
func (l *link) worn(lim limits, now time.Time) bool {
	return l.pin == nil && (lim.maxRequests > 0 && l.served >= lim.maxRequests ||
		lim.maxAge > 0 && now.Sub(l.born) >= lim.maxAge)
}

// drain gives a link no more to do, and closes it as soon as nothing runs there.
func (s *scheduler) drain(l *link) {
	if l.state == linkClosed || l.state == linkDraining {
		return
	}
	l.turn(linkDraining)
	s.touch(l.pin)
	l.tell()
	if l.pin != nil && l.connected {
		s.lose(l.pin)
	}
	if l.runs == 0 {
		s.shut(l)
	}
}

func (s *scheduler) shut(l *link) {
	l.turn(linkClosed)
	s.breaker.Give(health.Links)
	if l.pin == nil {
		l.ep.links--
	} else if l.pin.link == l {
		l.pin.link = nil
	}
	s.links = slices.DeleteFunc(s.links, func(o *link) bool { return o == l })
	s.count.ends[l.why]++
	s.do.close(l)
	if l.ep.gone {
		s.forget()
	}
}

// next is when tick has something to do, or earlier; zero: not by time alone.
func (s *scheduler) next() (next time.Time) {
	if s.recount {
		s.recount, s.linkDue = false, time.Time{}
		for _, l := range s.links {
			s.expect(l)
		}
	}
	next = s.linkDue
	if len(s.dues) > 0 && (next.IsZero() || s.dues[0].due.Before(next)) {
		next = s.dues[0].due
	}
	if !s.restEnd.IsZero() && (next.IsZero() || s.restEnd.Before(next)) {
		next = s.restEnd
	}
	if !s.spareDue.IsZero() && (next.IsZero() || s.spareDue.Before(next)) {
		next = s.spareDue
	}
	if at := s.outliers.Next(); len(s.endpoints) > 1 && !at.IsZero() && (next.IsZero() || at.Before(next)) {
		next = at
	}
	return next
}

// expect notes when a link that has changed is due. What it was due for before may still count: so tick
// may find nothing to do, but no decision looks at all links.
func (s *scheduler) expect(l *link) {
	if at := s.dueAt(l); !at.IsZero() && (s.linkDue.IsZero() || at.Before(s.linkDue)) {
		s.linkDue = at
	}
}

// dueAt is when a link is to be looked at.
func (s *scheduler) dueAt(l *link) (at time.Time) {
	soon := func(t time.Time) {
		if at.IsZero() || t.Before(at) {
			at = t
		}
	}
	if l.pin != nil || l.state == linkClosed || l.state == linkDraining && !l.holds() {
		return at
	}
	if a := s.limits.maxAge; a > 0 && l.state != linkDraining {
		soon(l.born.Add(a))
	}
	if d := s.limits.idle; d > 0 && l.state == linkReady && l.runs == 0 && (s.standing || l.ep.links > s.limits.minLinks) {
		soon(l.used.Add(d))
	}
	if d := s.limits.stallAfter; d > 0 && (l.state == linkOpening || l.state == linkDraining) && len(s.endpoints) > 1 {
		if l.stalled.IsZero() {
			soon(l.born.Add(d))
		} else {
			soon(l.stalled.Add(d))
		}
	}
	return at
}

// holds reports whether a tag waits for the link's connection, which may never be there.
func (l *link) holds() bool {
	return (l.state == linkOpening || l.state == linkDraining) && !l.connected && l.runs > 0
}

// tick does what is due by time.
func (s *scheduler) tick(now time.Time) {
	s.recount = true
	for _, ev := range s.outliers.Tick(now) {
		s.ejection(ev, now)
	}
	for _, l := range slices.Clone(s.links) {
		if at := s.dueAt(l); at.IsZero() || at.After(now) {
			continue
		}
		if l.holds() && (l.state == linkDraining || !l.worn(s.limits, now)) {
			l.stalled = now
			s.unstall(l, now)
			continue
		}
		if l.worn(s.limits, now) {
			l.because(EndWorn)
		}
		l.because(EndIdle)
		s.drain(l)
	}
	s.rested(now)
	s.wake(now)
	s.place(now)
}

// closeIdle closes the links that nothing runs on.
func (s *scheduler) closeIdle(now time.Time) {
	s.standDown()
	for _, l := range slices.Clone(s.links) {
		if l.runs == 0 && l.pin == nil {
			l.because(EndIdle)
			s.drain(l)
		}
	}
	s.place(now)
}
