package peer

import (
	"slices"
	"time"

	"github.com/ratmom/ratmom/peer/health"
	"github.com/ratmom/ratmom/retry"
)

// A tag that is hedged has two runs, on two links. The first good head is its answer, and the
// other run is taken back; one that fails leaves it to the other.

// willHedge notes when a tag that has begun to run is to be hedged.
func (s *scheduler) willHedge(t *tag, now time.Time) {
	p := t.tries.run.Policy()
	if p == nil || !p.Hedge.On() || t.pin != nil || t.hedged || t.unhedged {
		return
	}
	if p.Hedge.P95 && s.pace == nil {
		s.pace = new(retry.Latency)
	}
	if d, ok := t.tries.run.HedgeAfter(t.ask, s.pace, now); ok {
		s.dues.add(t, now.Add(d))
	}
}

// hedge starts a second run, on another endpoint if there is one that has room, else on
// another link of the same.
func (s *scheduler) hedge(t *tag, now time.Time) {
	if t.state == tagHead || t.second != nil || s.breaker.Open(health.Requests) || s.breaker.Open(health.Retries) {
		return
	}
	first := t.run.link.ep
	avoid, fresh := t.avoid, t.fresh
	t.avoid = append(slices.Clip(avoid), first)
	e := s.pick(t, now)
	if e == first {
		t.fresh = true // else it might be the same link
		if !s.room(e, t) {
			e = nil
		}
	}
	if e != nil && t.tries.run.Hedge(now) {
		_ = s.breaker.Take(health.Retries)
		t.hedged = true
		r := s.run(t, s.linkFor(e, t, now), now)
		r.hedge = true
		if limit := t.tries.run.Start(now); limit > 0 {
			r.until = now.Add(limit)
		}
		t.second = r
		s.do.start(r)
	}
	t.avoid, t.fresh = avoid, fresh
}

// rival is the run beside r for its tag, nil if there is none.
func (r *run) rival() *run {
	switch t := r.tag; {
	case t == nil || t.second == nil:
		return nil
	case t.second == r:
		return t.run
	default:
		return t.second
	}
}

// dropFailed leaves a tag whose run has failed to the other run, if there is one.
func (s *scheduler) dropFailed(r *run, a retry.Attempt, now time.Time) bool {
	other := r.rival()
	if other == nil {
		return false
	}
	t := r.tag
	r.tag = nil
	a.Hedged = true
	t.note(a, now)
	t.passed = len(t.failed)
	t.run, t.second = other, nil
	t.state = tagAssigned
	return true
}

// win makes r the one run of its tag; the other is given up.
func (s *scheduler) win(r *run, now time.Time) {
	other := r.rival()
	if other == nil {
		return
	}
	t := r.tag
	t.run, t.second = r, nil
	t.note(retry.Attempt{Hedged: true}, now)
	s.dismiss(other, now)
}

// dismiss gives a run up, and reports whether nothing of it leaves.
func (s *scheduler) dismiss(r *run, now time.Time) bool {
	r.way.GiveUp(now)
	if !s.do.withdraw(r) {
		r.tag.revealed = true
		r.tag = nil
		s.do.abort(r)
		return false
	}
	s.leave(r, now)
	r.tag = nil
	if !r.link.connected {
		s.drain(r.link)
	}
	return true
}
