package peer

import (
	"cmp"
	"slices"

	"github.com/ratmom/ratmom/peer/health"
)

// check looks at what must hold between events.
func (m *model) check() {
	s := m.s
	pins := make(map[*pin]*link)
	links := make(map[*endpoint][3]int)
	if len(s.links) != len(m.links) {
		fail("%d links are known, %d are open", len(s.links), len(m.links))
	}
	if len(s.pins) > m.lim.maxPins {
		fail("%d pins", len(s.pins))
	}
	for _, l := range s.links {
		ml := m.links[l]
		n := links[l.ep]
		n[2] += l.runs
		if l.pin == nil {
			n[0]++
			if !l.told {
				n[1]++
			}
		} else if old := pins[l.pin]; old != nil && l.state != linkDraining && old.state != linkDraining {
			fail("a pin has two links")
		} else {
			pins[l.pin] = l
		}
		links[l.ep] = n
		if l.runs != len(l.running) || l.runs > max(1, m.lim.maxStreams) || !ml.http2 && l.runs > 1 {
			fail("%d runs on a link", l.runs)
		}
		if l.limit < 1 {
			fail("a link takes nothing")
		}
		if l.state == linkDraining && l.runs == 0 {
			fail("nothing runs on a draining link")
		}
		if l.state == linkReady && (!ml.connected || ml.down) {
			fail("a ready link has no connection")
		}
	}
	for _, e := range s.endpoints {
		if n := links[e]; n != [3]int{e.links, e.untold, e.InFlight} {
			fail("endpoint counts %d %d %d, has %v", e.links, e.untold, e.InFlight, n)
		}
		for _, l := range s.links {
			if ready := l.ep == e && l.pin == nil && l.state == linkReady; ready != slices.Contains(e.ready, l) {
				fail("that a %v link is ready is %v", l.state, !ready)
			}
		}
		if slices.ContainsFunc(e.ready, func(l *link) bool { return l.state != linkReady }) {
			fail("a ready link is closed")
		}
		if e.links > m.lim.maxLinks {
			fail("%d links to one endpoint", e.links)
		}
	}
	for _, l := range s.links {
		if due := s.dueAt(l); !due.IsZero() && (s.next().IsZero() || s.next().After(due)) {
			fail("a %v link is forgotten", l.state)
		}
	}
	waiting := 0
	for _, p := range m.pins {
		waiting += len(p.waiting)
	}
	for _, t := range m.tags {
		switch {
		case t.t.state == tagWaiting:
		case t.t.state == tagQueued:
			waiting--
		case t.t.run == nil || t.t.run.tag != t.t || t.t.run.link.state == linkClosed:
			fail("a %v tag is on no link", t.t.state)
		}
	}
	if waiting+s.queue.Len() != 0 {
		fail("tags are lost: %d wait too many", waiting+s.queue.Len())
	}
	pending, requests, retries := len(m.pending()), 0, 0
	for _, l := range s.links {
		requests += len(l.running)
		for _, r := range l.running {
			if r.hedge {
				retries++
			}
		}
	}
	for _, t := range m.tags {
		if t.t.repeat {
			retries++
		}
	}
	for _, c := range []struct {
		what health.Resource
		n    int
		most int
	}{
		{health.Links, len(s.links), modelLimits.Links}, {health.Pending, pending, modelLimits.Pending},
		{health.Requests, requests, modelLimits.Requests}, {health.Retries, retries, modelLimits.Retries},
	} {
		if c.n > c.most || c.n != s.breaker.Used(c.what) {
			fail("%d %v, of %d; %d are counted", c.n, c.what, c.most, s.breaker.Used(c.what))
		}
	}
	st := m.budget.Stats(m.now)
	if st.Repeats > m.repeats && st.Repeats > max(modelFloor, st.Requests/2) {
		fail("the budget is overdrawn: %+v", st)
	}
	m.repeats = st.Repeats
	for _, t := range s.dues {
		if t.due.IsZero() || t.state != tagWaiting && t.state != tagAssigned && t.state != tagCommitted {
			fail("a %v tag is due", t.state)
		}
	}
	if !s.breaker.Open(health.Requests) {
		queue := slices.Clone(s.queue)
		slices.SortFunc(queue, func(a, b *tag) int { return cmp.Or(b.priority-a.priority, cmp.Compare(a.seq, b.seq)) })
		for _, t := range queue {
			if s.pick(t, m.now) != nil {
				fail("a tag waits though there is room")
			}
			if !t.picky() {
				break
			}
		}
	}
}
