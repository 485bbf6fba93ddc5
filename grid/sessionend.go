package grid

import (
	"crypto/tls"
	"log/slog"
	"net"
)

// end ends the session, with an error that says why. Only the first call does. What
// runs on it ends once its reader and its writer have.
func (s *session) end(why error) {
	s.mu.Lock()
	if s.cause != nil {
		s.mu.Unlock()
		return
	}
	s.cause = &Error{Code: Disconnected, Message: why.Error(), Peer: s.c.name, cause: why}
	s.dog.Stop()
	for _, quota := range [...]*quota{&s.calls, &s.streams} {
		quota.limit = 1 << 30 // those who wait learn of it
		quota.put(0)
	}
	if s.room != nil {
		close(s.room)
		s.room = nil
	}
	if s.nothing != nil {
		select {
		case <-s.nothing:
		default:
			close(s.nothing)
		}
	}
	s.mu.Unlock()

	s.c.sessionEnded(s, why)
	close(s.gone)
	s.hangUp()
	s.kick()
	s.m.log.LogAttrs(s.m.ctx, slog.LevelInfo, "grid: connection ended", slog.String("peer", s.c.name), slog.String("why", why.Error()))
}

// hangUp closes the connection. TLS would first say goodbye, which can block.
func (s *session) hangUp() {
	if c, ok := s.conn.(interface{ NetConn() net.Conn }); ok {
		if t, ok := c.NetConn().(*tls.Conn); ok {
			_ = t.NetConn().Close()
			return
		}
	}
	_ = s.conn.Close()
}

// clear ends all that runs on the session. Its reader and its writer have ended, so
// that nobody else decides the outcome of what is still in the tables, but for
// callers that give up.
func (s *session) clear() {
	s.mu.Lock()
	// What still waits here was not sent, and will not be.
	s.issued.all(func(r *request) {
		if s.waits(r) {
			r.sent = NotSent
		}
	})
	s.q.Drop()
	s.dropped = true
	s.mu.Unlock()
	s.issued.all(func(r *request) {
		s.issued.set(slotOf(r.id), nil)
		r.lose()
	})
	s.served.all(func(in *incoming) { in.lose() })
}

// lost is the cause with what is to be said about one request.
func (s *session) lost(sent Sent) *Error {
	e := *s.cause
	e.Sent = sent
	return &e
}
