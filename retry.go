package ratmom

import (
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/ratmom/ratmom/body"
	"github.com/ratmom/ratmom/cgo"
	"github.com/ratmom/ratmom/handler"
	"github.com/ratmom/ratmom/internal/failure"
	"github.com/ratmom/ratmom/retry"
)

// tries are those of one request: each hop of an exchange begins anew, but for failed,
// which is of them all. nil is the first one of a request without a policy, which is
// mostly the only one.
type tries struct {
	run    retry.Run
	began  time.Time // the last one
	again  bool      // the request was sent before
	fresh  bool      // the next one wants a connection of its own
	class  retry.Class
	held   *Response // made for its header, and perhaps not the last
	bad    error     // why it could not be made
	pause  *pause
	failed []retry.Attempt
	before int // of failed, those of the hops before
}

// begin forgets the tries of the hop before.
func (x *exchange) begin() {
	x.direct = false
	p, before := x.plan.Retry, x.tries
	x.tries = nil
	if p == nil && before == nil {
		return
	}
	x.tries = new(tries)
	if before != nil {
		x.tries.failed, x.tries.before = before.failed, len(before.failed)
	}
	if p != nil {
		x.tries.run = retry.Begin(p, x.client.budget, time.Now())
	}
}

// tried are the tries, of which one has failed.
func (x *exchange) tried() *tries {
	if x.tries == nil {
		x.tries = new(tries)
		x.tries.start() // that one
	}
	return x.tries
}

// start notes that a try begins, and returns how long its head may take.
func (t *tries) start() time.Duration {
	if t == nil {
		return 0
	}
	if t.run.Policy() != nil {
		t.began = time.Now()
	}
	return t.run.Start(t.began)
}

// policy is that of the request, nil if it has none.
func (t *tries) policy() *retry.Policy {
	if t == nil {
		return nil
	}
	return t.run.Policy()
}

// fails reports whether a response with this status may be repeated.
func (t *tries) fails(status int) bool {
	p := t.policy()
	return p != nil && p.Fails(status)
}

// more reports whether there was another one before.
func (t *tries) more() bool { return t != nil && t.again }

// fresh reports whether the transfer needs a connection of its own: others may be
// as dead as the last one was. What was refused may share one, if the request may be
// repeated: another refusal would not be told from a dead connection there (see
// docs/limits.md). Before libcurl 8.0.0 it may not: it would meet the connections that
// vetoed retries leave behind.
func (x *exchange) fresh(req *http.Request) bool {
	t := x.tries
	if m := x.plan.Reuse; t != nil && t.fresh || m != retry.ReuseAlways && !m.Allows(asked(req), 1) {
		return true
	}
	return t.more() && t.class != retry.Status && (cgo.Features().Version < 0x080000 || !asked(req).Repeatable())
}

// asked is the request as the rule sees it.
func asked(req *http.Request) retry.Request {
	return retry.Request{
		Method: req.Method, Key: retry.HasKey(req.Header),
		Replayable: req.Body == nil || req.Body == http.NoBody || body.GetBody(req) != nil,
	}
}

// retry returns the request to send once more, and after how long, if the transfer has
// failed in a way that allows it.
func (x *exchange) retry() (again *http.Request, wait time.Duration) {
	again, wait = x.again()
	if again == nil && x.h.KeptBody() {
		go x.req.Body.Close()
	}
	return again, wait
}

// again is retry, which closes a body that is not sent again.
func (x *exchange) again() (*http.Request, time.Duration) {
	if r := x.pastAlternative(); r != nil {
		t := x.tried()
		t.again = true
		t.add(retry.Attempt{Class: retry.Connect, Status: x.h.Status(), Err: x.h.Err()})
		return r, 0
	}
	err := x.h.Err()
	if err == nil && !x.tries.fails(x.h.Status()) {
		return nil, 0
	}
	t := x.tried()
	now := time.Now()
	try := retry.Try{Class: x.h.Class(), Now: now, Left: x.left(now)}
	if err == nil {
		if t.held, t.bad = newResponse(x.h, x.req); t.bad != nil {
			return nil, 0
		}
		try.Class, try.Status, try.Header = retry.Status, t.held.StatusCode, t.held.Header
	}
	q := asked(x.req)
	q.Replayable = q.Replayable || x.h.KeptBody()
	d := t.run.Next(q, try)
	if !d.Repeat {
		if d.Why != "" && t.policy() != nil {
			x.remark(x.h, "not tried again: %s", d.Why)
		}
		return nil, 0
	}
	r := x.req
	if !x.h.KeptBody() {
		if r, err = rewound(x.req); err != nil {
			return nil, 0
		}
	}
	if t.held != nil {
		_ = t.held.Body.Close() // what is left of it is drained if it is little
		t.held = nil
	}
	a := retry.Attempt{Class: try.Class, Status: try.Status, Err: x.h.Err()}
	if !t.began.IsZero() {
		a.Took = now.Sub(t.began)
	}
	x.remark(x.h, "try %d has failed: %v; the next begins in %v", t.run.Tries(), a, d.After)
	a.Waited = d.After
	t.add(a)
	t.again, t.fresh, t.class = true, d.Fresh, try.Class
	return r, d.After
}

func (t *tries) add(a retry.Attempt) { t.failed = append(slices.Clip(t.failed), a) }

// remark adds a line to the wire log of h, as long as the client is open: Close waits for
// what was said before.
func (x *exchange) remark(h *handler.Handler, format string, args ...any) {
	if x.talk == nil {
		return
	}
	x.client.saying.RLock()
	defer x.client.saying.RUnlock()
	if !x.client.closed.Load() {
		h.Remark("ratmom: " + fmt.Sprintf(format, args...))
	}
}

// explain says in err how often the request was tried.
func (t *tries) explain(err error) error {
	e, ok := err.(*failure.Error)
	if !ok || t == nil || len(t.failed) == t.before {
		return err
	}
	failed := t.failed[t.before:]
	c := *e
	c.Tries = len(failed) + 1
	for _, a := range failed {
		c.Earlier = append(c.Earlier, a.String())
	}
	return &c
}

// left is how long the exchange may take yet; 0 if it has no limit.
func (x *exchange) left(now time.Time) time.Duration {
	end := x.deadline
	if d, ok := x.req.Context().Deadline(); ok && (end.IsZero() || d.Before(end)) {
		end = d
	}
	if end.IsZero() {
		return 0
	}
	return max(end.Sub(now), 1)
}

// rewound returns req with its body at the beginning.
func rewound(req *http.Request) (*http.Request, error) {
	if req.Body == nil || req.Body == http.NoBody {
		return req, nil
	}
	again := body.GetBody(req)
	if again == nil {
		return nil, failure.New(failure.BodyNotRewindable, "the request has no GetBody")
	}
	b, err := again()
	if err != nil {
		return nil, failure.Wrap(failure.BodyNotRewindable, err)
	}
	r := *req
	r.Body = b
	return &r, nil
}
