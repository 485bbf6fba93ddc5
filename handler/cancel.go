package handler

import (
	"context"
	"errors"
	"net/http"
	"os"
	"time"

	"github.com/ratmom/ratmom/internal/failure"
)

// Watch begins to watch the request's context, and its Cancel channel, which
// http.Client uses for its Timeout; the agent's handle calls it before the agent
// is given the handler.
func (h *Handler) Watch() {
	h.mu.Lock()
	req := h.spec.Request
	h.mu.Unlock()
	if req == nil {
		return // it was given up before, and its error taken
	}
	if req.Context().Done() != nil || req.Cancel != nil { //nolint:staticcheck // see Watch
		h.unctx, h.over = Watch(req, h.Cancel)
	}
}

// Watch calls cancel when the context of req is done, or its Cancel channel closed; not
// any more after unctx was called, and over closed. Either is nil if there is nothing to
// watch.
func Watch(req *http.Request, cancel func(cause error)) (unctx func() bool, over chan struct{}) {
	ctx := req.Context()
	c := req.Cancel //nolint:staticcheck // http.Client.Timeout still works by it
	if ctx.Done() != nil {
		unctx = context.AfterFunc(ctx, func() {
			if c != nil && ctx.Err() == context.DeadlineExceeded {
				// http.Client.Timeout sets both and explains itself only if
				// its Cancel is what ends the request.
				select {
				case <-c:
					return
				case <-time.After(cancelGrace):
				}
			}
			cancel(context.Cause(ctx))
		})
	}
	if c != nil {
		over = make(chan struct{})
		go func() {
			select {
			case <-c:
				cancel(errCanceled)
			case <-over:
			}
		}()
	}
	return unctx, over
}

// GivenUp is the error of a request that was given up between its transfers.
func GivenUp(req *http.Request, plan *Plan, cause error) error {
	var e *failure.Error
	if !errors.As(cancelError(cause), &e) {
		return cause
	}
	c := *e
	m := req.Method
	if m == "" {
		m = http.MethodGet
	}
	_ = c.At(m, req.URL)
	if plan.RoundTripper {
		return roundTripError(&c, plan.MaxHead)
	}
	return &c
}

// Cancel gives the request up: the future completes and the body fails at once
// with cause; the transfer is removed as soon as the agent hears of it.
func (h *Handler) Cancel(cause error) {
	err := h.annotate(cancelError(cause))
	if h.spec.Tunnel && !h.complete(err) {
		return // it is the caller's already
	}
	h.mu.Lock()
	if h.cancelErr == nil {
		h.cancelErr = cause
	}
	// With the same lock: a failure that came between would be neither repeated nor the caller's reason.
	h.givenUp = h.givenUp || !h.completed
	done, s := h.settle(err), h.stream
	h.mu.Unlock()
	if done != nil {
		done.Completed(h)
	} else if s != nil {
		s.Fail(err)
	}
	h.spec.Driver.Cancel(h)
}

// cancelGrace is how long a deadline waits for the Cancel channel beside it.
const cancelGrace = 20 * time.Millisecond

// complete settles the future once.
func (h *Handler) complete(err error) bool {
	h.mu.Lock()
	done := h.settle(err)
	h.mu.Unlock()
	if done == nil {
		return false
	}
	done.Completed(h)
	return true
}

// settle returns who is to be told, nil if the future was settled before. The lock is held.
func (h *Handler) settle(err error) Waiter {
	if h.completed {
		return nil
	}
	done := h.spec.Done
	h.completed, h.err, h.spec.Done = true, err, nil
	return done
}

// Canceled reports whether the request has been given up.
func (h *Handler) Canceled() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.cancelErr != nil
}

// cancelError is the error of a request that was given up.
func cancelError(cause error) error {
	if cause == nil {
		cause = errCanceled
	}
	var e *failure.Error
	if errors.As(cause, &e) {
		return e
	}
	if errors.Is(cause, context.DeadlineExceeded) || os.IsTimeout(cause) {
		return failure.Wrap(failure.Timeout, cause)
	}
	return failure.Wrap(failure.Canceled, cause)
}

// errCanceled is the cause when no other is known, in net/http's words.
var errCanceled = errors.New("net/http: request canceled")
