package handler

import "time"

// A body that is closed early is drained if little is left, so that the
// connection can be used again: at most drainBytes, for at most drainTime if the
// length is known, drainBlind if it is not.
const (
	drainBytes = 64 * 1024
	drainTime  = 250 * time.Millisecond
	drainBlind = 50 * time.Millisecond
)

// Abandoned prepares the transfer for dropping the rest of its body. It reports
// false if the transfer is better removed. Agent only.
func (h *Handler) Abandoned(now int64) (drain bool) {
	if h.spec.Tunnel && !h.ended {
		h.drainUntil = now + int64(lingerTime)
		return true
	}
	if h.ended || h.upgrade || h.head == nil {
		return false
	}
	if h.wholeResponse() && h.t.SentAt() == 0 {
		if h.stopsUpload() {
			return false
		}
		h.t.Discard(drainBytes) // only the upload is under way
		return true
	}
	limit := drainTime
	if !noBody(h.method, h.status) {
		switch n := h.expect(); {
		case n < 0 && h.http2():
			return false // a reset stream costs the connection nothing
		case n < 0:
			limit = drainBlind
		case n-h.t.Received() > drainBytes:
			return false
		}
	}
	h.t.Discard(drainBytes)
	h.drainUntil = now + int64(limit)
	return true
}

func (h *Handler) http2() bool { return len(h.head) > 5 && h.head[5] != '1' }
