package grid

import "github.com/ratmom/ratmom/grid/internal/frame"

// onIssued does what a frame about a request of this side says.
func (s *session) onIssued(h frame.Header, payload []byte) error {
	r := s.issued.get(slotOf(h.ID))
	state := frame.IssuedAbsent
	switch {
	case r == nil || r.id != h.ID:
	case r.state.Load() == givenUp:
		state = frame.IssuedGivenUp
	case r.stream != nil:
		state = frame.IssuedStream
	default:
		state = frame.IssuedCall
	}
	switch frame.Decide(h, state) {
	case frame.Refuse:
		return protocolError(h.Type.String() + " that belongs to nothing")
	case frame.Ignore:
		return nil
	}
	switch h.Type {
	case frame.Reply:
		return s.onReply(r, h, payload)
	case frame.Data:
		return r.stream.receive(h, &s.reader.ext, payload)
	case frame.Credit:
		return r.stream.onCredit(h, payload)
	}
	return s.onEnd(r, h, payload) // End, Reset
}

// onReply takes a fragment of the answer to a call.
func (s *session) onReply(r *request, h frame.Header, payload []byte) error {
	if r.stream != nil {
		return protocolError("REPLY to a stream")
	}
	if h.Flags&frame.Err != 0 {
		e, err := s.received(h.Code, payload)
		if err != nil {
			return err
		}
		s.drop(&r.asm)
		s.free(r)
		r.decide(Buf{}, nil, e)
		return nil
	}
	if h.Flags&(frame.First|frame.More) == frame.First && !r.asm.active {
		s.free(r)
		s.answer(r, message{}, payload)
		return nil
	}
	if r.state.Load() == givenUp {
		s.drop(&r.asm)
		if h.Flags&frame.More == 0 {
			s.free(r)
		}
		return nil
	}
	m, done, code, err := s.add(&r.asm, h, &s.reader.ext, payload)
	switch {
	case err != nil:
		return err
	case code != 0:
		if _, ok := s.giveUp(r, code); ok {
			r.err = s.c.fail(code, MaybeExecuted, "the answer has no room here")
			r.done <- struct{}{}
		}
	case done:
		s.free(r)
		s.answer(r, m, m.buf.Bytes())
	}
	return nil
}

// answer delivers an answer that is whole. It is m, or if that is empty, payload, of which a copy is made.
func (s *session) answer(r *request, m message, payload []byte) {
	defer s.release(m.reserved)
	if r.state.Load() != open {
		m.buf.Release()
		return
	}
	buf, data := m.buf, []byte(nil)
	switch {
	case r.pooled && buf.p == nil:
		buf = copyBuf(payload)
	case r.pooled:
	case buf.wellFilled():
		data, buf = buf.p, Buf{} // left to the garbage collector with its reader
	default:
		data = make([]byte, len(payload))
		copy(data, payload)
		buf.Release()
		buf = Buf{}
	}
	if !r.decide(buf, data, nil) {
		buf.Release()
	}
}

// onEnd takes the end of a stream, or the peer's word that what was given up has
// ended.
func (s *session) onEnd(r *request, h frame.Header, payload []byte) error {
	var e *Error
	if h.Flags&frame.Err != 0 {
		var err error
		if e, err = s.received(h.Code, payload); err != nil {
			return err
		}
	}
	stream := r.stream
	if stream != nil && h.Type == frame.End && e == nil && stream.cutShort() {
		return errAmid // the stream is still in its slot, and ends with the session
	}
	s.free(r)
	if stream == nil {
		s.drop(&r.asm)
		if h.Type == frame.End {
			return protocolError("END of a call")
		}
		if e == nil {
			e = s.c.fail(Code(h.Code), MaybeExecuted, "")
			e.Remote = true
		}
		r.decide(Buf{}, nil, e)
		return nil
	}
	if h.Type == frame.Reset && e == nil {
		e = s.c.fail(Code(h.Code), MaybeExecuted, "")
		e.Remote = true
	}
	return stream.onEnd(e)
}

// free takes a request out of its slot, which is given back with others at the end of
// the batch.
func (s *session) free(r *request) {
	if !s.issued.remove(slotOf(r.id), r) {
		return // the caller has, as it was not sent
	}
	if r.bulk != nil {
		// It may have been refused before all of it was sent. The memory is the caller's again.
		s.mu.Lock()
		s.q.Remove(&r.bulk.flow)
		s.mu.Unlock()
	}
	if r.stream != nil {
		s.reader.freedStreams = append(s.reader.freedStreams, r.id)
	} else {
		s.reader.freedCalls = append(s.reader.freedCalls, r.id)
	}
}
