package retry

import "time"

// Hedge sends a safe request a second time when its answer is late, and takes the first
// good answer; the other try is given up. It counts as a try, and within the budget.
type Hedge struct {
	// After is how long the answer may take. Default: 0, see P95.
	After time.Duration
	// P95 takes the time within which 95 of 100 recent answers came, once there were
	// enough of them, in the place of After; until then After counts, if it is set.
	P95 bool
}

// On reports whether requests are hedged at all.
func (h Hedge) On() bool { return h.After > 0 || h.P95 }

// HedgeAfter returns when to send a second try beside the first; !ok: never. Latency may
// be nil.
func (r *Run) HedgeAfter(q Request, l *Latency, now time.Time) (d time.Duration, ok bool) {
	p := r.policy
	if p == nil || !p.Hedge.On() || r.hedged || !Safe(q.Method) || !q.Replayable || int(r.tries-r.free) >= p.Tries {
		return 0, false
	}
	d = p.Hedge.After
	if p.Hedge.P95 && l != nil {
		if q, ok := l.P95(now); ok {
			d = q
		}
	}
	return d, d > 0
}

// Hedge tells whether the second try may be sent now, and counts it: Start must follow.
func (r *Run) Hedge(now time.Time) bool {
	p := r.policy
	if p == nil || r.hedged || int(r.tries-r.free) >= p.Tries || p.Deadline > 0 && now.Sub(r.began) >= p.Deadline {
		return false
	}
	if !r.budget.Withdraw(now) {
		return false
	}
	r.hedged = true
	return true
}
