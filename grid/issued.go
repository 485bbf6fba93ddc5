package grid

import (
	"sync/atomic"

	"github.com/ratmom/ratmom/grid/internal/frame"
	"github.com/ratmom/ratmom/grid/internal/sched"
)

// request is one of this side: a call, or a stream if stream is set.
type request struct {
	id     uint32
	s      *session
	stream *ClientStream
	state  atomic.Uint32 // one change from open decides the outcome
	pooled bool          // the result is wanted in a Buf

	// For snapshots.
	handler atomic.Uint32
	since   atomic.Int64

	// The outcome of a call, after done was sent to.
	done chan struct{}
	buf  Buf
	data []byte
	err  error

	// Under the session's lock.
	place sched.Place
	bulk  *bulkRequest
	mark  sched.Mark
	code  Code // with which it was given up
	sent  Sent

	// The reader's.
	asm assembly
}

// bulkRequest is for a request that is not small.
type bulkRequest struct {
	flow sched.Flow
	msg  sched.Message
}

const (
	open    = iota
	decided // the outcome is known
	givenUp // and nobody waits for it; the slot is taken until the peer says that it has ended
)

// newRequest makes a request, or takes one that was used before. They belong to a
// manager, since channels cannot leave a bubble of testing/synctest.
func (m *Manager) newRequest(h HandlerID) *request {
	r, _ := m.requests.Get().(*request)
	if r == nil {
		r = &request{done: make(chan struct{}, 1)}
	}
	r.handler.Store(uint32(h))
	r.since.Store(m.clock.now())
	r.state.Store(open)
	return r
}

// recycle takes a request back whose outcome was received, so that nobody else has it.
func (m *Manager) recycle(r *request) {
	r.s, r.bulk, r.buf, r.data, r.err, r.sent = nil, nil, Buf{}, nil, nil, MaybeExecuted
	m.requests.Put(r)
}

// waits reports whether nothing of the request was given to the writer. It is called
// under the lock.
func (s *session) waits(r *request) bool {
	if r.bulk != nil {
		return s.q.Withdraw(&r.bulk.flow, &r.bulk.msg)
	}
	return s.q.Waits(r.place)
}

// issue gives the request a slot and queues its first frame. stop ends the wait for
// a slot and for room in the queue; then the error is nil and ok false.
func (s *session) issue(r *request, h frame.Header, ext *frame.Extensions, payload []byte, until int64, stop <-chan struct{}) (ok bool, err error) {
	quota := &s.calls
	if r.stream != nil {
		quota = &s.streams
	}
	s.mu.Lock()
	if !quota.take() {
		e, ch := quota.wait()
		s.mu.Unlock()
		select {
		case <-ch:
			s.mu.Lock()
		case <-stop:
			s.mu.Lock()
			quota.leave(e, ch)
			s.checkQuiet()
			s.mu.Unlock()
			return false, nil
		}
	}
	small := len(payload) <= sched.Small
	alive := s.cause == nil
	if alive && small {
		alive = s.waitRoom(stop)
	}
	if !alive || s.refuse {
		switch {
		case s.cause != nil:
			err = s.lost(NotSent)
		case s.refuse:
			err = s.c.fail(Draining, NotSent, "the peer is going away")
		}
		quota.put(1)
		s.checkQuiet()
		s.mu.Unlock()
		return false, err
	}
	r.s, r.id = s, s.slots.take()
	if r.stream != nil {
		r.stream.core.id = r.id
	}
	h.ID = r.id
	h.Flags |= frame.First
	if small {
		if ext.Has == 0 {
			ext = nil
		}
		r.place = s.q.Put(h, ext, payload, until, r.since.Load())
	} else {
		r.bulk = &bulkRequest{}
		r.bulk.msg = sched.Message{Header: h, Ext: *ext, Payload: payload, Until: until}
		s.q.Add(&r.bulk.flow, &r.bulk.msg)
		if r.stream != nil {
			r.stream.core.opening = &r.bulk.flow
		}
	}
	s.issued.set(slotOf(r.id), r)
	s.unlockAndWake()
	return true, nil
}

// giveUp ends a request from this side. It reports false if its outcome was decided
// already. What was not sent is taken back; else the peer is told.
func (s *session) giveUp(r *request, code Code) (sent Sent, ok bool) {
	if !r.state.CompareAndSwap(open, givenUp) {
		return 0, false
	}
	s.mu.Lock()
	if s.dropped {
		sent = r.sent
		s.mu.Unlock()
		return sent, true
	}
	if s.takeBack(r) {
		// A peer that answers what it was not sent may have ended it.
		if s.issued.remove(slotOf(r.id), r) {
			s.slots.put(r.id)
			if r.stream != nil {
				s.streams.put(1)
			} else {
				s.calls.put(1)
			}
			s.checkQuiet()
		}
		s.mu.Unlock()
		return NotSent, true
	}
	r.code = code
	r.mark.Of = (*requestControl)(r)
	s.q.Set(&r.mark)
	wake := s.wakeWriter()
	s.mu.Unlock()
	if wake {
		s.kick()
	}
	return MaybeExecuted, true
}

// takeBack removes what was not sent of a request, and reports whether that was all of it.
func (s *session) takeBack(r *request) bool {
	if r.bulk == nil {
		return s.q.TakeBack(r.place)
	}
	whole := s.q.Withdraw(&r.bulk.flow, &r.bulk.msg)
	s.q.Remove(&r.bulk.flow) // the END of a stream may be behind it
	return whole
}

// requestControl says that a request was given up.
type requestControl request

func (c *requestControl) AppendControl(b []byte) []byte {
	return frame.Header{Type: frame.Reset, Code: uint16(c.code), ID: c.id}.Append(b)
}

// decide delivers the outcome of a call, unless it was given up.
func (r *request) decide(buf Buf, data []byte, err error) bool {
	if !r.state.CompareAndSwap(open, decided) {
		return false
	}
	r.buf, r.data, r.err = buf, data, err
	r.done <- struct{}{}
	return true
}

// lose ends a request with its session.
func (r *request) lose() {
	if r.stream != nil {
		r.stream.lose(r.s.lost(r.sent))
		return
	}
	r.s.drop(&r.asm) // the reader has ended, and r is used again
	r.decide(Buf{}, nil, r.s.lost(r.sent))
}
