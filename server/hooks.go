package server

import (
	"log"
	"net/http"
	"runtime"
)

// recovered is deferred around code of the user's that is no handler: its panic is logged, and ends
// nothing but the call.
func (s *Server) recovered(where string) {
	if v := recover(); v != nil {
		s.logPanic(where, v)
	}
}

func (s *Server) logPanic(where string, v any) {
	if v == http.ErrAbortHandler {
		return
	}
	stack := make([]byte, 64<<10)
	s.logf("server: panic %s: %v\n%s", where, v, stack[:runtime.Stack(stack, false)])
}

// logf logs. A log that panics is one that says nothing.
func (s *Server) logf(format string, args ...any) {
	defer func() { _ = recover() }()
	if s.ErrorLog != nil {
		s.ErrorLog.Printf(format, args...)
	} else {
		log.Printf(format, args...)
	}
}

// logWriter is logf for who wants a logger.
type logWriter struct{ server *Server }

// Write is io.Writer.
func (w logWriter) Write(line []byte) (int, error) {
	w.server.logf("%s", line)
	return len(line), nil
}

func (s *Server) stateChanged(c *conn, state State) {
	if s.StateChange != nil {
		defer s.recovered("in StateChange")
		s.StateChange(c.rwc, state)
	}
}

// connState calls the hook of net/http's habit.
func (c *conn) connState(s http.ConnState) {
	c.mu.Lock()
	c.connStateLocked(s)
}

// connStateLocked is connState for a holder of the lock, which it gives back: what is decided in
// order is told in order. The hook may call whatever it likes, so nothing is held meanwhile. If it does not
// return, the connection is closed: it may have been there to refuse.
func (c *conn) connStateLocked(s http.ConnState) (returned bool) {
	h := c.server.ConnState
	if h == nil {
		c.mu.Unlock()
		return true
	}
	turn := c.telling
	c.telling++
	for c.told != turn {
		c.changed.Wait()
	}
	c.mu.Unlock()
	defer func() {
		if !returned {
			// A panic, or runtime.Goexit.
			if v := recover(); v != nil {
				c.server.logPanic("in ConnState", v)
			}
			c.abort()
		}
		c.mu.Lock()
		c.told++
		c.changed.Broadcast()
		c.mu.Unlock()
	}()
	h(c.rwc, s)
	return true
}
