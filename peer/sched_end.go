package peer

import (
	"errors"
	"slices"
	"time"

	"github.com/ratmom/ratmom/internal/failure"
	"github.com/ratmom/ratmom/retry"
)

// judge decides what becomes of a tag whose run has ended.
func (s *scheduler) judge(t *tag, r *run, o outcome, opened bool, now time.Time) {
	switch {
	case o.err == nil || t.state == tagHead:
		s.finish(t, o)
	case s.dropFailed(r, retry.Attempt{Class: o.class, Err: o.err}, now):
	case o.hopeless:
		s.finish(t, o)
	case t.pin != nil && o.lost && s.wait(t, r.link):
	case t.pin != nil:
		if o.lost || (opened && o.unsent) || o.class == retry.Stale {
			o = outcome{err: pinLost(o.err), unsent: o.unsent}
		}
		s.finish(t, o)
	case o.unsent && o.class != retry.Refused && s.move(t, r, o, opened):
	default:
		s.endTry(t, r.link.ep, o, now)
	}
}

// exhausted reports whether a tag has failed at every endpoint.
func (s *scheduler) exhausted(t *tag) bool {
	for _, e := range s.endpoints {
		if !e.gone && !e.off && !slices.Contains(t.tried, e) {
			return false
		}
	}
	return true
}

// cancel ends a tag at once. What was not sent never will be.
func (s *scheduler) cancel(t *tag, why error, now time.Time) {
	switch t.state {
	case tagDone:
		return
	case tagWaiting:
		s.dues.remove(t)
		s.finish(t, outcome{err: why, hopeless: true, cancelled: true})
	case tagQueued:
		if t.pin != nil {
			t.pin.remove(t)
			s.touch(t.pin)
		} else {
			s.queue.remove(t)
		}
		s.finish(t, outcome{err: why, unsent: true, hopeless: true, cancelled: true})
	default:
		r, second := t.run, t.second
		t.second = nil
		beside := second == nil || s.dismiss(second, now)
		late := s.leftWaiting(r, why, now)
		unsent := s.takeBack(t.run, now)
		if !unsent {
			r.tag = nil
			s.do.abort(r)
		}
		s.finish(t, outcome{err: why, unsent: unsent && beside, hopeless: true, cancelled: true})
		if late {
			s.report(r.link.ep, false, now)
		}
	}
	s.place(now)
}

// leftWaiting notes what it says of an endpoint that a tag is cancelled. It reports whether that is a failure: the tag's time is
// over, and it has spent the most of it in waiting for this endpoint's answer.
func (s *scheduler) leftWaiting(r *run, why error, now time.Time) (failed bool) {
	t := r.tag
	if t.state == tagHead {
		return false
	}
	failed = !t.once() && 2*now.Sub(r.began) >= now.Sub(t.born) && errors.Is(why, failure.Timeout)
	if failed {
		r.way.Fail(now)
	} else {
		r.way.GiveUp(now)
	}
	return failed
}

// takeBack withdraws a run, whose link stays if it has a connection.
func (s *scheduler) takeBack(r *run, now time.Time) bool {
	if r.tag.state == tagHead || !s.do.withdraw(r) {
		r.tag.revealed = true
		if r.tag.state == tagAssigned {
			r.tag.state = tagCommitted
		}
		return false
	}
	s.leave(r, now)
	if !r.link.connected {
		r.link.because(EndDropped)
		s.drain(r.link)
	}
	return true
}

func (s *scheduler) finish(t *tag, o outcome) {
	s.dues.remove(t)
	s.letGo(t)
	s.unrepeat(t)
	t.state, t.run, t.second = tagDone, nil, nil
	if t.spare != nil {
		t.spare.spares.opening = false
	}
	if t.pin != nil && errors.Is(o.err, ErrPinLost) {
		t.pin.told = true
	}
	s.countEnd(t, o)
	s.do.finish(t, o)
}

// failQueue ends what waits for a link.
func (s *scheduler) failQueue(err error, now time.Time) {
	queue := s.queue
	s.queue = nil
	for _, t := range queue {
		t.place = 0
		s.endTry(t, nil, outcome{err: err, unsent: true, class: retry.Connect}, now)
	}
	for p := range s.pins {
		s.touch(p)
		waiting := p.waiting
		p.waiting = nil
		for _, t := range waiting {
			s.finish(t, outcome{err: err, unsent: true})
		}
	}
	s.place(now)
}

// close ends everything: queued tags with err, links with what runs on them.
func (s *scheduler) close(err error, now time.Time) {
	s.closed = true // else a link that is left free would take another's tag
	for s.queue.Len() > 0 {
		s.finish(s.queue.pop(), outcome{err: err, unsent: true})
	}
	for _, t := range slices.Clone(s.dues) {
		if t.state == tagWaiting {
			s.finish(t, outcome{err: err})
		}
	}
	for p := range s.pins {
		s.release(p, err, now)
	}
	for _, l := range slices.Clone(s.links) {
		l.because(EndClosed)
		for _, r := range slices.Clone(l.running) {
			if t := r.tag; t != nil {
				s.cancel(t, err, now)
			}
		}
		s.drain(l)
	}
}
