package retry

import (
	"math/rand/v2"
	"net/http"
	"time"
)

// maxFree is how often a request is repeated at once that the server has not processed:
// there is no wait between, so that more would hardly help.
const maxFree = 2

// Run is one request under way. Its zero value has no policy: only what costs and
// risks nothing is repeated, at once. It is not safe for concurrent use.
type Run struct {
	policy *Policy
	budget *Budget
	began  time.Time
	tries  uint16 // that have begun
	free   uint16 // repeats at once
	waits  uint16 // repeats after a wait
	stale  bool
	hedged bool

	jitter func(time.Duration) time.Duration // nil: at random
}

// Begin starts a request under p, which must be full (see [Policy.Full]), and within
// b. Either may be nil: no policy, no budget.
func Begin(p *Policy, b *Budget, now time.Time) Run {
	if p != nil {
		b.Deposit(now)
	}
	return Run{policy: p, budget: b, began: now}
}

// Try is one try that has ended.
type Try struct {
	Class  Class
	Status int         // of the response, with class [Status]
	Header http.Header // likewise, for its Retry-After
	// Left is how long the request may take yet; 0 or less: it has no limit.
	Left time.Duration
	// Now is the time.
	Now time.Time
}

// Decision is what to do after a try.
type Decision struct {
	Repeat bool
	After  time.Duration // wait so long before
	// Fresh asks for a new connection: others may be as dead as the last one was.
	Fresh bool
	// Elsewhere asks for another endpoint than that of the try, if there is one.
	Elsewhere bool
	// Why says what stands against a repeat, in a few words; "" if it is the class alone.
	Why string
}

// Draw has the waits drawn by f, which is given the longest one, in place of at random: for
// simulations.
func (r *Run) Draw(f func(longest time.Duration) time.Duration) { r.jitter = f }

// Tries is how many tries have begun.
func (r *Run) Tries() int { return int(r.tries) }

// Policy is that of the run, nil if it has none.
func (r *Run) Policy() *Policy { return r.policy }

// Start notes that a try begins, and returns how long its head may take; 0: no limit.
func (r *Run) Start(now time.Time) time.Duration {
	r.tries++
	if r.policy == nil {
		return 0
	}
	limit := r.policy.TryTimeout
	if d := r.policy.Deadline; d > 0 {
		left := max(d-now.Sub(r.began), 1)
		if limit == 0 || left < limit {
			limit = left
		}
	}
	return limit
}

// Next decides what comes after a try of the request.
//
// At once and beside the policy's tries, two times at most in all, it repeats what the
// server has not processed ([NeverSent], [Refused]), and, one time, what met a [Stale]
// connection and may be repeated. The rest is for the policy: after a wait, while there
// are tries and budget left, and if the wait ends before the request has to.
func (r *Run) Next(q Request, t Try) Decision {
	if t.Class == Other {
		return Decision{}
	}
	if !q.Replayable {
		return Decision{Why: "the body cannot be sent again"}
	}
	if !t.Class.Unprocessed() && !q.Repeatable() {
		return Decision{Why: "it may have been processed"}
	}
	if d, ok := r.atOnce(t); ok {
		return d
	}
	p := r.policy
	if p == nil || !p.On.Has(t.Class) || t.Class == Status && !p.Fails(t.Status) {
		return Decision{}
	}
	if int(r.tries-r.free) >= p.Tries {
		return Decision{Why: "no tries are left"}
	}
	wait := r.draw(p.backoff(int(r.waits) + 1))
	if t.Class == Status && p.MaxRetryAfter > 0 {
		asked, ok := After(t.Header, t.Now)
		switch {
		case ok && asked > p.MaxRetryAfter:
			return Decision{Why: "the server asks for a longer wait"}
		case ok:
			wait += asked // the jitter keeps those apart that were told the same
		}
	}
	if t.Left > 0 && wait >= t.Left || p.Deadline > 0 && t.Now.Add(wait).Sub(r.began) >= p.Deadline {
		return Decision{Why: "the time is too short"}
	}
	if !r.budget.Withdraw(t.Now) {
		return Decision{Why: "the budget is spent"}
	}
	r.waits++
	return Decision{Repeat: true, After: wait, Fresh: t.Class != Status && t.Class != Connect, Elsewhere: true}
}

// atOnce repeats what needs no policy.
func (r *Run) atOnce(t Try) (Decision, bool) {
	if r.free == maxFree {
		return Decision{}, false
	}
	d := Decision{Repeat: true, Fresh: r.stale || r.free == maxFree-1}
	switch {
	case t.Class == NeverSent:
	case t.Class == Refused:
		d.Elsewhere = true
		if !r.budget.Withdraw(t.Now) {
			return Decision{Why: "the budget is spent"}, true
		}
	case t.Class == Stale && !r.stale:
		r.stale, d.Fresh = true, true
	default:
		return Decision{}, false
	}
	r.free++
	return d, true
}

// draw chooses a wait of at most d.
func (r *Run) draw(d time.Duration) time.Duration {
	if r.jitter != nil {
		return r.jitter(d)
	}
	return rand.N(d + 1)
}
