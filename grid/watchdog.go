package grid

import (
	"errors"
	"time"
)

// Why a session ends.
var (
	errSilent  = errors.New("the peer is silent")
	errStuck   = errors.New("the peer does not read")
	errGoodbye = errors.New("the connection was closed in good order")
	errExit    = errors.New("an inline handler has ended the goroutine that reads")
)

// look is how long the watchdog sleeps at most, so that pings that are far apart do not make it late for a write.
func (t *Timing) look() time.Duration { return min(t.Ping/4, t.Write) }

// watch looks after a session from outside: neither its reader nor its writer
// needs to notice that the other side is gone.
func (s *session) watch() {
	now := s.clock.now()
	t := &s.m.timing
	quiet := time.Duration(now - s.heard.Load())
	writing := s.writing.Load()
	if writing != 0 {
		writing = s.progress.since(s.conn, writing, now)
	}
	switch {
	case quiet >= t.Dead:
		s.end(errSilent)
		return
	case writing != 0 && time.Duration(now-writing) >= t.Write:
		s.end(errStuck)
		return
	}
	s.mu.Lock()
	if s.cause != nil {
		s.mu.Unlock()
		return
	}
	if s.closedAt != 0 && time.Duration(now-s.closedAt) >= t.Write {
		s.mu.Unlock()
		s.end(errGoodbye)
		return
	}
	next := t.look()
	switch {
	case quiet >= t.Ping:
		next = min(next, t.Dead-quiet)
		s.ping()
	case s.q.Sent() != s.bulkAt: // the round trip is needed for the window
		s.ping()
	default:
		next = min(next, t.Ping-quiet)
	}
	if writing != 0 {
		next = min(next, t.Write-time.Duration(now-writing))
	}
	s.bulkAt = s.q.Sent()
	s.dog.Reset(max(next, time.Millisecond))
	s.unlockAndWake()
}
