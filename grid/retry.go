package grid

import (
	"context"
	"errors"
	"time"
)

// Retry has a single request repeated up to n times, after pauses as those between dials,
// if it was not sent, because there was no connection or the server had no room for it. With an
// [IdempotencyKey] it is also repeated if it may have been executed before the connection was
// lost: the handler must have [Dedupe], or not mind.
func Retry(n int) CallOption { return callOption(func(o *callOptions) { o.retries = n }) }

// repeated performs a request as often as its options say.
func (c *Connection) repeated(ctx context.Context, h HandlerID, req []byte, o *callOptions, pooled bool) (*request, error) {
	for try := 1; ; try++ {
		r, err := c.call(ctx, h, req, o, pooled)
		if err == nil || try > o.retries || !o.again(err) {
			return r, err
		}
		t := time.NewTimer(c.m.pause(try))
		select {
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
			return nil, err
		}
		again := *o
		again.waitForReady = true
		o = &again
	}
}

// again reports whether a request that has failed may be repeated.
func (o *callOptions) again(err error) bool {
	var e *Error
	if !errors.As(err, &e) {
		return false
	}
	switch e.Code {
	case Disconnected, Draining:
		return e.Sent == NotSent || o.hasKey
	case Overloaded, ResourceExhausted:
		return e.Sent == NotSent
	}
	return false
}
