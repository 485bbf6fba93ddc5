package grid

import (
	"time"

	"github.com/ratmom/ratmom/grid/internal/frame"
	"github.com/ratmom/ratmom/grid/internal/sched"
)

// Call is a single request as its handler sees it.
type Call struct {
	incoming

	// Of a large answer, under the session's lock.
	flow sched.Flow
	msg  sched.Message
}

// onServed does what a frame about a request of the peer says.
func (s *session) onServed(h frame.Header, payload []byte) error {
	in := s.served.get(slotOf(h.ID))
	state := frame.ServedAbsent
	if in != nil && in.id == h.ID {
		if in.state.Load() == open {
			state = in.phase
		} else if h.Type == frame.Reset {
			in.reset(Code(h.Code))
			return nil
		}
	}
	switch frame.Decide(h, state) {
	case frame.Refuse:
		return protocolError(h.Type.String() + " at a wrong time")
	case frame.Ignore:
		return nil
	case frame.Start:
		if in != nil {
			return protocolError("a request in a slot that is taken")
		}
		return s.begin(h, payload)
	}
	switch h.Type {
	case frame.Call, frame.Open:
		return in.request(h, payload)
	case frame.Data:
		return in.stream.receive(h, &s.reader.ext, payload)
	case frame.Credit:
		return in.stream.onCredit(h, payload)
	case frame.End:
		in.phase = frame.ServedHalf
		return in.stream.onEnd(nil)
	}
	in.reset(Code(h.Code))
	return nil
}

// begin takes the first fragment of a request.
func (s *session) begin(h frame.Header, payload []byte) error {
	var in *incoming
	kind, limit := 0, s.m.limits.Calls
	if h.Type == frame.Open {
		kind, limit = 1, s.m.limits.Streams
		st := &ServerStream{}
		in = &st.incoming
		in.stream = st
	} else {
		c := &Call{}
		in = &c.incoming
		in.call = c
	}
	slot := slotOf(h.ID)
	if slot >= uint32(s.m.limits.Calls+s.m.limits.Streams) || s.servedN[kind].Load() >= int32(limit) {
		return protocolError("more requests at a time than allowed")
	}
	ext := &s.reader.ext
	in.s, in.id, in.handler, in.phase = s, h.ID, HandlerID(h.Code), frame.ServedRequest
	in.arrived = s.reader.now
	in.has, in.subroute, in.key = ext.Has, ext.Subroute, ext.Key
	in.ctx.clock = s.clock
	if ext.Has&frame.HasDeadline != 0 {
		in.ctx.until = in.arrived + int64(ext.Deadline)*int64(time.Millisecond)
	}
	if ext.Has&frame.HasTrace != 0 {
		in.trace, in.traced = ext.Trace, true
	}
	if in.stream != nil {
		in.stream.core.init(s, h.ID)
		if ext.Has&frame.HasWindow == 0 || ext.Window < minWindow || ext.Window > maxWindow {
			return protocolError("a stream without a valid window")
		}
		in.stream.core.sendWindow, in.stream.core.credit = int64(ext.Window), int64(ext.Window)
	}
	s.servedN[kind].Add(1)
	s.served.set(slot, in)
	return in.request(h, payload)
}

// request takes a fragment of a request, and starts it after the last.
func (in *incoming) request(h frame.Header, payload []byte) error {
	s := in.s
	if (h.Type == frame.Open) != (in.stream != nil) {
		return protocolError("fragments of a call and of a stream mixed up")
	}
	m, done, code, err := s.add(&in.asm, h, &s.reader.ext, payload)
	switch {
	case err != nil:
		return err
	case code != 0:
		in.refuse(code, "the request has no room here")
		return nil
	case !done:
		return nil
	}
	in.payload = m
	in.phase = frame.ServedCall
	if in.stream != nil {
		in.phase = frame.ServedStream
	}
	if code, text := in.admit(len(in.Payload())); code != 0 {
		in.refuse(code, text)
		in.discard()
	}
	return nil
}

// admit finds the handler and has it run, or says why it does not.
func (in *incoming) admit(size int) (Code, string) {
	s := in.s
	if s.leaving.Load() {
		return Draining, "the server is going away"
	}
	h := s.m.handlers.find(in.handler, in.has&frame.HasSubroute != 0, in.subroute)
	switch {
	case h == nil:
		return UnknownHandler, in.unknown()
	case (h.stream != nil) != (in.stream != nil):
		if h.stream != nil {
			return UnknownHandler, "the handler is for streams"
		}
		return UnknownHandler, "the handler is for single requests"
	}
	in.h = h
	if h.timeout > 0 {
		until := later(in.arrived, h.timeout)
		if in.ctx.until == 0 || until < in.ctx.until {
			in.ctx.until = until
		}
		in.timer = time.AfterFunc(time.Duration(until-s.reader.now), in.late)
	}
	if in.has&frame.HasDeadline != 0 && in.ctx.until <= in.arrived {
		return DeadlineExceeded, "the deadline passed on the way"
	}
	h.bytesIn.Add(uint64(size))
	return in.place(h)
}

// place has the handler run, now or when it is its turn, or says why not. A repeated request gets the
// answer of the first.
func (in *incoming) place(h *handler) (Code, string) {
	s := in.s
	if h.memory != nil && in.has&frame.HasKey != 0 {
		e, done, waits := h.memory.begin(in, in.key, s.clock.now())
		switch {
		case waits:
			return 0, ""
		case done:
			in.known = e
			in.start()
			return 0, ""
		}
		in.first = e
	}
	if in.stream != nil {
		in.stream.accept(h)
	}
	if h.inline && in.stream == nil && s.canInline() && h.enter() {
		in.inlined = true
		in.run()
		return 0, ""
	}
	if !h.admit(in) {
		h.overloaded.Add(1)
		in.remember(nil, nil, false)
		return Overloaded, "too many requests wait for the handler"
	}
	return 0, ""
}

// canInline reports whether an answer can be queued without waiting.
func (s *session) canInline() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.full()
}

func (in *incoming) unknown() string {
	if in.has&frame.HasSubroute != 0 {
		return "no handler of this id has the subroute"
	}
	return ""
}

// late answers for a handler that took longer than its Timeout.
func (in *incoming) late() {
	if !in.state.CompareAndSwap(open, decided) {
		return
	}
	cause := in.s.c.fail(DeadlineExceeded, MaybeExecuted, "the handler took too long")
	in.conclude(&refusal{code: DeadlineExceeded, failure: frame.Failure{Message: cause.Message}})
	in.ctx.end(cause)
	if in.stream != nil {
		in.stream.cut(cause)
	}
	in.dequeue()
}
