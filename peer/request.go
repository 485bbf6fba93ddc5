package peer

import (
	"context"
	"errors"
	"net/http"
	"runtime"

	"github.com/ratmom/ratmom/internal/failure"
)

// Request is a request under way, and a future of its response.
//
// One that nobody holds any more is cancelled when the garbage collector finds it.
type Request struct{ c *call }

var errCanceled = failure.New(failure.Canceled, "by the caller")

// watched has r cancelled when nobody holds it any more.
func watched(r *Request) *Request {
	runtime.AddCleanup(r, (*call).abandon, r.c)
	return r
}

// Done is closed when the request has ended.
func (r *Request) Done() <-chan struct{} { return r.c.done }

// Wait waits until the request has ended, or ctx is done, whose error it returns then; the request
// goes on. The response is there beside a [*StatusError], too.
func (r *Request) Wait(ctx context.Context) (*Result, error) {
	defer runtime.KeepAlive(r)
	select {
	case <-r.c.done:
		return r.c.outcome()
	default:
	}
	select {
	case <-r.c.done:
		return r.c.outcome()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// Result waits until the request has ended. Every call returns the same.
func (r *Request) Result() (*Result, error) {
	defer runtime.KeepAlive(r)
	<-r.c.done
	return r.c.outcome()
}

// Status waits until the request has ended and returns the status of its response, 0 if there is
// none.
func (r *Request) Status() (int, error) {
	res, err := r.Result()
	if res == nil {
		return 0, err
	}
	return res.Status, err
}

// Cancel ends the request: it fails with ratmom.ErrCanceled if it has not ended. If nothing of
// it has left, nothing will; else its answer is dropped when it comes if it is little, or its
// connection is closed, or its stream reset. When Cancel returns, the memory
// that the request was given is the caller's again; the *http.Request itself, its URL
// among it, only when Done is closed. The body must not be a reader that calls Cancel.
func (r *Request) Cancel() {
	if r.c.peer != nil { // nil: it was refused at once
		r.c.cancel(errCanceled)
	}
	runtime.KeepAlive(r)
}

// Revealed reports whether anything of the request may have left. As long as it is false no
// server has seen a byte of it; what the making of a connection gives away does not count:
// the server's name in TLS, host and port of a CONNECT.
func (r *Request) Revealed() bool {
	defer runtime.KeepAlive(r)
	return r.c.revealed()
}

// Go sends req and returns at once. No goroutine is made for it.
func (m *Map) Go(req *http.Request, opts ...RequestOption) *Request {
	return m.start(req, nil, opts)
}

func (m *Map) start(req *http.Request, p *Pin, opts []RequestOption) *Request {
	return watched(&Request{m.submit(req, p, opts, make(chan struct{}))})
}

func (m *Map) submit(req *http.Request, p *Pin, opts []RequestOption, done chan struct{}) *call {
	c, err := m.newPinned(req, p, opts)
	if err != nil {
		c := new(call)
		c.opt, c.done, c.over, c.ended, c.err = optionsOf(opts), done, true, true, err
		c.tellDone(m)
		return c
	}
	c.done = done
	c.begin()
	return c
}

var errOtherPeer = errors.New("peer: the request is for another peer than the pin's")

// Do sends req and waits for the whole response. It is Go and Result.
func (m *Map) Do(req *http.Request, opts ...RequestOption) (*Result, error) {
	return m.do(req, nil, opts)
}

func (m *Map) do(req *http.Request, p *Pin, opts []RequestOption) (*Result, error) {
	done := solo.Get().(chan struct{})
	c := m.submit(req, p, opts, done)
	<-done
	solo.Put(done)
	res, err := c.outcome()
	c.giveBack()
	return res, err
}
