package peer

import (
	"slices"
	"time"

	"github.com/ratmom/ratmom/internal/usercall"
	"github.com/ratmom/ratmom/peer/health"
)

// place gives links to the tags that wait, the most urgent first, and then has links
// that are left free take what waits for a connection elsewhere.
func (s *scheduler) place(now time.Time) {
	if s.placing || s.closed { // placing: from within; the loop below goes on
		return
	}
	if s.quiet {
		s.owed = s.owed || s.queue.Len() > 0 || s.stealable()
		s.refill(now)
		return
	}
	s.placing = true
	defer func() { s.placing = false }()
	s.serveHeld(now)
	for s.fill(now); s.steal(now); s.fill(now) {
	}
	s.refill(now)
}

// stealable reports whether there may be a tag to steal.
func (s *scheduler) stealable() bool {
	for _, e := range s.endpoints {
		if e.untold > 0 {
			return true
		}
	}
	return false
}

// catchUp does what was owed.
func (s *scheduler) catchUp(now time.Time) {
	s.owed = false
	for p := range s.pins {
		s.serve(p, now)
	}
	s.place(now)
}

// fill starts the tags that there is room for.
func (s *scheduler) fill(now time.Time) {
	for s.queue.Len() > 0 && !s.breaker.Open(health.Requests) {
		t := s.queue[0]
		e := s.pick(t, now)
		if e == nil {
			if !t.picky() || len(s.aside) == maxAside {
				break
			}
			s.aside = append(s.aside, s.queue.pop())
			continue
		}
		s.queue.pop()
		s.assign(t, s.linkFor(e, t, now), now)
	}
	for i, t := range s.aside {
		s.queue.add(t)
		s.aside[i] = nil
	}
	s.aside = s.aside[:0]
}

// maxAside is how many tags that wait for the rest of the endpoints may be passed at once by those behind.
const maxAside = 32

// picky reports whether a tag that has no place may be passed by those behind it: it is left out at the endpoints that
// have not connected for it, where there may be room for them by now. One that needs a new connection is not
// passed, as others could keep it from one for ever.
func (t *tag) picky() bool { return len(t.tried) > 0 && t.rides(1) }

// linkFor is a link of an endpoint that has room for a tag.
func (s *scheduler) linkFor(e *endpoint, t *tag, now time.Time) *link {
	if l := s.ready(e, t); l != nil {
		return l
	}
	s.makeRoom(e)
	return s.newLink(e, nil, now)
}

// pick chooses the endpoint for a tag among those that have room for it; nil if none has.
// One where a try has failed is taken only where no other has room, and one that did
// not connect only where there is no other.
func (s *scheduler) pick(t *tag, now time.Time) *endpoint {
	for pass := range 3 {
		if pass == 0 && len(t.avoid) == 0 {
			continue
		}
		s.eps, s.cands, s.all = s.eps[:0], s.cands[:0], s.all[:0]
		for _, e := range s.endpoints {
			if !e.gone && !e.off && (pass == 2 || !slices.Contains(t.tried, e)) &&
				(pass > 0 || !e.Down && !slices.Contains(t.avoid, e)) {
				s.all = append(s.all, &e.Endpoint)
			}
		}
		if len(s.all) == 0 {
			continue
		}
		if len(s.all) == 1 && !s.all[0].Down && s.among.Zone == "" {
			s.usable = append(s.usable[:0], s.all[0])
		} else {
			s.usable, _ = s.among.Append(s.usable[:0], s.all)
		}
		for _, u := range s.usable {
			if e := s.endpointOf(u); s.room(e, t) {
				s.eps, s.cands = append(s.eps, u), append(s.cands, e)
			}
		}
		if len(s.eps) == 0 && pass == 0 {
			continue
		}
		break
	}
	if len(s.eps) == 0 {
		return nil
	}
	return s.choose(t.key, now)
}

// choose asks the policy for one of the candidates; nil: none. A panic of it, which is the user's, would leave the lock
// locked for ever: it goes to the standard logger, and the first candidate is taken.
func (s *scheduler) choose(key Key, now time.Time) (e *endpoint) {
	defer func() {
		if v := recover(); v != nil {
			usercall.Report("Policy.Pick", v)
			e = s.cands[0]
		}
	}()
	if i := s.policy.Pick(s.eps, key, now); i >= 0 && i < len(s.cands) {
		return s.cands[i]
	}
	return nil
}

// endpointOf is whose Endpoint it is.
func (s *scheduler) endpointOf(u *Endpoint) *endpoint {
	for _, e := range s.endpoints {
		if &e.Endpoint == u {
			return e
		}
	}
	return nil
}

// room reports whether an endpoint can take a tag now.
func (s *scheduler) room(e *endpoint, t *tag) bool {
	if s.ready(e, t) != nil {
		return true
	}
	if s.http2 && e.untold > 0 && t.rides(1) {
		return false // it will carry this one, too
	}
	if e.links < s.limits.maxLinks {
		return !s.breaker.Open(health.Links) || s.idleOf(s.endpoints...) != nil
	}
	return s.idleOf(e) != nil // which must not carry it
}

// ready is the link of an endpoint to put a tag on: the one that became ready last, so that
// the others grow old and go; of HTTP/2 links the emptiest. nil: none.
func (s *scheduler) ready(e *endpoint, t *tag) (best *link) {
	for _, l := range slices.Backward(e.ready) {
		if t.rides(l.served) && (best == nil || l.runs < best.runs) {
			if best = l; l.runs == 0 {
				break
			}
		}
	}
	return best
}

// idleOf is a link of one of some endpoints that nothing runs on, the longest unused.
func (s *scheduler) idleOf(endpoints ...*endpoint) (oldest *link) {
	for _, e := range endpoints {
		for _, l := range e.ready {
			if l.runs == 0 && (oldest == nil || l.used.Before(oldest.used)) {
				oldest = l
			}
		}
	}
	return oldest
}

// makeRoom closes an idle link where a new one would be one too many.
func (s *scheduler) makeRoom(e *endpoint) {
	var l *link
	switch {
	case e.links >= s.limits.maxLinks:
		l = s.idleOf(e)
	case s.breaker.Open(health.Links):
		l = s.idleOf(s.endpoints...)
	}
	if l != nil {
		l.because(EndReplaced)
		s.drain(l)
	}
}

// steal gives a tag whose link has been opening for long to a link that is free, and
// reports whether there was one. The opening link goes: libcurl has no connection without
// a request to make it for.
func (s *scheduler) steal(now time.Time) bool {
	if s.queue.Len() > 0 || !s.stealable() {
		return false
	}
	free := s.freeLink()
	if free == nil {
		return false
	}
	var best *run
	for _, l := range s.links {
		if l.state != linkOpening || l.pin != nil || l.runs == 0 || now.Sub(l.born) < s.limits.stealAfter {
			continue
		}
		r := l.running[0]
		if r.tag == nil || r.tag.state != tagAssigned || r.tag.second != nil || r.tag.once() || !r.tag.rides(free.served) {
			continue
		}
		if best == nil || tagQueue([]*tag{r.tag, best.tag}).Less(0, 1) {
			best = r
		}
	}
	if best == nil {
		return false
	}
	if t := best.tag; s.takeBack(best, now) {
		best.link.ep.Latency.AtLeast(now.Sub(best.began), now)
		s.count.Moves++
		s.assign(t, free, now)
	}
	return true
}

func (s *scheduler) freeLink() (best *link) {
	for _, e := range s.endpoints {
		if e.gone || e.off || e.Down {
			continue
		}
		for _, l := range e.ready {
			if best == nil || l.used.After(best.used) {
				best = l
			}
		}
	}
	return best
}

// unstall puts the tag of a link that does not get its connection elsewhere, if there is
// an endpoint beside that has room.
func (s *scheduler) unstall(l *link, now time.Time) {
	r := l.running[0]
	t := r.tag
	if t == nil || t.state != tagAssigned || t.second != nil || t.once() || s.breaker.Open(health.Pending) {
		return
	}
	before := t.tried
	t.tried = append(t.tried, l.ep)
	if e := s.pick(t, now); e == nil || slices.Contains(t.tried, e) || !s.takeBack(r, now) {
		t.tried = before
		return
	}
	l.ep.Latency.Fail(now.Sub(l.born), now)
	s.do.suspect(l.ep)
	_ = s.hold(t)
	t.state, t.run = tagQueued, nil
	s.count.Moves++
	s.queue.add(t)
}
