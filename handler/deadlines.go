package handler

import (
	"github.com/ratmom/ratmom/internal/failure"
)

// never is the deadline of a handler without time limits of its own.
const never = int64(^uint64(0) >> 1)

// Deadline is the next moment at which Expire must look at the request, in the
// loop's time; it may be early, never late. Agent only.
func (h *Handler) Deadline(now int64) int64 {
	at := never
	if h.ended {
		return at
	}
	if d := h.drainUntil; d > 0 {
		at = min(at, d)
	}
	if d := h.deadline; d > 0 {
		at = min(at, d)
	}
	if h.spec.Tunnel {
		return at
	}
	if d := h.headBy; d > 0 && h.head == nil {
		at = min(at, d)
	}
	if d := h.plan.HeadTimeout; d > 0 && h.head == nil {
		at = min(at, later(h.t.SentAt(), now)+int64(d))
	}
	if d := h.plan.IdleTime; d > 0 && h.head != nil && h.drainUntil == 0 {
		from := h.t.RecvAt()
		if h.t.RecvPaused() {
			from = now
		}
		at = min(at, later(from, now)+int64(d))
	}
	return at
}

// later is when the clock of a limit started, or now if it has not.
func later(start, now int64) int64 {
	if start == 0 {
		return now
	}
	return start
}

// Expire reports why the request must end now, if it must. Agent only.
func (h *Handler) Expire(now int64) error {
	if h.ended || h.Deadline(now) > now {
		return nil
	}
	switch {
	case h.deadline > 0 && h.deadline <= now:
		return failure.New(failure.Timeout, "the total time is over")
	case h.drainUntil > 0:
		return failure.New(failure.Canceled, "the body was closed")
	case h.head == nil && h.headBy > 0 && h.headBy <= now:
		return failure.Newf(failure.Timeout, "no answer to this try within %v", h.spec.TryTime)
	case h.head == nil:
		return failure.Newf(failure.Timeout, "timeout awaiting response headers (%v)", h.plan.HeadTimeout)
	default:
		return failure.Newf(failure.Timeout, "nothing came for %v", h.plan.IdleTime)
	}
}

// Timed reports whether the handler has time limits that the agent must watch.
func (h *Handler) Timed() bool {
	return h.deadline > 0 || h.headBy > 0 || h.plan.HeadTimeout > 0 || h.plan.IdleTime > 0 || h.drainUntil > 0
}

// Fail gives the caller err ahead of the end of the transfer. Agent only.
func (h *Handler) Fail(err error) {
	h.mu.Lock()
	if h.cancelErr == nil {
		h.cancelErr = err
	}
	h.mu.Unlock()
}
