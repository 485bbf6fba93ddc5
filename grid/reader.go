package grid

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"sync/atomic"

	"github.com/ratmom/ratmom/grid/internal/frame"
	"github.com/ratmom/ratmom/grid/internal/ws"
)

// readerState is what only the goroutine that reads uses, but for bulk.
type readerState struct {
	buf      []byte // for short batches
	bulk     atomic.Uint64
	credited uint64
	ext      frame.Extensions
	now      int64 // when the batch was read

	// Slots of requests that ended, to be given back together.
	freedCalls, freedStreams []uint32
}

const (
	maxBatch  = 1 << 20
	shortRead = 16 << 10
	creditAt  = 64 << 10 // bytes of large messages after which they are acknowledged
)

// read takes in batches until the session ends. It never waits for anything
// but the connection, and never sends.
func (s *session) read() {
	for {
		n, err := s.conn.Next()
		if err == nil {
			err = s.batch(n)
		}
		if err != nil {
			s.readEnded(err)
			return
		}
	}
}

// readEnded ends the session because of err. A close frame is answered before, and what WebSocket
// does not allow is called so with one (RFC 6455, section 7.1.7).
func (s *session) readEnded(err error) {
	why := s.readError(err)
	code := 0
	var closed *ws.CloseError
	var wrong *ws.ProtocolError
	switch {
	case errors.As(err, &closed):
		code = closed.Code
	case errors.As(err, &wrong):
		code = wrong.Code
	}
	if code != 0 && s.answerClose(code, why) {
		<-s.gone
		return
	}
	s.end(why)
}

// answerClose has the writer send a close frame, and end the session then. It reports false if one was sent
// from here already.
func (s *session) answerClose(code int, why error) bool {
	s.mu.Lock()
	if s.cause != nil || s.closed {
		s.mu.Unlock()
		return false
	}
	s.notes.close = &closeAnswer{code, why}
	s.unlockAndWake()
	return true
}

func (s *session) readError(err error) error {
	s.mu.Lock()
	closing := s.closing
	s.mu.Unlock()
	var closed *ws.CloseError
	if closing || errors.As(err, &closed) && closed.Code == ws.CloseGoingAway {
		return errGoodbye
	}
	return err
}

// batch reads one and does what its frames say. n is -1 if its length is not known.
func (s *session) batch(n int) error {
	if n > maxBatch {
		return protocolError("a batch that is too long")
	}
	b := s.reader.buf
	if n > shortRead || n < 0 {
		if n < 0 {
			n = maxBatch
		}
		large := newBuf(n)
		defer large.Release()
		b = large.Bytes()
	} else if b == nil {
		b = make([]byte, shortRead)
		s.reader.buf = b
	}
	got := 0
	for got < n {
		m, err := s.conn.Read(b[got:n])
		got += m
		s.reader.now = s.clock.now()
		s.heard.Store(s.reader.now)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
	}
	b = b[:got]
	s.stats.read(got)
	if s.sum {
		if len(b) < 4 {
			return protocolError("a batch without its checksum")
		}
		body := b[:len(b)-4]
		if crc32.Checksum(body, castagnoli) != binary.BigEndian.Uint32(b[len(body):]) {
			return protocolError("a batch with a wrong checksum")
		}
		b = body
	}
	err := s.frames(b)
	s.settle()
	return err
}

func (s *session) frames(b []byte) error {
	frames := uint64(0)
	for len(b) > 0 {
		h, ext, payload, rest, err := frame.Parse(b)
		if err != nil {
			return protocolError(err.Error())
		}
		frames++
		if h.Flags&frame.Bulk != 0 {
			s.reader.bulk.Store(s.reader.bulk.Load() + uint64(len(payload)))
		}
		s.reader.ext.Has = 0
		if len(ext) > 0 {
			if err := s.reader.ext.Parse(ext); err != nil {
				return protocolError(err.Error())
			}
		}
		if err := s.frame(h, payload); err != nil {
			return err
		}
		b = rest
	}
	s.stats.framesIn.Add(frames)
	return nil
}

func (s *session) frame(h frame.Header, payload []byte) error {
	switch h.Type {
	case frame.Nop:
		return nil
	case frame.Ping, frame.Pong, frame.ConnCredit:
		if len(payload) != 8 {
			return protocolError(h.Type.String() + " of a wrong length")
		}
		return s.number(h.Type, binary.BigEndian.Uint64(payload))
	case frame.Goaway:
		return s.onGoaway(h, payload)
	case frame.Hello, frame.Welcome:
		return protocolError(h.Type.String() + " after the handshake")
	}
	if h.ID&1 == s.slots.side {
		return s.onIssued(h, payload)
	}
	return s.onServed(h, payload)
}

// number takes in a control frame whose payload is a number.
func (s *session) number(t frame.Type, n uint64) error {
	s.mu.Lock()
	switch t {
	case frame.Ping:
		s.notes.pong, s.notes.pongNonce = true, n
		s.q.Set(&s.mark)
	case frame.Pong:
		if d, ok := s.pings.answered(n, s.reader.now); ok {
			s.rtt.Store(d)
			s.window.RTT(d, s.reader.now)
		}
	case frame.ConnCredit:
		if !s.q.Ack(n) {
			s.mu.Unlock()
			return protocolError("an acknowledgement of what was not sent")
		}
		s.window.Acked(n, s.reader.now, s.q.Bulk())
	}
	s.q.BulkLimit = s.window.Limit()
	wake := s.wakeWriter()
	s.mu.Unlock()
	if wake {
		s.kick()
	}
	return nil
}

// onWebSocketPing has a ping of the WebSocket itself answered, which libraries of others send.
func (s *session) onWebSocketPing(payload []byte) {
	s.heard.Store(s.clock.now())
	s.mu.Lock()
	s.notes.echo = append(make([]byte, 0, 1), payload...)
	s.unlockAndWake()
}

func (s *session) onGoaway(h frame.Header, payload []byte) error {
	e, err := s.received(h.Code, payload)
	if err != nil {
		return err
	}
	s.mu.Lock()
	again := s.farewell
	s.refuse, s.farewell = true, true
	s.checkQuiet()
	s.mu.Unlock()
	if again {
		return nil
	}
	s.c.leaving(s, e)
	s.goaway(Code(h.Code), "")
	return nil
}

// settle does at the end of a batch what its frames had in common.
func (s *session) settle() {
	r := &s.reader
	bulk := r.bulk.Load()
	credit := bulk-r.credited >= creditAt
	if !credit && len(r.freedCalls) == 0 && len(r.freedStreams) == 0 {
		return
	}
	s.mu.Lock()
	if credit {
		r.credited = bulk
		s.notes.credit = true
		s.q.Set(&s.mark)
	}
	for _, id := range r.freedCalls {
		s.slots.put(id)
	}
	for _, id := range r.freedStreams {
		s.slots.put(id)
	}
	s.calls.put(len(r.freedCalls))
	s.streams.put(len(r.freedStreams))
	s.checkQuiet()
	wake := credit && s.wakeWriter()
	s.mu.Unlock()
	r.freedCalls, r.freedStreams = r.freedCalls[:0], r.freedStreams[:0]
	if wake {
		s.kick()
	}
}
