package peer

import (
	"net/http"
	"slices"
	"time"

	"github.com/ratmom/ratmom/internal/failure"
	"github.com/ratmom/ratmom/peer/health"
	"github.com/ratmom/ratmom/retry"
)

// modelEvent is something that can happen to a model.
type modelEvent struct {
	name   string
	weight int
	do     func(m *model) bool // false: it could not happen
}

// modelPolicies are those of the tags that have one.
var modelPolicies = []retry.Policy{
	{Tries: 2, Base: 50 * time.Millisecond},
	{Tries: 4, Base: 300 * time.Millisecond, Hedge: retry.Hedge{After: 100 * time.Millisecond}},
	{Tries: 3, Hedge: retry.Hedge{P95: true, After: 200 * time.Millisecond}, TryTimeout: time.Second, Deadline: 5 * time.Second},
}

// failedAt notes that a tag could not be placed, and bounds how often that is within one try.
func (m *model) failedAt(mt *modelTag) {
	if n := len(mt.t.failed); n != mt.noted {
		mt.noted, mt.dialed = n, 0
	}
	if mt.dialed++; mt.dialed > m.lim.maxAttempts {
		fail("%d placements failed for one tag", mt.dialed)
	}
}

// head plays the head of a response.
func (m *model) head(r *modelRun, status int) {
	t := r.r.tag
	header := http.Header{"Retry-After": {"1"}}
	l := r.r.link
	if status == 503 && m.rng.IntN(4) == 0 {
		m.rest(l.ep)
	}
	elsewhere := status == 503 && l.ep.off
	answer := m.s.head(r.r, m.links[l].http2, status, header, m.now)
	m.answered(l)
	if answer {
		r.head = true
		for _, o := range m.runs {
			if o != r && o.r.tag == t && !o.withdrawn {
				fail("a tag that has its answer runs elsewhere")
			}
		}
		return
	}
	if r.r.tag != nil {
		fail("a run that is dropped has a tag")
	}
	if mt := m.tag[t]; mt != nil && t.state == tagWaiting && status != 404 && !elsewhere {
		if mt.asked = m.now.Add(time.Second); t.due.Before(mt.asked) {
			fail("Retry-After is not heeded")
		}
	}
	r.head = true
}

var modelEvents = []modelEvent{
	{"submit", 30, func(m *model) bool {
		if len(m.tags) > 30 {
			return false
		}
		t := &tag{priority: m.rng.IntN(3), born: m.now}
		t.ask = retry.Request{Method: []string{"GET", "POST", "PUT"}[m.rng.IntN(3)], Replayable: m.rng.IntN(8) > 0}
		t.reuse = retry.Reuse(m.rng.IntN(3))
		if len(m.pins) > 0 && m.rng.IntN(4) == 0 {
			t.pin = m.pins[m.rng.IntN(len(m.pins))]
		}
		if m.rng.IntN(3) > 0 {
			p := modelPolicies[m.rng.IntN(len(modelPolicies))].Full()
			t.tries.run = retry.Begin(&p, m.budget, m.now)
			t.tries.run.Draw(func(d time.Duration) time.Duration { return time.Duration(m.rng.Int64N(int64(d) + 1)) })
		}
		mt := &modelTag{t: t}
		m.tag[t] = mt
		m.tags = append(m.tags, mt)
		m.submitted++
		m.s.submit(t, m.now)
		return true
	}},
	{"connected", 20, func(m *model) bool {
		r := m.pick(func(r *modelRun) bool { return !r.r.bound && !r.committed && !r.withdrawn && m.links[r.r.link] != nil })
		if r == nil {
			return false
		}
		ml := m.links[r.r.link]
		ml.connected = true
		m.commit(r)
		m.s.up(r.r.link, m.now)
		return true
	}},
	{"connection refused", 12, func(m *model) bool {
		r := m.pick(func(r *modelRun) bool { return !r.r.bound && !r.committed && !r.withdrawn })
		if r == nil {
			return false
		}
		if t := m.tag[r.r.tag]; t != nil {
			m.failedAt(t)
		}
		m.end(r, outcome{err: errModel, unsent: true, class: retry.Connect})
		return true
	}},
	{"sent on", 30, func(m *model) bool {
		r := m.pick(func(r *modelRun) bool {
			return r.r.bound && !r.committed && !r.withdrawn && !r.refused && m.alive(r.r.link)
		})
		if r == nil {
			return false
		}
		if ml := m.links[r.r.link]; ml.gone || m.carries(r.r.link) >= ml.takes {
			r.refused = true
		} else {
			m.commit(r)
		}
		return true
	}},
	{"takes none any more", 2, func(m *model) bool {
		if len(m.s.links) == 0 {
			return false
		}
		l := m.s.links[m.rng.IntN(len(m.s.links))]
		m.links[l].gone = m.alive(l)
		return m.alive(l)
	}},
	{"connection lost", 20, func(m *model) bool {
		r := m.pick(func(r *modelRun) bool {
			return !r.withdrawn && (r.refused || r.r.bound && !r.committed && !m.alive(r.r.link))
		})
		if r == nil {
			return false
		}
		t, l := m.tag[r.r.tag], r.r.link
		full := t != nil && t.t.pin != nil && m.alive(l) && l.state != linkDraining && l.runs > 1 && !r.r.alone &&
			!m.s.breaker.Open(health.Pending)
		m.end(r, outcome{err: errModel, unsent: true, lost: true, class: retry.NeverSent})
		if full && t.finished {
			fail("what had no room on a pin is lost")
		}
		return true
	}},
	{"head", 40, func(m *model) bool {
		r := m.pick(func(r *modelRun) bool { return r.committed && !r.head && !r.withdrawn })
		if r == nil {
			return false
		}
		r.head = true
		m.head(r, 200)
		return true
	}},
	{"bad status", 20, func(m *model) bool {
		r := m.pick(func(r *modelRun) bool { return r.committed && !r.head && !r.withdrawn })
		if r == nil {
			return false
		}
		m.head(r, []int{404, 503, 429}[m.rng.IntN(3)])
		return true
	}},
	{"good end", 40, func(m *model) bool {
		r := m.pick(func(r *modelRun) bool { return r.committed && r.head && !r.withdrawn })
		if r == nil {
			return false
		}
		if m.rng.IntN(8) == 0 {
			m.breakLink(r.r.link)
		}
		m.end(r, outcome{})
		return true
	}},
	{"stale", 6, func(m *model) bool {
		r := m.pick(func(r *modelRun) bool { return r.committed && !r.head && r.r.bound && !r.withdrawn })
		if r == nil {
			return false
		}
		m.breakLink(r.r.link)
		m.end(r, outcome{err: errModel, class: retry.Stale})
		return true
	}},
	{"refused stream", 4, func(m *model) bool {
		r := m.pick(func(r *modelRun) bool { return r.committed && !r.head && !r.withdrawn })
		if r == nil {
			return false
		}
		if t := m.tag[r.r.tag]; t != nil {
			t.sent-- // it has done nothing
			m.failedAt(t)
		}
		m.end(r, outcome{err: errModel, unsent: true, class: retry.Refused})
		return true
	}},
	{"bad end", 6, func(m *model) bool {
		r := m.pick(func(r *modelRun) bool { return r.committed && !r.withdrawn })
		if r == nil {
			return false
		}
		m.breakLink(r.r.link)
		class := retry.Broken
		switch {
		case r.head:
			class = retry.Other
		case m.rng.IntN(2) == 0:
			class = retry.Timeout
		}
		m.end(r, outcome{err: errModel, class: class})
		return true
	}},
	{"late end", 20, func(m *model) bool { // of what was withdrawn
		r := m.pick(func(r *modelRun) bool { return r.withdrawn })
		if r == nil {
			return false
		}
		m.end(r, outcome{err: errModel, unsent: true, class: retry.NeverSent})
		return true
	}},
	{"no names", 3, func(m *model) bool {
		if len(m.s.endpoints) > 0 {
			return false
		}
		m.s.failQueue(errModel, m.now)
		return true
	}},
	{"idle close", 4, func(m *model) bool {
		if len(m.s.links) == 0 {
			return false
		}
		l := m.s.links[m.rng.IntN(len(m.s.links))]
		if !m.alive(l) {
			return false
		}
		m.breakLink(l)
		return true
	}},
	{"cancel", 8, func(m *model) bool {
		if len(m.tags) == 0 {
			return false
		}
		t := m.tags[m.rng.IntN(len(m.tags))]
		why := errModel
		if m.rng.IntN(2) == 0 {
			why = failure.New(failure.Timeout, "in the model")
		}
		m.s.cancel(t.t, why, m.now)
		if !t.finished {
			fail("a cancelled tag goes on")
		}
		return true
	}},
	{"names", 2, func(m *model) bool {
		var addrs []Address
		for _, a := range []string{"a", "b", "c", "d"} {
			if m.rng.IntN(4) > 0 {
				addrs = append(addrs, Address{Addr: a, Priority: m.rng.IntN(2)})
			}
		}
		if m.rng.IntN(10) == 0 {
			addrs = nil
		}
		m.s.update(addrs, m.now)
		return true
	}},
	{"rest", 2, func(m *model) bool {
		if len(m.s.endpoints) == 0 {
			return false
		}
		m.rest(m.s.endpoints[m.rng.IntN(len(m.s.endpoints))])
		return true
	}},
	{"all are awake", 1, func(m *model) bool {
		m.s.awaken(m.now)
		return true
	}},
	{"health", 8, func(m *model) bool {
		m.health()
		return true
	}},
	{"tick", 10, func(m *model) bool {
		m.now = m.now.Add(time.Duration(m.rng.IntN(400)) * time.Millisecond)
		m.s.tick(m.now)
		return true
	}},
	{"pin", 3, func(m *model) bool {
		p := m.s.newPin()
		if p == nil {
			return false
		}
		m.pins = append(m.pins, p)
		return true
	}},
	{"release", 3, func(m *model) bool {
		if len(m.pins) == 0 {
			return false
		}
		i := m.rng.IntN(len(m.pins))
		p := m.pins[i]
		m.pins = slices.Delete(m.pins, i, i+1)
		delete(m.bound, p)
		m.s.release(p, errModel, m.now)
		return true
	}},
	{"reserve", 3, func(m *model) bool {
		if len(m.pins) == 0 {
			return false
		}
		p := m.pins[m.rng.IntN(len(m.pins))]
		room, before := p.available(), p.inFlight()
		if err := m.s.reserve(p); (err == nil) != (room > 0) {
			fail("%d places, and to reserve one: %v", room, err)
		} else if err == nil && (p.available() != room-1 || p.inFlight() != before+1) {
			fail("%d places and %d used, of %d and %d", p.available(), p.inFlight(), room, before)
		}
		return true
	}},
	{"give a place back", 2, func(m *model) bool {
		if len(m.pins) == 0 {
			return false
		}
		m.s.unreserve(m.pins[m.rng.IntN(len(m.pins))], m.now)
		return true
	}},
	{"close idle", 1, func(m *model) bool {
		m.s.closeIdle(m.now)
		return true
	}},
}
