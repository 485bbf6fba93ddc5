package peer

import (
	"errors"
	"slices"
	"time"
)

// A pin's owner can reserve places on its link, for requests that must not wait.

var errNoRoom = errors.New("peer: the link carries as many requests as it can")

// err is why nothing can run on the pin's link; nil if it can.
func (p *pin) err() error {
	switch {
	case p.released != nil:
		return p.released
	case p.lost():
		return ErrPinLost
	}
	return nil
}

// available is how many requests the link can take at once.
func (p *pin) available() int {
	limit, runs := 1, 0
	switch {
	case p.err() != nil:
		return 0
	case p.link == nil:
	case p.link.state == linkDraining:
		return 0
	default:
		limit, runs = p.link.limit, p.link.runs
	}
	return max(0, limit-runs-p.reserved-len(p.waiting))
}

// inFlight is how many requests run on the link, or have a place reserved.
func (p *pin) inFlight() int {
	n := p.reserved
	if p.link != nil && p.released == nil {
		n += p.link.runs
	}
	return n
}

// reserve takes a place on the link.
func (s *scheduler) reserve(p *pin) error {
	if err := p.err(); err != nil {
		return err
	}
	if p.available() == 0 {
		return errNoRoom
	}
	p.reserved++
	s.touch(p)
	return nil
}

// unreserve gives one back, if there is one.
func (s *scheduler) unreserve(p *pin, now time.Time) {
	if p.reserved > 0 {
		p.reserved--
		s.touch(p)
		s.serve(p, now)
	}
}

// linkFacts are what a pin's owner can be told of.
type linkFacts struct {
	available, inFlight int
	over                bool
}

// look notes whether there is something to tell of a pin since it was looked at last.
func (p *pin) look() {
	now := linkFacts{p.available(), p.inFlight(), p.err() != nil}
	p.news = p.news || now.available > p.seen.available || now.inFlight < p.seen.inFlight || now.over != p.seen.over
	p.seen = now
}

// lookAtTouched has those told whose pins have changed. The lock is held.
func (p *Peer) lookAtTouched() {
	for _, sp := range p.s.touched {
		if sp.look(); sp.news {
			p.todo.add(action{kind: doTell, p: sp})
		}
	}
	p.s.touched = nil
}

// touch notes that something has changed for a pin's owner, who may want to know.
func (s *scheduler) touch(p *pin) {
	if p != nil && p.watched && !slices.Contains(s.touched, p) {
		s.touched = append(s.touched, p)
	}
}
