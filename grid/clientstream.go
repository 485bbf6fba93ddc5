package grid

import (
	"context"
	"io"

	"github.com/ratmom/ratmom/grid/internal/frame"
	"github.com/ratmom/ratmom/grid/internal/sched"
)

// ClientStream is a stream as its caller sees it. One goroutine may send while
// another receives. It needs no end: when Recv has returned the error with which it ended, there is
// nothing left of it. One that is left before that is to be canceled, or its context ends.
type ClientStream struct {
	core streamCore
	req  request
	ctx  context.Context
	stop func() bool // forgets ctx
}

// OpenStream begins a streaming request and returns without waiting for the
// other side. The stream ends with the context. It has no goroutine of its own.
func (c *Connection) OpenStream(ctx context.Context, h HandlerID, payload []byte, opts ...CallOption) (*ClientStream, error) {
	if c == nil {
		return nil, unknownPeer()
	}
	if len(payload) > sched.Small {
		payload = append([]byte(nil), payload...) // it is sent after the return
	}
	o := &noOptions
	if len(opts) > 0 {
		given := readOptions(opts)
		o = &given
	}
	for {
		var ext frame.Extensions
		s, until, err := c.prepare(ctx, payload, o, &ext)
		if err != nil {
			return nil, err
		}
		st, err := s.openStream(ctx, h, payload, &ext, until)
		if err == nil || !c.moved(ctx, s, o, err) {
			return st, err
		}
	}
}

func (s *session) openStream(ctx context.Context, h HandlerID, payload []byte, ext *frame.Extensions, until int64) (*ClientStream, error) {
	c := s.c
	st := &ClientStream{ctx: ctx}
	r := &st.req
	r.stream = st
	r.handler.Store(uint32(h))
	r.since.Store(c.m.clock.now())
	if ext.Window == 0 {
		ext.Window = defaultWindow
	}
	ext.Has |= frame.HasWindow
	st.core.init(s, 0)
	st.core.window = int(ext.Window)
	ok, err := s.issue(r, frame.Header{Type: frame.Open, Code: uint16(h)}, ext, payload, until, ctx.Done())
	switch {
	case err != nil:
		return nil, err
	case !ok:
		return nil, c.ended(ctx, NotSent)
	}
	if ctx.Done() != nil {
		stop := context.AfterFunc(ctx, st.contextEnded)
		st.core.mu.Lock()
		st.stop = stop
		st.core.mu.Unlock()
		st.forgetContext()
	}
	return st, nil
}

func (st *ClientStream) contextEnded() {
	e := st.req.s.c.ended(st.ctx, MaybeExecuted)
	st.giveUp(e.Code, e)
}

// Cancel ends the stream on both sides, if it has not ended yet. Recv returns an
// error of code Canceled that wraps the cause, which may be nil. Of a stream that has ended, messages that were
// not received yet can be received still, but do not count against Limits.Large any more.
func (st *ClientStream) Cancel(cause error) {
	e := st.core.s.c.fail(Canceled, MaybeExecuted, "")
	if cause != nil {
		e.Message, e.cause = cause.Error(), cause
	}
	st.giveUp(Canceled, e)
}

func (st *ClientStream) giveUp(code Code, e *Error) {
	s := st.core.s
	sent, ok := s.giveUp(&st.req, code)
	if !ok {
		st.core.abandon()
		return
	}
	e.Sent = sent
	st.end(e, true)
}

// end ends the stream here, once its request was decided or given up.
func (st *ClientStream) end(err error, discard bool) {
	st.core.finish(err, discard)
	s := st.core.s
	s.mu.Lock()
	st.core.silent = true
	s.q.Remove(&st.core.flow)
	s.mu.Unlock()
	st.forgetContext()
}

// forgetContext is for a stream that is over: the end of its context has nothing to do any more, unless
// it is to give back what messages have that wait.
func (st *ClientStream) forgetContext() {
	c := &st.core
	c.mu.Lock()
	var stop func() bool
	if c.over && !c.queue.reserved() {
		stop = st.stop
	}
	c.mu.Unlock()
	if stop != nil {
		stop()
	}
}

func (st *ClientStream) lose(err *Error) {
	if st.req.state.CompareAndSwap(open, decided) {
		st.end(err, false)
	}
}

// Send sends a message when the receiver has room for it, and returns when b may
// be used again. The error is io.EOF if the handler has ended the stream without
// one, and that of the stream otherwise. If ctx ends amid a message, the stream does too.
func (st *ClientStream) Send(ctx context.Context, b []byte) error {
	begun, err := st.core.send(st.waits(ctx), b)
	if begun {
		e := *st.core.s.c.ended(ctx, MaybeExecuted)
		st.giveUp(Canceled, &e)
	}
	return err
}

func (st *ClientStream) waits(ctx context.Context) waits { return waits{ctx, sameContext(ctx, st.ctx)} }

// CloseSend says that nothing more is sent.
func (st *ClientStream) CloseSend() error {
	st.core.closeSend()
	return nil
}

// Recv returns the next message, io.EOF after the last of them if the stream
// ended well, and otherwise the error with which it ended. The buffer should be
// released.
func (st *ClientStream) Recv(ctx context.Context) (Buf, error) {
	b, err := st.core.recv(st.waits(ctx))
	if err != nil {
		st.forgetContext()
	}
	return b, err
}

// Accepted waits for the handler to be found, and returns how many messages it
// takes at a time: 0 if it takes none.
func (st *ClientStream) Accepted(ctx context.Context) (inCapacity int, err error) {
	c := &st.core
	for {
		c.mu.Lock()
		switch {
		case c.accepted:
			n := c.capacities
			c.mu.Unlock()
			return int(n), nil
		case c.over:
			err := c.err
			c.mu.Unlock()
			return 0, err
		}
		if c.ready == nil {
			c.ready = make(chan struct{})
		}
		ready := c.ready
		c.mu.Unlock()
		select {
		case <-ready:
		case <-ctx.Done():
			return 0, c.s.c.ended(ctx, MaybeExecuted)
		}
	}
}

func (st *ClientStream) receive(h frame.Header, ext *frame.Extensions, payload []byte) error {
	code, err := st.core.data(h, ext, payload)
	if code != 0 {
		st.giveUp(code, st.core.s.c.fail(code, MaybeExecuted, "a message has no room here"))
	}
	return err
}

func (st *ClientStream) onCredit(h frame.Header, payload []byte) error {
	return st.core.onCredit(h, payload)
}

// cutShort reports whether a message of a stream that runs is incomplete.
func (st *ClientStream) cutShort() bool { return st.req.state.Load() == open && st.core.amid() }

// onEnd takes the end from the peer: with e, or well if that is nil.
func (st *ClientStream) onEnd(e *Error) error {
	if !st.req.state.CompareAndSwap(open, decided) {
		return nil
	}
	if e == nil {
		st.end(io.EOF, false)
		return nil
	}
	st.end(e, false)
	return nil
}
