package grid

import (
	"encoding/binary"
	"hash/crc32"
	"net"
	"runtime"

	"github.com/ratmom/ratmom/grid/internal/frame"
	"github.com/ratmom/ratmom/grid/internal/sched"
	"github.com/ratmom/ratmom/grid/internal/ws"
)

// fewBytes is how little is worth a moment's wait for more.
const fewBytes = 4 << 10

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// write sends batches until the session ends.
func (s *session) write() {
	var (
		batch   sched.Batch
		parts   net.Buffers
		trailer [4]byte
		breath  breath
	)
	for {
		if !s.waitForWork(&breath) {
			return
		}
		now := s.clock.now()
		if !s.q.Next(&batch, now) {
			s.mu.Unlock()
			continue
		}
		s.window.Sent(s.q.Sent(), now)
		if s.room != nil && s.q.Bytes() <= s.m.limits.SendQueue/2 {
			close(s.room)
			s.room = nil
		}
		s.mu.Unlock()

		parts = batch.Parts(parts[:0])
		if s.sum {
			binary.BigEndian.PutUint32(trailer[:], checksum(parts))
			parts = append(parts, trailer[:])
		}
		s.writing.Store(now)
		err := s.conn.WriteOver(parts)
		s.writing.Store(0)
		s.stats.wrote(parts)
		clear(parts)
		batch.Release()
		if err != nil {
			s.end(err)
			return
		}
	}
}

// waitForWork returns with the lock held once there is something to send, or
// without it and false when the session has ended.
func (s *session) waitForWork(breath *breath) bool {
	yielded := false
	for {
		s.mu.Lock()
		switch {
		case s.cause != nil:
			s.mu.Unlock()
			return false
		case s.notes.close != nil:
			answer := s.notes.close
			s.closed = true
			s.mu.Unlock()
			s.writing.Store(s.clock.now())
			_ = s.conn.WriteClose(answer.code, "")
			s.writing.Store(0)
			s.end(answer.why)
			return false
		case s.notes.echo != nil:
			echo := s.notes.echo
			s.notes.echo = nil
			s.mu.Unlock()
			s.writing.Store(s.clock.now())
			err := s.conn.WritePong(echo)
			s.writing.Store(0)
			if err != nil {
				s.end(err)
				return false
			}
		case s.q.Empty():
			if s.closing {
				s.closed = true
				s.mu.Unlock()
				_ = s.conn.WriteClose(ws.CloseGoingAway, "")
				// The peer closes when it has read all, or the watchdog does.
				return false
			}
			s.idle = true
			s.mu.Unlock()
			<-s.wake
		case !yielded && s.q.Size() < fewBytes && breath.take(s.clock.now()):
			// Those who are about to send do it now, and share the write.
			yielded = true
			s.mu.Unlock()
			runtime.Gosched()
			breath.taken(s.clock.now())
		default:
			return true
		}
	}
}

func checksum(parts net.Buffers) (sum uint32) {
	for _, p := range parts {
		sum = crc32.Update(sum, castagnoli, p)
	}
	return sum
}

// sessionControl makes the control frames of the session itself.
type sessionControl session

func (c *sessionControl) AppendControl(b []byte) []byte {
	s := (*session)(c)
	n := &s.notes
	if n.pong {
		n.pong = false
		b = appendNumber(b, frame.Pong, n.pongNonce)
	}
	if n.ping {
		n.ping = false
		s.pings.add(n.pingNonce, s.clock.now(), s.m.timing.Dead)
		b = appendNumber(b, frame.Ping, n.pingNonce)
	}
	if n.credit {
		n.credit = false
		b = appendNumber(b, frame.ConnCredit, s.reader.bulk.Load())
	}
	return b
}

func appendNumber(b []byte, t frame.Type, n uint64) []byte {
	b = frame.Header{Type: t, Length: 8}.Append(b)
	return binary.BigEndian.AppendUint64(b, n)
}

// appendFailure appends a frame that says an error.
func appendFailure(b []byte, h frame.Header, f *frame.Failure) []byte {
	h.Flags |= frame.Err
	at := len(b)
	b = f.Append(h.Append(b))
	h.Length = len(b) - at - frame.HeaderLen
	h.Append(b[:at])
	return b
}
