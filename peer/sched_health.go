package peer

import (
	"slices"
	"time"

	"github.com/ratmom/ratmom/internal/failure"
	"github.com/ratmom/ratmom/peer/health"
	"github.com/ratmom/ratmom/retry"
)

// report tells the outlier ejection what a run came to, and whether that has changed what
// may be used.
func (s *scheduler) report(e *endpoint, ok bool, now time.Time) bool {
	ev, changed := s.outliers.Report(e.ID, ok, now)
	if changed {
		s.ejection(ev, now)
	}
	if !ok {
		s.do.suspect(e)
	}
	return changed
}

// ejection notes that an endpoint was ejected or may come back.
func (s *scheduler) ejection(ev health.Event, now time.Time) {
	for _, e := range s.endpoints {
		if e.ID != ev.ID {
			continue
		}
		e.ejected = ev.Ejected
		if ev.Ejected {
			s.count.Ejections++
		} else {
			s.count.Restores++
		}
		s.turn(e, EndEjected, now)
		return
	}
}

// checked notes what active checks have found. One that comes back is no outlier any more.
func (s *scheduler) checked(e *endpoint, up bool, now time.Time) {
	if e.gone || e.failing == !up {
		return
	}
	e.failing = !up
	if up {
		if ev, ok := s.outliers.Readmit(e.ID); ok {
			s.ejection(ev, now)
		}
	}
	s.turn(e, EndUnhealthy, now)
	for p := range s.pins {
		s.serve(p, now)
	}
	s.place(now)
}

// turn takes an endpoint out of use, with its links, or back, as there are reasons against it.
func (s *scheduler) turn(e *endpoint, why LinkEnd, now time.Time) {
	was := e.Down
	e.Down = e.ejected || e.failing
	switch {
	case e.Down == was:
		return
	case was:
		e.Since = now
		e.spares.found()
		return
	}
	for _, l := range slices.Clone(s.links) {
		if l.ep != e || l.pin != nil {
			continue
		}
		if l.state == linkOpening && l.runs > 0 && !s.quiet {
			s.unstall(l, now)
		}
		l.because(why)
		s.drain(l)
		if why == EndUnhealthy && s.cuts {
			s.cut(l, now)
		}
	}
}

// cut ends the tries that wait for an answer on a link to a dead endpoint: what was not sent moves, and the rest is
// for the rule.
func (s *scheduler) cut(l *link, now time.Time) {
	for _, r := range slices.Clone(l.running) {
		t := r.tag
		if t == nil || t.state == tagHead {
			continue
		}
		sent := !s.do.withdraw(r)
		beside := s.dropFailed(r, retry.Attempt{Class: retry.Broken, Err: errDown}, now)
		if !beside {
			s.dues.remove(t)
		}
		r.tag = nil
		if sent {
			t.revealed = true
			s.do.abort(r)
		} else {
			s.leave(r, now)
		}
		o := outcome{err: errDown, unsent: !sent, class: retry.Broken}
		if beside || !sent && s.move(t, r, o, true) {
			continue
		}
		s.endTry(t, l.ep, o, now)
	}
}

var errDown = failure.New(failure.ConnectionClosed, "checks have found the endpoint down")
