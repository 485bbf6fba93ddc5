package grid

import (
	"context"
	"log/slog"
	"runtime/debug"
	"runtime/pprof"
	"sync/atomic"
	"time"

	"github.com/ratmom/ratmom/grid/internal/frame"
	"github.com/ratmom/ratmom/grid/internal/sched"
)

// incoming is a request of the peer: what calls and streams have in common.
type incoming struct {
	s       *session
	id      uint32
	h       *handler // nil until the request is here in full
	call    *Call    // one of them is set
	stream  *ServerStream
	arrived int64
	trace   TraceContext
	traced  bool
	state   atomic.Uint32 // open, decided
	ctx     callContext
	payload message
	timer   *time.Timer // of the handler's Timeout
	first   *remembered // to which its outcome is to be told
	known   *remembered // of which it is a repetition
	inlined bool        // it runs where it must not wait

	waitsFor *remembered // under the lock of the handler's memory

	// The reader's.
	phase    frame.State
	asm      assembly
	handler  HandlerID
	subroute uint32
	key      IdempotencyKey
	has      frame.Tags

	// Under the session's lock.
	mark    sched.Mark
	refusal *refusal
}

// refusal is an end that is said in the control class: nothing was sent for the request, or it is cut off.
type refusal struct {
	reset   bool
	code    Code
	failure frame.Failure
}

// Payload is the request, or the initial payload of a stream. It is valid until
// the handler returns.
func (in *incoming) Payload() []byte { return in.payload.buf.p }

// Handler is the id for which the handler was called.
func (in *incoming) Handler() HandlerID { return in.handler }

// Peer is the name of the caller.
func (in *incoming) Peer() string { return in.s.c.name }

// Connection is the way to the caller.
func (in *incoming) Connection() *Connection { return in.s.c }

// Trace is the trace context that came with the request.
func (in *incoming) Trace() (TraceContext, bool) { return in.trace, in.traced }

// start has a worker run the handler.
func (in *incoming) start() { in.s.m.workers.submit(in) }

// run runs the handler and sends what it returns.
func (in *incoming) run() {
	h := in.h
	if in.known != nil {
		in.reply(in.known.result, in.known.err)
		in.stopTimer()
		return
	}
	returned := false
	defer func() {
		if !returned { // the handler has ended its goroutine
			in.finish(nil, in.s.c.fail(Internal, MaybeExecuted, "the handler did not return"))
		}
		h.leave()
	}()
	if in.state.Load() != open {
		returned = true
		in.remember(nil, nil, false)
		in.discard()
		return
	}
	h.started.Add(1)
	in.ctx.base = in.s.c.labelled(h)
	pprof.SetGoroutineLabels(in.ctx.base)
	defer unlabelled()
	var result []byte
	var err error
	if in.stream != nil {
		err = in.runStream()
	} else {
		result, err = in.runSingle()
	}
	returned = true
	in.finish(result, err)
}

// finish sends what the handler has returned, and closes the books.
func (in *incoming) finish(result []byte, err error) {
	in.remember(result, err, true)
	if in.stream != nil {
		in.stream.finish(err)
	} else {
		in.reply(result, err)
	}
	in.ctx.end(context.Canceled)
	in.stopTimer()
	in.h.latency.add(in.s.clock.now() - in.arrived)
}

// stopTimer is not for late, which may be there before the timer is.
func (in *incoming) stopTimer() {
	if in.timer != nil {
		in.timer.Stop()
	}
}

// recovered makes an error of a panic.
func (in *incoming) recovered(err *error) {
	p := recover()
	if p == nil {
		return
	}
	in.h.panicked.Add(1)
	in.s.m.log.LogAttrs(in.s.m.ctx, slog.LevelError, "grid: a handler panicked", slog.Int("handler", int(in.handler)),
		slog.String("name", in.h.name), slog.String("peer", in.s.c.name), slog.Any("panic", p), slog.String("stack", string(debug.Stack())))
	*err = in.s.c.fail(Internal, MaybeExecuted, "the handler panicked")
}

func (in *incoming) runSingle() (result []byte, err error) {
	defer in.recovered(&err)
	return in.h.single(in.context(), in.call)
}

func (in *incoming) runStream() (err error) {
	defer in.recovered(&err)
	return in.h.stream(in.context(), in.stream)
}

// context is that of the handler.
func (in *incoming) context() context.Context {
	if in.traced && in.s.m.cfg.ContextWithTrace != nil {
		return in.s.m.cfg.ContextWithTrace(&in.ctx, in.trace)
	}
	return &in.ctx
}

// reply answers a call.
func (in *incoming) reply(result []byte, err error) {
	s := in.s
	if err == nil && uint64(len(result)) > s.peer.message {
		err = s.c.fail(TooLarge, MaybeExecuted, "an answer that is longer than the caller takes")
	}
	if err != nil {
		in.h.failed.Add(1)
	}
	if !in.state.CompareAndSwap(open, decided) {
		in.h.canceled.Add(1)
		in.discard()
		return
	}
	h := frame.Header{Type: frame.Reply, Flags: frame.First, ID: in.id}
	if err != nil {
		code, f := failureOf(err)
		h.Code, h.Flags = uint16(code), h.Flags|frame.Err
		result = f.Append(nil)
	}
	in.h.bytesOut.Add(uint64(len(result)))
	large := len(result) > sched.Small
	s.mu.Lock()
	switch {
	case s.cause != nil:
		large = false
	case large:
		in.call.msg = sched.Message{Header: h, Payload: result, Taken: in.answered, Kept: (*keptAnswer)(in)}
		s.q.Add(&in.call.flow, &in.call.msg)
	case in.inlined || s.waitRoom(nil):
		s.q.Put(h, nil, result, 0, in.arrived)
		in.gone()
	}
	wake := s.wakeWriter()
	s.mu.Unlock()
	if wake {
		s.kick()
	}
	if !large {
		in.discard()
	}
}

// answered is called under the lock, when the end of a large answer is on its way. When the peer has read that, it may
// send the next request before the writer here goes on: the room for it has to be free by now.
func (in *incoming) answered() {
	in.gone()
	in.s.release(in.payload.reserved)
	in.payload.reserved = reservation{}
}

// keptAnswer is a large answer, which may be a part of the payload.
type keptAnswer incoming

// Written gives the memory of the payload back.
func (a *keptAnswer) Written() { (*incoming)(a).discard() }

// gone takes the request out of its slot: the peer may use that again when it has read
// the end that is on its way. It is called under the lock.
func (in *incoming) gone() {
	in.s.served.set(slotOf(in.id), nil)
	kind := 0
	if in.stream != nil {
		kind = 1
	}
	in.s.servedN[kind].Add(-1)
	in.s.checkQuiet()
}

// discard gives the memory of the payload back.
func (in *incoming) discard() {
	in.s.release(in.payload.reserved)
	in.payload.buf.Release()
	in.payload = message{}
}

// refuse ends a request that was not begun, by the reader.
func (in *incoming) refuse(code Code, text string) {
	if in.state.CompareAndSwap(open, decided) {
		in.conclude(&refusal{code: code, failure: frame.Failure{Never: true, Message: text}})
	}
	in.stopTimer()
}

// reset ends a request because the peer gave it up.
func (in *incoming) reset(code Code) {
	cause := in.s.c.fail(code, MaybeExecuted, "the caller gave up")
	cause.Remote = true
	in.s.drop(&in.asm)
	if !in.state.CompareAndSwap(open, decided) {
		in.cutOff()
		return
	}
	in.stopTimer()
	in.conclude(&refusal{reset: true, code: Canceled})
	in.ctx.end(cause)
	if in.stream != nil {
		in.stream.cut(cause)
	}
	in.dequeue()
}

// dequeue forgets a request that waits for its turn, or for the outcome of the same one.
func (in *incoming) dequeue() {
	switch {
	case in.h == nil:
	case in.h.forget(in):
		in.remember(nil, nil, false)
		in.discard()
	case in.h.memory != nil && in.h.memory.forget(in):
		in.discard()
	}
}

// cutOff stops a large answer, or what is left of a stream, half way: nobody
// wants it any more.
func (in *incoming) cutOff() {
	s := in.s
	s.mu.Lock()
	cut := !in.outFlow().Empty()
	if cut && s.q.Remove(in.outFlow()) && in.stream == nil {
		in.payload.buf = Buf{} // a part of it may be in what is written now
	}
	s.mu.Unlock()
	if cut {
		in.conclude(&refusal{reset: true, code: Canceled})
		if in.stream == nil { // its finish does it
			in.discard()
		}
	}
}

func (in *incoming) outFlow() *sched.Flow {
	if in.stream != nil {
		return &in.stream.core.flow
	}
	return &in.call.flow
}

// conclude has the end of the request said in the control class.
func (in *incoming) conclude(r *refusal) {
	s := in.s
	s.mu.Lock()
	s.q.Remove(in.outFlow())
	in.refusal = r
	if in.stream != nil {
		in.stream.core.silent, in.stream.core.welcome = true, false
		in.stream.core.tellSender(false)
	}
	in.mark.Of = (*incomingControl)(in)
	s.q.Set(&in.mark)
	wake := s.wakeWriter()
	s.mu.Unlock()
	if wake {
		s.kick()
	}
}

// lose ends a request with its session.
func (in *incoming) lose() {
	if !in.state.CompareAndSwap(open, decided) {
		return
	}
	in.stopTimer()
	cause := in.s.lost(MaybeExecuted)
	in.ctx.end(cause)
	if in.stream != nil {
		in.stream.cut(cause)
	}
	in.dequeue()
}

// incomingControl says how a request ended.
type incomingControl incoming

func (c *incomingControl) AppendControl(b []byte) []byte {
	in := (*incoming)(c)
	r := in.refusal
	in.gone()
	if r.reset {
		return frame.Header{Type: frame.Reset, Code: uint16(r.code), ID: in.id}.Append(b)
	}
	t := frame.Reply
	if in.stream != nil {
		t = frame.End
	}
	return appendFailure(b, frame.Header{Type: t, Code: uint16(r.code), ID: in.id}, &r.failure)
}
