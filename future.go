package ratmom

import (
	"context"
	"runtime"
	"sync"

	"github.com/ratmom/ratmom/handler"
	"github.com/ratmom/ratmom/internal/failure"
)

// Future is a response under way. It completes when the final response head is
// there or the request has failed.
//
// Whoever takes the response must close its body. A future that is dropped before
// its response was taken cancels the request or closes the body by itself, when
// the garbage collector finds it.
type Future struct{ s *future }

// future is the part that the exchange holds: dropping a Future must not keep it.
type future struct {
	done chan struct{}
	x    *exchange

	mu       sync.Mutex
	h        *handler.Handler // running, or settled and not yet made a response
	second   *handler.Handler // beside it, a hedge
	pause    *pause           // the wait before a repeat
	settled  bool             // complete; the response is made by who takes it
	canceled bool
	taken    bool
	once     sync.Once
	resp     *Response
	err      error
}

func newFuture(x *exchange) *future { return &future{done: make(chan struct{}), x: x} }

func failedFuture(err error) *Future {
	f := &future{done: make(chan struct{}), err: err}
	f.once.Do(func() {})
	close(f.done)
	return &Future{f}
}

// Done is closed when the future is complete.
func (f *Future) Done() <-chan struct{} { return f.s.done }

// Wait waits until the future is complete, or ctx is done, whose error it returns
// then; the request goes on. A nil context is ErrInvalidRequest.
func (f *Future) Wait(ctx context.Context) (*Response, error) {
	if ctx == nil {
		return nil, errNilContext
	}
	defer runtime.KeepAlive(f)
	select {
	case <-f.s.done:
		return f.s.result()
	default:
	}
	select {
	case <-f.s.done:
		return f.s.result()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// Result waits until the future is complete and returns its response. Every call
// returns the same.
func (f *Future) Result() (*Response, error) {
	defer runtime.KeepAlive(f)
	<-f.s.done
	return f.s.result()
}

// Cancel gives the request up: the future fails with ErrCanceled if it is not
// complete, and the body, if it is, with the same. It returns at once.
func (f *Future) Cancel() {
	f.s.cancel()
	runtime.KeepAlive(f)
}

var errFutureCanceled = failure.New(failure.Canceled, "by the caller")

func (f *future) cancel() {
	f.mu.Lock()
	f.canceled = true
	h, second, p := f.h, f.second, f.pause
	f.mu.Unlock()
	if h != nil {
		h.Cancel(errFutureCanceled)
	}
	if second != nil {
		second.Cancel(errFutureCanceled)
	}
	if p != nil {
		p.end(errFutureCanceled)
	}
}

// running notes the transfer to cancel.
func (f *future) running(h *handler.Handler) {
	f.mu.Lock()
	f.h, f.second, f.pause = h, nil, nil
	canceled := f.canceled
	f.mu.Unlock()
	if canceled {
		h.Cancel(errFutureCanceled)
	}
}

// hedged notes the transfer beside first, unless that is not running any more: then it
// ends by itself.
func (f *future) hedged(first, h *handler.Handler) {
	f.mu.Lock()
	if f.h == first {
		f.second = h
	}
	canceled := f.canceled
	f.mu.Unlock()
	if canceled {
		h.Cancel(errFutureCanceled)
	}
}

// pausing notes the wait to end.
func (f *future) pausing(p *pause) {
	f.mu.Lock()
	f.pause = p
	canceled := f.canceled
	f.mu.Unlock()
	if canceled {
		p.end(errFutureCanceled)
	}
}

// settle completes the future with a transfer whose response is still to be made.
func (f *future) settle() {
	f.mu.Lock()
	f.settled = true
	f.mu.Unlock()
	close(f.done)
}

// finish completes the future.
func (f *future) finish(resp *Response, err error) {
	f.once.Do(func() { f.resp, f.err = resp, err })
	f.mu.Lock()
	drop := f.canceled && !f.taken
	f.mu.Unlock()
	if drop && resp != nil {
		_ = resp.Body.Close()
	}
	close(f.done)
}

func (f *future) result() (*Response, error) {
	f.mu.Lock()
	f.taken = true
	f.mu.Unlock()
	f.once.Do(func() { f.resp, f.err = f.x.take() })
	return f.resp, f.err
}

// abandon is for a future that nobody can ask any more.
func (f *future) abandon() {
	f.mu.Lock()
	taken := f.taken
	f.mu.Unlock()
	if taken {
		return
	}
	f.cancel()
	select {
	case <-f.done:
		if resp, err := f.result(); err == nil {
			_ = resp.Body.Close()
		}
	default:
	}
}
