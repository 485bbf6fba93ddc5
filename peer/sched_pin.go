package peer

import (
	"slices"
	"time"
	"weak"

	"github.com/ratmom/ratmom/peer/health"
)

// pin is a link that serves one owner.
type pin struct {
	link     *link // nil: none yet, or lost
	had      bool  // it has had a link
	told     bool  // to one of its requests: that it is lost
	released error // why it is over; nil: it is not
	waiting  []*tag
	reserved int  // places on the link that nothing runs in yet
	watched  bool // owner wants to know when something changes
	news     bool // there is something to tell
	seen     linkFacts
	owner    weak.Pointer[Link]
}

// newPin makes a pin without a link; nil: there are too many.
func (s *scheduler) newPin() *pin {
	if len(s.pins) >= s.limits.maxPins {
		return nil
	}
	p := new(pin)
	s.pins[p] = struct{}{}
	s.count.Pins++
	return p
}

// lost reports whether the pin's connection is over.
func (p *pin) lost() bool {
	return p.had && (p.link == nil || p.link.state == linkDraining)
}

// wait adds a tag to those that wait: one whose place is reserved, or that had one, before the others.
func (p *pin) wait(t *tag) {
	i := len(p.waiting)
	if t.ahead {
		i = 0
		for i < len(p.waiting) && p.waiting[i].ahead {
			i++
		}
	}
	p.waiting = slices.Insert(p.waiting, i, t)
}

func (p *pin) remove(t *tag) {
	p.waiting = slices.DeleteFunc(p.waiting, func(o *tag) bool { return o == t })
}

// submitPinned places a tag on its pin's link.
func (s *scheduler) submitPinned(t *tag, now time.Time) {
	p := t.pin
	switch {
	case p.released != nil:
		s.finish(t, outcome{err: p.released, unsent: true})
	case p.lost():
		s.finish(t, outcome{err: ErrPinLost, unsent: true})
	case p.reserved == 0 && len(p.waiting) >= s.limits.maxQueue:
		s.finish(t, outcome{err: ErrQueueFull, unsent: true})
	default:
		if err := s.hold(t); err != nil {
			s.finish(t, outcome{err: err, unsent: true, hopeless: true})
			return
		}
		if p.reserved > 0 {
			p.reserved--
			t.ahead = true
		}
		p.wait(t)
		s.touch(p)
		s.serve(p, now)
	}
}

// wait puts a tag back that a pin's link, which is there, did not take beside the others. It
// reports whether it could.
func (s *scheduler) wait(t *tag, l *link) bool {
	if l.state == linkDraining || l.state == linkClosed || t.pin.released != nil || s.hold(t) != nil {
		return false
	}
	t.state, t.run, t.ahead = tagQueued, nil, true
	t.pin.wait(t)
	s.touch(t.pin)
	return true
}

// serve starts what waits for a pin's link.
func (s *scheduler) serve(p *pin, now time.Time) {
	for p != nil && len(p.waiting) > 0 && p.released == nil && !p.lost() {
		l := p.link
		if l == nil {
			if s.quiet {
				s.owed = true
				return
			}
			if s.breaker.Open(health.Requests) || s.breaker.Open(health.Links) && s.idleOf(s.endpoints...) == nil {
				s.heldPins = true
				return
			}
			e := s.pickPinned(p.waiting[0], now)
			if e == nil {
				return
			}
			if s.breaker.Open(health.Links) {
				s.drain(s.idleOf(s.endpoints...))
			}
			l = s.newLink(e, p, now)
			p.link = l
		} else if l.state == linkDraining || l.runs >= l.limit || !p.waiting[0].ahead && l.runs+p.reserved >= l.limit {
			return
		} else if s.breaker.Open(health.Requests) {
			s.heldPins = true
			return
		}
		t := p.waiting[0]
		p.waiting = slices.Delete(p.waiting, 0, 1)
		s.assign(t, l, now)
	}
}

// serveHeld starts what the breaker has kept from pins.
func (s *scheduler) serveHeld(now time.Time) {
	if !s.heldPins {
		return
	}
	s.heldPins = false
	for p := range s.pins {
		s.serve(p, now)
	}
}

// pickPinned chooses an endpoint without regard to the links that others have.
func (s *scheduler) pickPinned(t *tag, now time.Time) *endpoint {
	s.eps, s.cands = s.eps[:0], s.cands[:0]
	s.all = s.all[:0]
	for _, e := range s.endpoints {
		if !e.gone && !e.off {
			s.all = append(s.all, &e.Endpoint)
		}
	}
	s.eps, _ = s.among.Append(s.eps, s.all)
	for _, u := range s.eps {
		s.cands = append(s.cands, s.endpointOf(u))
	}
	if len(s.eps) == 0 {
		return nil
	}
	return s.choose(t.key, now)
}

// lose fails what waits for a pin whose link is over.
func (s *scheduler) lose(p *pin) {
	if p.released == nil {
		s.count.PinsLost++
	}
	waiting := p.waiting
	p.waiting, p.reserved = nil, 0
	for _, t := range waiting {
		s.finish(t, outcome{err: ErrPinLost, unsent: true})
	}
}

// release ends a pin: what waits fails, and its connection, which may be known to the
// server as the owner's, closes with what runs on it.
func (s *scheduler) release(p *pin, err error, now time.Time) {
	if p.released != nil {
		return
	}
	p.released = err
	delete(s.pins, p)
	waiting := p.waiting
	p.waiting, p.reserved = nil, 0
	s.touch(p)
	for _, t := range waiting {
		s.finish(t, outcome{err: err, unsent: true})
	}
	if p.link != nil {
		p.link.because(EndReleased)
		s.drain(p.link)
	}
	s.place(now)
}
