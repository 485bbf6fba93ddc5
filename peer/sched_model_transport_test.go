package peer

import (
	"slices"

	"github.com/ratmom/ratmom/retry"
)

// The model is the transport of its scheduler.

func (m *model) open(l *link) {
	if l.ep.gone {
		fail("a link to an endpoint that has gone")
	}
	ml := &modelLink{http2: l.ep.ID%2 == 0, takes: 1}
	if ml.http2 {
		ml.takes += m.rng.IntN(4)
	}
	m.links[l] = ml
}

func (m *model) close(l *link) {
	if m.links[l].closed {
		fail("a link was closed twice")
	}
	for _, r := range m.runs {
		if r.r.link == l && !r.withdrawn {
			fail("a link was closed under a run")
		}
	}
	if ml := m.links[l]; l.why == EndDown && !ml.down && !ml.gone {
		fail("a link that is well was given up")
	}
	m.links[l].closed = true
	delete(m.links, l)
}

func (m *model) start(r *run) {
	l, t := m.links[r.link], m.tag[r.tag]
	m.startsAt(r)
	switch {
	case t == nil || t.finished:
		fail("a tag that has ended was started")
	case l == nil:
		fail("a tag was put on a closed link")
	case l.down:
		fail("a tag was put on a link without a connection")
	case r.bound != l.connected:
		fail("bound %v, connected %v", r.bound, l.connected)
	case r.tag.pin != r.link.pin:
		fail("a pinned link serves another owner")
	case r.tag.pin != nil && !r.tag.ahead && r.link.runs+r.tag.pin.reserved > max(r.link.limit, 1):
		fail("a reserved place is taken")
	}
	beside := 0
	for _, o := range m.runs {
		if o.r.tag == r.tag && !o.withdrawn {
			beside++
			if o.r.link == r.link {
				fail("a hedge is on the same link")
			}
			if o.head {
				fail("a tag with a head is hedged")
			}
		}
	}
	switch {
	case beside > 1 || beside == 1 && (!r.hedge || t.hedges > 0):
		fail("a tag runs twice")
	case r.hedge && (!retry.Safe(r.tag.ask.Method) || r.tag.tries.run.Policy() == nil || r.tag.pin != nil):
		fail("what must not be hedged is")
	case r.hedge && m.budget.Stats(m.now).Refused > m.refused:
		fail("a tag is hedged though the budget is spent")
	case r.hedge:
		t.hedges++
	}
	if m.now.Before(t.asked) {
		fail("a tag did not wait for its next try")
	}
	if r.bound && r.tag.pin == nil && !r.tag.reuse.Allows(r.tag.ask, m.links[r.link].served) {
		fail("a tag rides a connection that it must not")
	}
	l.served++
	if r.tag.pin == nil && !r.hedge {
		for _, q := range m.s.queue {
			if q.priority > r.tag.priority {
				fail("a less urgent tag was started")
			}
		}
	}
	t.starts++
	mr := &modelRun{r: r}
	m.runs = append(m.runs, mr)
	m.of[r] = mr
}

func (m *model) withdraw(r *run) bool {
	mr := m.of[r]
	if mr.committed {
		return false
	}
	mr.withdrawn = true
	return true
}

func (m *model) abort(r *run) {
	mr := m.of[r]
	if !mr.committed || mr.withdrawn {
		fail("what was not sent was aborted")
	}
	mr.aborted = true
}

func (m *model) finish(t *tag, o outcome) {
	mt := m.tag[t]
	if mt == nil || mt.finished {
		fail("a tag ended twice")
	}
	mt.finished = true
	if o.unsent {
		if mt.sent > 0 && o.err == nil {
			fail("it was sent")
		}
		mt.neverSend = true
	}
	m.finished++
	m.tags = slices.DeleteFunc(m.tags, func(x *modelTag) bool { return x == mt })
}
