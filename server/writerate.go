package server

import (
	"io"
	"net"
	"sync/atomic"
	"time"
)

// pieceSize is how much is given to a connection at a time that cannot tell what its client has taken.
const pieceSize = 64 << 10

// writing is what is known of a connection's writes. Those cost two stores; the clock is looked at by
// the patrol alone.
type writing struct {
	piece atomic.Int64 // bytes of the write that is under way, or 0
	sent  atomic.Int64 // by those that have ended

	// The patrol's: since when a write has been under way whenever it came by, and what the client had
	// taken then.
	since time.Time
	from  int64
}

// write writes to the socket.
func (c *conn) write(p []byte) (int, error) {
	if !c.writesWhole && len(p) > pieceSize {
		return c.writePieces(p)
	}
	c.writing.piece.Store(int64(len(p)))
	n, err := c.rwc.Write(p)
	c.writing.end(int64(n))
	return n, err
}

func (w *writing) end(n int64) {
	w.sent.Add(n)
	w.piece.Store(0)
}

func (c *conn) writePieces(p []byte) (n int, err error) {
	for n < len(p) && err == nil {
		var m int
		m, err = c.write(p[n:min(len(p), n+pieceSize)])
		n += m
	}
	return n, err
}

// writeBoth writes two parts, in one system call where that can be.
func (c *conn) writeBoth(a, b []byte) error {
	if len(a) == 0 {
		_, err := c.write(b)
		return err
	}
	if !c.writesWhole {
		_, err := c.write(a)
		if err == nil {
			_, err = c.write(b)
		}
		return err
	}
	parts := net.Buffers{a, b}
	c.writing.piece.Store(int64(len(a) + len(b)))
	n, err := parts.WriteTo(c.rwc)
	c.writing.end(n)
	return err
}

// writeFrom has the kernel send from a file or, where nobody looks after slow clients, another socket.
func (c *conn) writeFrom(socket *net.TCPConn, src *io.LimitedReader) (n int64, err error) {
	for left := src.N; ; {
		part := left
		if !c.writesWhole {
			part = min(left, pieceSize)
		}
		src.N = part
		c.writing.piece.Store(max(part, 1))
		m, err := socket.ReadFrom(src)
		c.writing.end(m)
		n, left = n+m, left-m
		if err != nil || m < part || left == 0 {
			src.N = left
			return n, err
		}
	}
}

// tooSlow is the patrol's question: whether the client has taken too little over the whole time, and
// still has somebody wait. acknowledged may know better than the writes what it has taken.
func (w *writing) tooSlow(now time.Time, l *Limits, acknowledged func() (int64, bool)) bool {
	piece := w.piece.Load()
	if piece == 0 {
		w.since = time.Time{}
		return false
	}
	taken, exact := acknowledged()
	if !exact {
		taken = w.sent.Load()
	}
	if w.since.IsZero() {
		w.since, w.from = now, taken
		return false
	}
	passed := now.Sub(w.since)
	if passed < l.WriteGrace {
		return false
	}
	least := int64(float64(l.WriteRate) * passed.Seconds())
	if taken-w.from >= least {
		w.since, w.from = now, taken
		return false
	}
	if !exact {
		taken += piece // it may have all of that but the last byte
	}
	return taken-w.from < least
}

// rounds is how often the patrol comes by within WriteGrace.
const rounds = 4

// startPatrol looks after those who wait for slow clients, as long as there are connections. The lock
// is held.
func (s *Server) startPatrol() {
	if s.limits.WriteRate > 0 && s.patrol == nil {
		s.patrol = time.AfterFunc(s.limits.WriteGrace/rounds, s.goRound)
	}
}

func (s *Server) goRound() {
	now := time.Now()
	for _, c := range s.all() {
		if c.writing.tooSlow(now, &s.limits, c.acknowledged) && c.enter() {
			go func() {
				defer c.leave()
				c.abort()
			}()
		}
	}
	s.mu.Lock()
	for st := range s.streams {
		if st.writing.tooSlow(now, &s.limits, func() (int64, bool) { return 0, false }) {
			go st.cut()
		}
	}
	defer s.mu.Unlock()
	s.patrol = nil
	if len(s.conns) > 0 {
		s.startPatrol()
	}
}
