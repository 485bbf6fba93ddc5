package peer

import (
	"time"

	"github.com/ratmom/ratmom/peer/health"
)

// spares is how an endpoint's standby links come about: one at a time, and ever more slowly
// while no request finds one there.
type spares struct {
	opening bool      // one is asked for, or in the making
	row     int       // that were asked for since a request was put on a connection that was there
	asked   time.Time // when the last one was
	next    time.Time // and when the next one may be
}

// As many as there are to be come at once; then one waits for this, the next twice as long, up to the longest.
const (
	firstSpareWait   = 100 * time.Millisecond
	longestSpareWait = time.Minute
)

// ask notes that one of n is asked for.
func (p *spares) ask(n int, now time.Time) {
	if now.Sub(p.asked) >= max(2*p.wait(n), time.Second) {
		p.row = 0 // those before have lasted
	}
	p.opening, p.asked = true, now
	p.row++
	p.next = now.Add(p.wait(n))
}

// wait is the time from the last one to the next.
func (p *spares) wait(n int) time.Duration {
	if p.row < n {
		return 0
	}
	return min(firstSpareWait<<min(p.row-n, 16), longestSpareWait)
}

// found notes that there is a connection that works: nothing has to be waited for any more.
func (p *spares) found() { p.row, p.next = 0, time.Time{} }

// refill has standby links made where there are too few.
func (s *scheduler) refill(now time.Time) {
	n := s.limits.standby
	if n == 0 {
		return
	}
	s.spareDue = time.Time{}
	if on := s.stands(now); on != s.standing {
		s.standing, s.recount = on, true
	}
	if !s.standing || s.queue.Len() > 0 { // what waits is first
		return
	}
	for _, e := range s.endpoints {
		switch {
		case e.spares.opening || !s.lacks(e, now):
		case e.spares.next.After(now):
			if s.spareDue.IsZero() || e.spares.next.Before(s.spareDue) {
				s.spareDue = e.spares.next
			}
		default:
			e.spares.ask(n, now)
			s.do.warm(e)
		}
	}
}

// stands reports whether there are to be standby links: someone has asked for the peer lately, and
// has been answered, which tells what it speaks.
func (s *scheduler) stands(now time.Time) bool {
	return !s.closed && s.told && !s.asked.IsZero() && (s.limits.standFor == 0 || now.Sub(s.asked) < s.limits.standFor) &&
		s.limits.maxRequests != 1 // else none could take another request
}

// lacks reports whether an endpoint has too few links that are free, and may have one more. One that
// speaks HTTP/2 is enough.
func (s *scheduler) lacks(e *endpoint, now time.Time) bool {
	if !e.fit(now) || e.links >= s.limits.maxLinks || s.breaker.Open(health.Links) || s.breaker.Open(health.Requests) {
		return false
	}
	for _, o := range s.endpoints {
		if o.Priority < e.Priority && o.fit(now) {
			return false
		}
	}
	if s.http2 {
		return len(e.ready) == 0 && e.untold == 0
	}
	return len(e.ready) < s.limits.standby
}

// fit reports whether nothing speaks against new links to the endpoint.
func (e *endpoint) fit(now time.Time) bool { return !e.gone && !e.Down && !e.rests.After(now) }

// standby makes a link that warm was called for, by a request that makes a connection and is of no other use; it is over if the
// link is not wanted any more.
func (s *scheduler) standby(t *tag, e *endpoint, now time.Time) {
	t.spare, t.unhedged = e, true
	if !s.stands(now) || s.queue.Len() > 0 || !s.lacks(e, now) {
		s.finish(t, outcome{err: errNotWanted, unsent: true, hopeless: true, cancelled: true})
		return
	}
	s.assign(t, s.newLink(e, nil, now), now)
	s.place(now)
}

// standDown makes no more standby links until somebody asks for the peer.
func (s *scheduler) standDown() { s.asked, s.spareDue = time.Time{}, time.Time{} }
