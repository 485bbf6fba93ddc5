package grid

import (
	"context"
	"sync"
	"time"
)

// callContext is the context of a handler. Most handlers never look at theirs,
// so what costs something is made when it is asked for: then it is one of package context.
type callContext struct {
	until int64 // of the clock, 0: no deadline
	clock clock
	base  context.Context // its values

	mu    sync.Mutex
	inner context.Context
	stop  context.CancelCauseFunc
	ended bool
	cause error
}

func (c *callContext) real() context.Context {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.inner != nil {
		return c.inner
	}
	ctx, stop := context.WithCancelCause(c.base)
	if c.until != 0 && !c.ended {
		var timer context.CancelFunc
		inner := ctx
		ctx, timer = context.WithDeadlineCause(inner, c.clock.time(c.until), ErrDeadlineExceeded)
		cancel := stop
		stop = func(cause error) {
			cancel(cause)
			timer()
		}
	}
	if c.ended {
		stop(c.cause)
	}
	c.inner, c.stop = ctx, stop
	return ctx
}

// end cancels the context. The first cause stays.
func (c *callContext) end(cause error) {
	c.mu.Lock()
	if c.ended {
		c.mu.Unlock()
		return
	}
	c.ended, c.cause = true, cause
	stop := c.stop
	c.mu.Unlock()
	if stop != nil {
		stop(cause)
	}
}

func (c *callContext) Deadline() (time.Time, bool) {
	if c.until == 0 {
		return time.Time{}, false
	}
	return c.clock.time(c.until), true
}

func (c *callContext) Done() <-chan struct{} { return c.real().Done() }
func (c *callContext) Value(key any) any     { return c.real().Value(key) }

func (c *callContext) Err() error {
	c.mu.Lock()
	inner, ended := c.inner, c.ended
	c.mu.Unlock()
	switch {
	case inner != nil:
		return inner.Err()
	case ended:
		return context.Canceled
	case c.until != 0 && c.clock.now() >= c.until:
		return context.DeadlineExceeded
	}
	return nil
}
