package peer

import "slices"

func (m *model) suspect(e *endpoint) {
	if !e.gone && !slices.Contains(m.s.endpoints, e) {
		fail("a strange endpoint is suspected")
	}
}

// checkHealth looks at what must hold of endpoints, tries and runs between events.
func (m *model) checkHealth() {
	for _, e := range m.s.endpoints {
		if e.Down != (e.ejected || e.failing) {
			fail("an endpoint is down %v, ejected %v, failing %v", e.Down, e.ejected, e.failing)
		}
	}
	for _, t := range m.tags {
		tries := len(t.t.failed)
		if t.t.trying {
			tries++
		}
		if t.t.second != nil {
			tries++
		}
		if n := t.t.tries.run.Tries(); n != tries {
			fail("the rule knows of %d tries, not %d", n, tries)
		}
	}
	for _, r := range m.runs {
		if r.committed && !r.withdrawn && !r.head && !r.aborted && r.r.tag == nil {
			fail("a run that nobody waits for goes on")
		}
	}
}

// waits reports whether somebody waits for the head of the run's answer.
func (r *run) waits() bool { return r.tag != nil && r.tag.state != tagHead }

// health has checks find each endpoint up or down.
func (m *model) health() {
	for _, e := range slices.Clone(m.s.endpoints) {
		was, links := e.Down, slices.Clone(m.s.links)
		m.s.cuts = m.rng.IntN(4) > 0
		var alone []*tag // that may have been processed and run nowhere else
		for _, r := range m.runs {
			if t := r.r.tag; r.committed && !r.head && t != nil && t.pin == nil && r.r.link.ep == e && r.r.rival() == nil && !t.ask.Repeatable() {
				alone = append(alone, t)
			}
		}
		m.s.checked(e, m.rng.IntN(4) > 0, m.now)
		for _, t := range alone {
			if t.state == tagQueued || t.state == tagWaiting || t.run != nil && t.run.link.ep != e {
				fail("what may have been processed is repeated")
			}
		}
		for _, l := range links {
			if l.ep == e && l.pin == nil && !was && e.Down && l.state != linkDraining && l.state != linkClosed {
				fail("a link of a dead endpoint is %v", l.state)
			}
			if l.ep == e && l.pin == nil && !was && e.failing && m.s.cuts && slices.ContainsFunc(l.running, (*run).waits) {
				fail("a tag waits for an answer of a dead endpoint")
			}
		}
		if was && !e.Down && e.Since != m.now {
			fail("an endpoint that is back was there for longer")
		}
	}
}
