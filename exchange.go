package ratmom

import (
	"net/http"
	"runtime"
	"sync"
	"time"

	"github.com/ratmom/ratmom/agent"
	"github.com/ratmom/ratmom/config"
	"github.com/ratmom/ratmom/handler"
	"github.com/ratmom/ratmom/internal/altsvc"
	"github.com/ratmom/ratmom/internal/failure"
)

// exchange is one call of Send or SendAsync: a state machine that goes down the
// chain, runs a transfer, and comes up the chain again, once per hop. It has no
// goroutine of its own: the caller of Send drives it, or the completions of the
// agent, on a few workers.
type exchange struct {
	client   *Client
	cfg      *config.RequestConfig
	plan     *handler.Plan
	deadline time.Time
	chain    []link
	sent     []*http.Request // what each link passed down
	blocks   bool            // the chain has an InterceptFunc
	user     bool            // the chain runs code of the caller's
	foreign  bool            // a redirect has led to another origin
	direct   bool            // an alternative has failed

	h     *handler.Handler
	req   *http.Request         // of the running transfer
	tries *tries                // of the running request
	steps *steps                // what it took; nil if nobody asks
	talk  *handler.Conversation // of all its transfers; nil if nobody listens

	alternative *altsvc.Service // where the running transfer goes; nil: to its origin

	redirects redirects
	links     [2]link // most chains are no longer
	reqs      [3]*http.Request

	ready chan struct{} // a transfer has completed, for who drives by blocking
	fut   *future       // of SendAsync
}

var (
	readyPool = sync.Pool{New: func() any { return make(chan struct{}, 1) }}
	exchanges = sync.Pool{New: func() any { return new(exchange) }} // all zero
)

func (c *Client) newExchange(req *http.Request, plan *handler.Plan, opts []config.RequestOption) (*exchange, error) {
	if req == nil || req.URL == nil {
		if req != nil && req.Body != nil {
			_ = req.Body.Close()
		}
		return nil, failure.New(failure.InvalidRequest, "the request has no URL")
	}
	if len(opts) > 0 {
		cfg, err := c.cfg.Request(opts...)
		if err != nil {
			if req.Body != nil {
				_ = req.Body.Close()
			}
			return nil, wrapOption(err)
		}
		plan = handler.NewPlan(cfg, plan.RoundTripper)
	}
	x := exchanges.Get().(*exchange)
	x.client, x.cfg, x.plan = c, plan.Config, plan
	if plan.Wire {
		x.talk = handler.NewConversation(&c.logs)
	}
	if plan.Infos {
		x.steps = &steps{began: time.Now()}
	}
	left := plan.RoundTripper && hasLeftOrigin(req)
	if c.hsts != nil {
		req = c.secured(req)
	}
	x.chain, x.sent = x.links[:0], append(x.reqs[:0], req)
	x.blocks = plan.Negotiates
	if plan.RoundTripper {
		if left {
			x.dropCredentials()
		}
		return x, nil
	}
	if plan.Total > 0 {
		x.deadline = time.Now().Add(plan.Total)
	}
	x.addRedirects()
	for _, i := range c.chain {
		x.add(i.link(x))
	}
	x.addUpgrade()
	x.addCookies()
	return x, nil
}

func (x *exchange) add(l link) {
	x.chain = append(x.chain, l)
	x.sent = append(x.sent, nil)
	x.blocks = x.blocks || l.block != nil
	x.user = x.user || l.user
}

// blocking drives the exchange on the caller's goroutine.
func (x *exchange) blocking() (*Response, error) {
	x.ready = readyPool.Get().(chan struct{})
	resp, err := x.run(0, x.sent[0])
	readyPool.Put(x.ready)
	if err == nil {
		x.recycle()
	}
	return resp, err
}

// recycle gives the exchange back if nobody else can have it: no code of the caller's, no
// timer, no second transfer. Each transfer has let go of it as it completed.
func (x *exchange) recycle() {
	if !x.user && !x.blocks && x.tries == nil && x.steps == nil && x.talk == nil && x.alternative == nil && x.fut == nil {
		*x = exchange{}
		exchanges.Put(x)
	}
}

// run sends req through the chain from link i on.
func (x *exchange) run(i int, req *http.Request) (*Response, error) {
	if i == len(x.chain) {
		return x.transfer(req)
	}
	l := &x.chain[i]
	if l.block != nil {
		return l.block(req, func(r *http.Request) (*Response, error) { return x.run(i+1, r) })
	}
	for {
		var resp *Response
		var err error
		if l.down != nil {
			if req, err = l.down(req); err != nil {
				return nil, err
			}
		}
		resp, err = x.run(i+1, req)
		if l.up == nil {
			return resp, err
		}
		var again *http.Request
		if resp, again, err = l.up.answer(req, resp, err); again == nil || err != nil {
			return resp, err
		}
		req = again
	}
}

// transfer runs one transfer, and repeats it if it has failed in a way that allows it.
func (x *exchange) transfer(req *http.Request) (*Response, error) {
	x.begin()
	if err := x.start(req); err != nil {
		return nil, err
	}
	for {
		<-x.ready
		if resp, done, err := x.next(); done {
			return resp, err
		}
	}
}

// next goes on after a transfer or a wait: with another one, or by telling that the
// exchange has what it has to give.
func (x *exchange) next() (resp *Response, done bool, err error) {
	var req *http.Request
	if p := x.tries.ended(); p != nil {
		if p.err != nil {
			return nil, true, x.tries.explain(x.giveUp(p))
		}
		req = p.req
	} else {
		again, wait := x.retry()
		if again == nil {
			resp, err = x.take()
			return resp, true, err
		}
		if wait > 0 {
			x.wait(again, wait)
			return nil, false, nil
		}
		req = again
	}
	if err = x.start(req); err != nil {
		return nil, true, x.tries.explain(err)
	}
	return nil, false, nil
}

// start hands a transfer to an agent.
func (x *exchange) start(req *http.Request) error {
	if x.client.closed.Load() {
		if req.Body != nil {
			_ = req.Body.Close()
		}
		return failure.New(failure.Closed, "").At(method(req), req.URL)
	}
	tokens, err := x.negotiate(req)
	if err != nil {
		if req.Body != nil {
			_ = req.Body.Close()
		}
		return at(err, req)
	}
	a := x.client.pick(req.URL)
	h, race := x.handler(a, req, &tokens)
	if err := h.Prepare(); err != nil {
		return err
	}
	x.h, x.req = h, req
	if x.steps != nil {
		x.steps.start(x.tries.more())
	}
	if race != nil {
		race.begin(h)
	}
	if x.fut != nil {
		x.fut.running(h)
	}
	if race != nil {
		race.arm()
	}
	a.Execute(h)
	return nil
}

// handler makes what runs a transfer. It is apart from start because its frame is large,
// and a goroutine that waits keeps the stack that it needed to start.
//
//go:noinline
func (x *exchange) handler(a *agent.Handle, req *http.Request, tokens *tokens) (*handler.Handler, *race) {
	x.alternative = x.otherWay(req)
	spec := handler.Spec{
		Request:  req,
		Plan:     x.plan,
		Driver:   a.Driver(),
		Deadline: x.deadline,
		Fresh:    x.fresh(req),
		TryTime:  x.tries.start(),

		Authorization:      tokens.server,
		ProxyAuthorization: tokens.proxy,

		Alternative:  x.alternative,
		Done:         x,
		Owner:        x.client,
		Conversation: x.talk,
	}
	race := x.race(req)
	if race != nil {
		spec.Done = race
	}
	return handler.Make(a.Pool(), &spec), race
}

// at notes where err happened.
func at(err error, req *http.Request) error {
	if e, ok := err.(*failure.Error); ok {
		return e.At(method(req), req.URL)
	}
	return err
}

func method(req *http.Request) string {
	if req.Method == "" {
		return http.MethodGet
	}
	return req.Method
}

// Completed is called once per transfer, mostly on the agent's goroutine: it
// only passes the word.
func (x *exchange) Completed(h *handler.Handler) {
	if x.ready == nil && x.idle(h) {
		x.fut.settle()
		return
	}
	x.wake()
}

// wake has the exchange go on, without blocking.
func (x *exchange) wake() {
	switch {
	case x.ready != nil:
		x.ready <- struct{}{}
	case x.user:
		go x.resume()
	default:
		x.client.work.Submit(x.resume)
	}
}

// idle reports whether no link has anything to do with what came, so that whoever
// takes the future's result can make the response.
func (x *exchange) idle(h *handler.Handler) bool {
	if h.Err() != nil || x.alternative != nil && h.Status() == http.StatusMisdirectedRequest || x.tries.fails(h.Status()) {
		return false
	}
	for i := range x.chain {
		if l := &x.chain[i]; l.wants != nil && l.wants(h) {
			return false
		}
	}
	return true
}

// take makes the response of the completed transfer.
func (x *exchange) take() (*Response, error) {
	var resp *Response
	var err error
	if t := x.tries; t != nil {
		resp, err = t.held, t.bad
	}
	if resp == nil && err == nil {
		resp, err = newResponse(x.h, x.req)
	}
	if err != nil {
		return resp, x.tries.explain(err)
	}
	x.learn(resp)
	if x.tries != nil {
		resp.attempts = x.tries.failed
	}
	if x.steps != nil {
		resp.steps = new(*x.steps)
	}
	return resp, err
}

// async starts the exchange and returns its future.
func (x *exchange) async() *Future {
	x.fut = newFuture(x)
	f := &Future{x.fut}
	if x.blocks {
		go func() { x.fut.finish(x.blocking()) }()
	} else {
		x.down(0, x.sent[0])
	}
	// A future that nobody holds any more gives its response up.
	runtime.AddCleanup(f, func(s *future) { s.abandon() }, f.s)
	return f
}

// down passes req through the links from i on and starts a transfer. It does not
// block.
func (x *exchange) down(i int, req *http.Request) {
	for ; i < len(x.chain); i++ {
		if d := x.chain[i].down; d != nil {
			var err error
			if req, err = d(req); err != nil {
				x.up(i-1, nil, err)
				return
			}
		}
		x.sent[i+1] = req
	}
	x.begin()
	if err := x.start(req); err != nil {
		x.up(len(x.chain)-1, nil, err)
	}
}

// resume goes on after a transfer or a wait, on a worker.
func (x *exchange) resume() {
	if resp, done, err := x.next(); done {
		x.up(len(x.chain)-1, resp, err)
	}
}

// up passes what came back through the links from i up to the caller.
func (x *exchange) up(i int, resp *Response, err error) {
	for ; i >= 0; i-- {
		u := x.chain[i].up
		if u == nil {
			continue
		}
		var again *http.Request
		if resp, again, err = u.answer(x.sent[i+1], resp, err); again != nil && err == nil {
			x.down(i, again)
			return
		}
	}
	x.fut.finish(resp, err)
}
