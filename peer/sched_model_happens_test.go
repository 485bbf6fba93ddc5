package peer

import "slices"

func (m *model) pick(ok func(*modelRun) bool) *modelRun {
	if len(m.runs) == 0 {
		return nil
	}
	at := m.rng.IntN(len(m.runs))
	for i := range m.runs {
		if r := m.runs[(at+i)%len(m.runs)]; ok(r) {
			return r
		}
	}
	return nil
}

func (m *model) commit(r *modelRun) {
	r.committed = true
	t := r.r.tag
	if t == nil {
		fail("a run without a tag was sent")
	}
	mt := m.tag[t]
	if mt.finished || mt.neverSend {
		fail("what was taken back was sent")
	}
	if p := t.pin; p != nil {
		if l := m.bound[p]; l != nil && l != r.r.link {
			fail("a pin's owner meets another connection")
		}
		m.bound[p] = r.r.link
	}
	mt.sent++
	m.sent++
	most := 1
	if t.ask.Repeatable() && t.pin == nil {
		most = 2 // one stale connection
		if p := t.tries.run.Policy(); p != nil {
			most += p.Tries - 1
		}
	}
	if mt.sent > most {
		fail("sent %d times, at most %d", mt.sent, most)
	}
}

func (m *model) end(r *modelRun, o outcome) {
	m.runs = slices.DeleteFunc(m.runs, func(x *modelRun) bool { return x == r })
	m.s.ended(r.r, o, m.now)
	delete(m.of, r.r)
}

func (m *model) breakLink(l *link) {
	if ml := m.links[l]; ml != nil && ml.connected && !ml.down {
		ml.down = true
		m.s.down(l, m.now)
	}
}

// carries is how many the server has of a link.
func (m *model) carries(l *link) (n int) {
	for _, r := range m.runs {
		if r.r.link == l && r.committed {
			n++
		}
	}
	return n
}

// answered looks that a limit that was found too low does not stay.
func (m *model) answered(l *link) {
	ml := m.links[l]
	if ml == nil || !ml.http2 || ml.gone {
		return
	}
	if l.limit != ml.limit {
		if ml.limit > 0 && l.limit > ml.limit && l.limit <= ml.takes && l.streams.limited {
			m.happened["a limit grows"]++
		}
		ml.limit, ml.low = l.limit, 0
	}
	if l.runs < l.limit || l.limit >= min(ml.takes, m.lim.maxStreams) {
		return
	}
	if ml.low++; ml.low > 16*m.lim.probeAfter {
		fail("a limit of %d stays, of %d", l.limit, ml.takes)
	}
}

func (m *model) alive(l *link) bool {
	ml := m.links[l]
	return ml != nil && ml.connected && !ml.down
}
