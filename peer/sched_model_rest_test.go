package peer

import (
	"slices"
	"time"
)

// rest has an endpoint ask to be left alone.
func (m *model) rest(e *endpoint) {
	d := time.Duration(m.rng.IntN(3000)) * time.Millisecond
	was := e.rests
	all, until := m.s.rest(e, d, m.now)
	if d > 0 && !e.gone && e.rests.Before(m.now.Add(d)) || e.rests.Before(was) {
		fail("an endpoint rests for less than it asks for")
	}
	if all && slices.ContainsFunc(m.s.endpoints, func(e *endpoint) bool { return !e.gone && !e.rests.After(m.now) }) {
		fail("not all rest")
	}
	if all && !until.After(m.now) {
		fail("the rest of all is over already")
	}
}

// checkRest looks at what must hold of endpoints that rest.
func (m *model) checkRest() {
	var rest, work int
	for _, e := range m.s.endpoints {
		switch {
		case e.gone:
		case e.rests.IsZero():
			work++
		default:
			rest++
			if next := m.s.next(); next.IsZero() || next.After(e.rests) {
				fail("the end of a rest is forgotten")
			}
		}
	}
	for _, e := range m.s.endpoints {
		if off := !e.gone && !e.rests.IsZero() && work > 0; e.off != off {
			fail("an endpoint is off %v, with %d that rest and %d that do not", e.off, rest, work)
		}
	}
}

// startsAt looks at where a run goes.
func (m *model) startsAt(r *run) {
	if r.link.ep.off && (r.tag.pin == nil || !r.bound) {
		fail("an endpoint that rests is used")
	}
	m.standsAt(r)
}
