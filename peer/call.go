package peer

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/ratmom/ratmom/body"
	"github.com/ratmom/ratmom/handler"
	"github.com/ratmom/ratmom/internal/failure"
	"github.com/ratmom/ratmom/peer/health"
)

// call is a request from its beginning to the end of its response.
type call struct {
	mu sync.Mutex // outlives the use: whoever tells that a call is over gives the lock back after that
	use
}

// use is a call but for its lock: what goes when its memory is used again.
type use struct {
	peer   *Peer
	plan   *handler.Plan
	tag    tag
	opt    *requestOptions
	origin *http.Request // the caller's
	stream bool          // the caller reads the body
	// What a snapshot shows beside the method; the request itself may be another's by then.
	path, query string

	eager  bool          // nobody asks for the result
	ticket health.Ticket // under the peer's lock
	runs   int           // that were started; likewise
	unctx  func() bool
	timer  *time.Timer

	deadline *time.Timer // of all tries

	launching sync.Mutex // held while a sending is prepared; guards the next ones
	launched  bool
	req       *http.Request    // of the next sending
	last      *handler.Handler // of the last one
	former    *handler.Handler // of the one before: a hedged request has two
	shown     bool             // one before that has left

	done chan struct{} // see tellDone

	// Guarded by mu:
	h       *handler.Handler // has a head
	early   bool             // some body had come before it was known to be that of the answer
	over    bool             // done is closed
	ended   bool             // the transfer is over
	allCame bool             // so that reading the response does not wait for the network
	endErr  error
	busy    bool      // a worker collects, or will
	worked  bool      // it has been for one
	late    bool      // whoever asks collects
	calling bool      // OnProgress's function runs
	why     error     // of a cancel
	upload  *uploaded // nil: nobody asks
	held    *Pin      // of the owner: kept from the collector
	collector
}

// newCall makes a call that has not been submitted and has no done yet. profile is that of requests which name none. On an
// error the body is closed.
func (m *Map) newCall(req *http.Request, profile string, opts []RequestOption) (*call, error) {
	c := calls.Get().(*call)
	c.origin, c.req, c.opt = req, req, optionsOf(opts)
	if c.opt.profile != "" {
		profile = c.opt.profile
	}
	p, err := m.peerFor(req, profile)
	if err == nil {
		err = c.isLate()
	}
	if err != nil {
		closeBody(req)
		return nil, err
	}
	c.peer, c.plan = p, p.plan
	if c.opt.upload != nil {
		c.upload = new(uploaded)
	}
	c.tag.call = c
	c.path, c.query = req.URL.Path, req.URL.RawQuery
	c.tag.priority, c.tag.key = c.opt.priority, c.opt.key
	c.tag.fresh = handler.Upgrades(req)
	if err := c.setRetry(); err != nil {
		closeBody(req)
		return nil, err
	}
	return c, nil
}

// isLate is why there is no time to begin: nothing is sent then, not even what nobody would wait for.
func (c *call) isLate() error {
	switch ctx := c.req.Context(); {
	case c.opt.timeout < 0:
		return c.overtime()
	case ctx.Err() != nil:
		return contextError(ctx).At(methodOf(c.req), c.req.URL)
	}
	return nil
}

func (c *call) overtime() error {
	return failure.New(failure.Timeout, "the total time is over").At(methodOf(c.origin), c.origin.URL)
}

func closeBody(req *http.Request) {
	if req != nil && req.Body != nil {
		_ = req.Body.Close()
	}
}

func rewindable(req *http.Request) bool {
	return req.Body == nil || req.Body == http.NoBody || body.GetBody(req) != nil
}

// begin submits the call.
func (c *call) begin() {
	ctx := c.req.Context()
	if ctx.Done() != nil {
		// The end of the context is the end of the call, not of one sending.
		c.req = c.req.WithContext(context.WithoutCancel(ctx))
	}
	limit := c.opt.timeout
	if limit == 0 {
		limit = c.plan.Total
	}
	if limit > 0 {
		c.tag.end = time.Now().Add(limit)
	}
	if d, ok := ctx.Deadline(); ok && (c.tag.end.IsZero() || d.Before(c.tag.end)) {
		c.tag.end = time.Now().Add(time.Until(d)) // it may be one of the wall's
	}
	tries := c.triesLimit()
	c.peer.submit(c)
	if limit <= 0 && tries == 0 && ctx.Done() == nil {
		return
	}
	// Only what the scheduler knows can be cancelled.
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended {
		return
	}
	if limit > 0 {
		c.timer = time.AfterFunc(limit, func() {
			c.cancel(c.overtime())
		})
	}
	if tries > 0 {
		c.deadline = time.AfterFunc(tries, c.overdue)
	}
	if ctx.Done() != nil {
		c.unctx = context.AfterFunc(ctx, func() { c.cancel(contextError(ctx).At(methodOf(c.origin), c.origin.URL)) })
	}
}

func methodOf(req *http.Request) string {
	if req.Method == "" {
		return http.MethodGet
	}
	return req.Method
}

func contextError(ctx context.Context) *failure.Error {
	if ctx.Err() == context.DeadlineExceeded {
		return failure.Wrap(failure.Timeout, context.Cause(ctx))
	}
	return failure.Wrap(failure.Canceled, context.Cause(ctx))
}

// begun notes that the head is there. The peer's lock is held.
func (c *call) begun(h *handler.Handler) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.over {
		return
	}
	c.h = h
	switch {
	case c.stream:
		c.over = true
		c.tellDone(c.peer.m)
	case c.early:
		c.work()
	}
}

// arrived notes that there is some of the body, of which the head may not have been told yet. On
// the agent's goroutine.
func (c *call) arrived(h *handler.Handler) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.over:
	case c.h == h:
		c.work()
	default:
		c.early = true
	}
}

// whole notes that the transfer is over: what is not there of the body yet is there at once.
func (c *call) whole(h *handler.Handler) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.h == h {
		c.allCame = true
	}
}

// work has a worker collect. mu is held.
func (c *call) work() {
	if c.busy {
		return
	}
	c.busy, c.worked = true, true
	c.peer.m.work.Submit(func() {
		c.collecting.Lock()
		defer c.collecting.Unlock()
		c.mu.Lock()
		c.busy = false
		c.mu.Unlock()
		c.collect()
	})
}

// finish notes that the scheduler is through with the tag. It may be on the agent's
// goroutine.
func (c *call) finish(o outcome) {
	o.err = c.explain(o.err)
	c.mu.Lock()
	timer, deadline, unctx := c.timer, c.deadline, c.unctx
	c.ended, c.endErr = true, o.err
	switch {
	case c.over:
	case c.h == nil || o.hopeless:
		c.settle(o.err)
	case c.started || c.eager || c.opt.progress != nil:
		c.work()
	default:
		// All is there: whoever asks takes it.
		c.late, c.over = true, true
		c.tellDone(c.peer.m)
	}
	c.mu.Unlock()
	if timer != nil {
		timer.Stop()
	}
	if deadline != nil {
		deadline.Stop()
	}
	if unctx != nil {
		unctx()
	}
	if o.err != nil {
		c.peer.m.work.Submit(c.release)
	}
}

// settle ends the call with an error, or with what was collected. mu is held.
func (c *call) settle(err error) {
	if err != nil {
		c.err = at(err, c.origin)
		c.result = nil
	}
	c.over, c.late = true, false
	c.tellDone(c.peer.m)
}

// at names the request in an error that does not.
func at(err error, req *http.Request) error {
	if e, ok := err.(*failure.Error); ok && e.Op == "" {
		e := *e
		return e.At(methodOf(req), req.URL)
	}
	return err
}

// release closes the body of a request that is not sent again.
func (c *call) release() {
	c.launching.Lock()
	defer c.launching.Unlock()
	if !c.launched || c.last != nil && c.last.KeptBody() {
		c.launched = true
		closeBody(c.req)
	}
}

// cancel ends the call. When it returns, the memory that the caller gave is the caller's
// again.
func (c *call) cancel(why error) {
	c.mu.Lock()
	if c.why == nil {
		c.why = why
	}
	c.mu.Unlock()
	c.peer.cancel(c, why)
	c.mu.Lock()
	calling, h := c.calling, c.h
	taken := !c.over // all of the response has come, and a worker takes it or is about to
	if taken {
		c.settle(why)
	}
	c.mu.Unlock()
	if !calling { // else it may be who asks; nothing is touched meanwhile, nor after it
		c.collecting.Lock()
		c.mu.Lock()
		if c.late { // nobody has looked at the response
			c.late = false
			c.err = at(why, c.origin)
			c.h.Drop(why)
		}
		c.mu.Unlock()
		c.collecting.Unlock()
	}
	if taken && h != nil {
		h.Drop(why)
	}
	c.handBack()
}

// abandon is cancel for what nobody holds any more.
func (c *call) abandon() {
	c.mu.Lock()
	gone := c.over && !c.late
	c.mu.Unlock()
	if !gone {
		go c.cancel(errCanceled)
	}
}

// handBack waits until nobody reads the body of the request.
func (c *call) handBack() {
	c.launching.Lock()
	last := c.last
	c.launching.Unlock()
	if last != nil {
		last.ReturnBody()
	}
}

// revealed reports whether anything of the request may have left.
func (c *call) revealed() bool {
	c.launching.Lock()
	defer c.launching.Unlock()
	return c.shown || c.last != nil && c.last.Committed() || c.former != nil && c.former.Committed()
}

// tellDone tells that there is a result, or a head for who streams: it closes done, or puts a word into one that has room, which is
// of [solo]. mu is held; a function of the user's is left to a worker.
func (c *call) tellDone(m *Map) {
	if cap(c.done) > 0 {
		c.done <- struct{}{}
	} else {
		close(c.done)
	}
	if c.opt.onEnd != nil {
		m.work.Submit(c.opt.onEnd)
	}
}

// solo has the channels of those who wait for a call of which nobody else knows.
var solo = sync.Pool{New: func() any { return make(chan struct{}, 1) }}
