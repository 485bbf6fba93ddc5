package grid

import (
	"github.com/ratmom/ratmom/grid/internal/frame"
)

// assembly puts the fragments of a message together. Only the reader of the
// session uses it.
type assembly struct {
	active   bool
	buf      Buf
	off      int
	reserved reservation
	free     uint64 // up to which length a message is covered by a window
}

// reservation is what a message has of the session's budgets: of the one for large messages, or of the one for
// those that were counted as taken before they were here.
type reservation struct {
	bytes int64
	ahead bool
}

// message is one that has arrived in full.
type message struct {
	buf      Buf
	reserved reservation // to be given back with release
}

// add takes a fragment. The message is complete if done. code is 0, or why the message
// cannot be taken: then it is dropped. A fragment that does not fit is a protocol error.
func (s *session) add(a *assembly, h frame.Header, ext *frame.Extensions, payload []byte) (m message, done bool, code Code, err error) {
	first, more := h.Flags&frame.First != 0, h.Flags&frame.More != 0
	if !a.active {
		if !first {
			return m, false, 0, protocolError("a fragment of no message")
		}
		if !more {
			m.buf = copyBuf(payload)
			return m, true, 0, nil
		}
		if ext.Has&frame.HasTotal == 0 || ext.Total <= uint64(len(payload)) {
			return m, false, 0, protocolError("a first fragment without the length of its message")
		}
		if code := s.reserve(a, ext.Total); code != 0 {
			return m, false, code, nil
		}
		a.active = true
	} else if first {
		return m, false, 0, protocolError("a message amid another")
	}
	left := len(a.buf.p) - a.off
	if len(payload) > left || (len(payload) == left) == more || len(payload) == 0 {
		return m, false, 0, protocolError("a fragment that is not of the announced length")
	}
	a.off += copy(a.buf.p[a.off:], payload)
	if more {
		return m, false, 0, nil
	}
	m = message{a.buf, a.reserved}
	*a = assembly{}
	return m, true, 0, nil
}

// reserve gets memory for a message of total bytes, or says why not. What counts against the budget is the whole
// buffer, less what a window covers of it. If that is too much, one of just this length may do.
func (s *session) reserve(a *assembly, total uint64) Code {
	if total > uint64(s.m.limits.Message) {
		return TooLarge
	}
	n := int(total)
	if total <= largeFrom {
		a.buf = newBuf(n)
		return 0
	}
	covered := 0
	if total <= a.free {
		covered = n
	}
	switch {
	case s.budget(a, bufSize(n)-covered):
		a.buf = newBuf(n)
	case s.budget(a, n-covered):
		a.buf = Buf{p: make([]byte, n)}
	default:
		return ResourceExhausted
	}
	return 0
}

// moveAhead counts the message that is put together against the budget of those that are waited for, and no
// more against that for large ones, if there is room in it.
func (s *session) moveAhead(a *assembly) bool {
	n := int64(a.buf.held())
	if s.ahead.Add(n) > s.m.limits.Large/aheadShare {
		s.ahead.Add(-n)
		return false
	}
	s.release(a.reserved)
	a.reserved = reservation{n, true}
	return true
}

// aheadShare is which part of the budget for large messages there is once more for those that are waited for.
const aheadShare = 4

// budget reserves n bytes for large messages, if there are as many.
func (s *session) budget(a *assembly, n int) bool {
	if n == 0 {
		return true
	}
	if s.large.Add(int64(n)) > s.m.limits.Large {
		s.large.Add(-int64(n))
		return false
	}
	a.reserved.bytes = int64(n)
	return true
}

// largeFrom is from which length on a message counts against the budget for large ones.
const largeFrom = 64 << 10

// drop forgets a message that is incomplete.
func (s *session) drop(a *assembly) {
	s.release(a.reserved)
	a.buf.Release()
	*a = assembly{}
}

func (s *session) release(r reservation) {
	switch {
	case r.bytes == 0:
	case r.ahead:
		s.ahead.Add(-r.bytes)
	default:
		s.large.Add(-r.bytes)
	}
}
