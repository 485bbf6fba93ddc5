package grid

import (
	"context"
	"io"

	"github.com/ratmom/ratmom/grid/internal/frame"
)

// ServerStream is a stream as its handler sees it. One goroutine may send while
// another receives.
type ServerStream struct {
	incoming
	core streamCore
}

// accept tells the issuer what may be sent.
func (st *ServerStream) accept(h *handler) {
	c := &st.core
	c.mu.Lock()
	if c.capacity = h.inCapacity; c.capacity > 0 {
		c.window = h.window
	}
	c.capacities, c.messages = int64(h.outCapacity), int64(h.outCapacity)
	c.accepted = true
	c.mu.Unlock()
	s := c.s
	s.mu.Lock()
	if !c.silent { // as it is if the time of the handler is over already
		c.welcome = true
		s.q.Set(&c.mark)
	}
	s.unlockAndWake()
}

// Send sends a message when the receiver has room for it, and returns when b may
// be used again. If ctx ends amid a message, the stream does too.
func (st *ServerStream) Send(ctx context.Context, b []byte) error {
	begun, err := st.core.send(st.waits(ctx), b)
	if begun {
		st.abort(Canceled, stoppedAmid)
	}
	if err == nil {
		st.h.bytesOut.Add(uint64(len(b)))
	}
	return err
}

// Recv returns the next message of the caller, and io.EOF after the last. The
// buffer should be released.
func (st *ServerStream) Recv(ctx context.Context) (Buf, error) {
	if st.h.inCapacity == 0 {
		return Buf{}, io.EOF
	}
	b, err := st.core.recv(st.waits(ctx))
	if err == nil {
		st.h.bytesIn.Add(uint64(len(b.p)))
	}
	return b, err
}

// waits of the handler's context end with the stream, unless it has a deadline.
func (st *ServerStream) waits(ctx context.Context) waits {
	c, ok := ctx.(*callContext)
	return waits{ctx, ok && c == &st.ctx && c.until == 0}
}

// abort ends the stream with an error of this side while the handler runs.
func (st *ServerStream) abort(code Code, text string) {
	if !st.state.CompareAndSwap(open, decided) {
		return
	}
	cause := st.s.c.fail(code, MaybeExecuted, text)
	r := &refusal{code: code}
	r.failure.Message = text
	st.conclude(r)
	st.ctx.end(cause)
	st.cut(cause)
}

// cut ends both directions here.
func (st *ServerStream) cut(cause error) { st.core.finish(cause, true) }

// finish sends the end after the handler has returned.
func (st *ServerStream) finish(err error) {
	if err != nil {
		st.h.failed.Add(1)
	}
	if !st.state.CompareAndSwap(open, decided) {
		st.h.canceled.Add(1)
		st.discard()
		return
	}
	s := st.s
	s.mu.Lock()
	st.core.lasting = true
	broken := st.core.broken
	s.mu.Unlock()
	if broken && err == nil {
		err = s.c.fail(Canceled, MaybeExecuted, stoppedAmid)
	}
	st.core.finish(io.EOF, true)
	h := frame.Header{Type: frame.End, Flags: frame.First, ID: st.id}
	var payload []byte
	if err != nil {
		code, f := failureOf(err)
		h.Code, h.Flags = uint16(code), h.Flags|frame.Err
		payload = f.Append(nil)
	}
	s.mu.Lock()
	if s.waitRoom(nil) && st.refusal == nil { // it may have been cut off meanwhile
		st.core.silent = true
		st.core.queueEnd(h, payload, &st.incoming)
	}
	if !st.core.flow.Empty() {
		st.payload.buf = Buf{} // a message that is still to be sent may be a part of it
	}
	s.unlockAndWake()
	st.discard()
}

const stoppedAmid = "the handler stopped amid a message"

func (st *ServerStream) receive(h frame.Header, ext *frame.Extensions, payload []byte) error {
	code, err := st.core.data(h, ext, payload)
	if code != 0 {
		st.abort(code, "a message has no room here")
	}
	return err
}

func (st *ServerStream) onCredit(h frame.Header, payload []byte) error {
	if h.Flags&frame.First != 0 {
		return protocolError("an acceptance by the issuer")
	}
	return st.core.onCredit(h, payload)
}

func (st *ServerStream) onEnd(*Error) error { return st.core.endOfInput() }
