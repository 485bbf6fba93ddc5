package ratmom

import (
	"net/http"
	"sync"
	"time"

	"github.com/ratmom/ratmom/handler"
	"github.com/ratmom/ratmom/internal/failure"
	"github.com/ratmom/ratmom/retry"
)

// race is a request that is hedged when its answer is late: a second transfer begins
// beside the first. The first good answer ends it, or the last failure. It stands between
// the transfers and the exchange, which sees one of them complete.
type race struct {
	x     *exchange
	req   *http.Request
	pace  *retry.Latency // nil: nobody asks for it
	after time.Duration  // 0: never

	mu      sync.Mutex
	timer   *time.Timer
	over    bool
	coming  bool // the second is being made
	running int
	runners [2]runner
}

type runner struct {
	h     *handler.Handler
	began time.Time
	ended bool
}

var errHedgeLost = failure.New(failure.Canceled, "another try was faster")

// race returns one for a request that the policy hedges, else nil.
func (x *exchange) race(req *http.Request) *race {
	p := x.tries.policy()
	if p == nil || !p.Hedge.On() || x.alternative != nil || x.plan.Negotiates || handler.Upgrades(req) ||
		req.Body != nil && req.Body != http.NoBody {
		return nil
	}
	r := &race{x: x, req: req}
	if p.Hedge.P95 {
		r.pace = x.client.paces.of(req.URL)
	}
	d, ok := x.tries.run.HedgeAfter(asked(req), r.pace, x.tries.began)
	if !ok && r.pace == nil {
		return nil
	}
	r.after = d
	return r
}

// begin notes the first transfer, before it is handed to an agent.
func (r *race) begin(h *handler.Handler) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.runners[0] = runner{h: h, began: r.x.tries.began}
	r.running = 1
}

// arm sets the time of the second, once the first can be given up.
func (r *race) arm() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.after > 0 && !r.over {
		r.timer = time.AfterFunc(r.after, r.hedge)
	}
}

// hedge starts the second transfer, on the timer's goroutine.
func (r *race) hedge() {
	x := r.x
	now := time.Now()
	r.mu.Lock()
	if r.over || r.running == 0 || x.client.closed.Load() || !x.tries.run.Hedge(now) {
		r.mu.Unlock()
		return
	}
	r.coming = true
	first := r.runners[0].h
	// All that is needed is taken now: when the first has its answer, the exchange goes on,
	// and the request is the caller's again.
	req := r.req.Clone(r.req.Context())
	a := x.client.pick(req.URL)
	spec := handler.Spec{
		Request: req, Plan: x.plan, Driver: a.Driver(), Deadline: x.deadline, TryTime: x.tries.run.Start(now),
		Fresh: true, Done: r, Owner: x.client, Conversation: x.talk,
	}
	r.mu.Unlock()

	x.remark(first, "no answer yet: a second try begins")
	h, err := handler.New(a.Pool(), &spec)
	r.mu.Lock()
	r.coming = false
	if err != nil {
		if r.over || r.running > 0 {
			r.mu.Unlock()
			return
		}
		r.end(0)
		return
	}
	r.runners[1] = runner{h: h, began: now}
	r.running++
	over := r.over
	r.mu.Unlock()
	if over {
		h.Cancel(errHedgeLost)
	} else if x.fut != nil {
		x.fut.hedged(first, h)
	}
	a.Execute(h)
}

// Completed is told by both transfers, mostly on the agent's goroutine.
func (r *race) Completed(h *handler.Handler) {
	r.mu.Lock()
	if r.over { // the exchange goes on meanwhile: nothing of it may be looked at
		r.mu.Unlock()
		r.drop(h)
		return
	}
	i := 0
	if h == r.runners[1].h {
		i = 1
	}
	r.runners[i].ended = true
	r.running--
	bad := h.Err() != nil || r.x.tries.fails(h.Status())
	if bad && (r.running > 0 || r.coming) {
		r.mu.Unlock()
		return
	}
	if o := r.runners[1-i]; bad && o.ended && classOf(o.h).TellsMore(classOf(h)) {
		i = 1 - i
	}
	r.end(i)
}

// classOf is how a transfer has ended that was no good.
func classOf(h *handler.Handler) retry.Class {
	if h.Err() == nil {
		return retry.Status
	}
	return h.Class()
}

// end gives the exchange the transfer that counts, and unlocks: between the decision and
// its being known no other transfer may come to one of its own.
func (r *race) end(i int) {
	r.over = true
	if r.timer != nil {
		r.timer.Stop()
	}
	winner, loser := r.runners[i], r.runners[1-i]
	r.mu.Unlock()
	now := time.Now()
	if r.pace != nil && winner.h.Err() == nil {
		r.pace.Observe(now.Sub(winner.began), now)
	}
	x := r.x
	if loser.h != nil {
		a := retry.Attempt{Class: retry.Other, Took: now.Sub(loser.began), Hedged: true}
		if loser.ended {
			a.Err, a.Class = loser.h.Err(), loser.h.Class()
			if a.Err == nil {
				a.Class, a.Status = retry.Status, loser.h.Status()
			}
		} else if r.pace != nil {
			r.pace.Observe(a.Took, now) // at least, so that hedges do not make the origin seem fast
		}
		x.tries.add(a)
		if x.steps != nil {
			x.steps.hedges++
		}
		if loser.ended {
			r.drop(loser.h)
		} else {
			x.client.work.Submit(func() { loser.h.Cancel(errHedgeLost) })
		}
	}
	x.h = winner.h
	x.Completed(winner.h)
}

// drop closes the response of a transfer that nobody waits for, not on the agent's
// goroutine.
func (r *race) drop(h *handler.Handler) {
	if h.Err() != nil {
		return
	}
	r.x.client.work.Submit(func() {
		var reply handler.Reply
		if h.Fill(&reply) == nil {
			_ = reply.HTTP.Body.Close()
		}
	})
}
