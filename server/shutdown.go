package server

import (
	"context"
	"errors"
	"math/rand/v2"
	"net"
	"time"
)

// patience is how long Shutdown leaves a connection alone whose first request may be on its way.
const patience = 5 * time.Second

// RegisterOnShutdown has a function called, in a goroutine of its own, when Shutdown begins: to end
// connections that were hijacked.
func (s *Server) RegisterOnShutdown(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ends = append(s.ends, f)
}

// Shutdown closes the listeners, then the idle connections, and waits until the others have had their
// answers: those say Connection: close, HTTP/2 says GOAWAY. If the context ends first, its error is
// returned, and what is left goes on; see Close. Hijacked connections are nobody's. A handler or a hook
// that calls it waits for its own connection, too, and does better to use another goroutine.
func (s *Server) Shutdown(ctx context.Context) error {
	err := s.endListening()
	s.mu.Lock()
	for _, f := range s.ends {
		go s.end(f)
	}
	s.mu.Unlock()
	s.http2.shutdown(ctx)
	begun := time.Now()
	pause := time.Millisecond
	timer := time.NewTimer(pause)
	defer timer.Stop()
	for {
		if s.closeIdle(time.Since(begun) < patience) == 0 {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-timer.C:
			pause = min(2*pause, 250*time.Millisecond)
			timer.Reset(pause + rand.N(pause/10+1))
		}
	}
}

// end calls one of RegisterOnShutdown's.
func (s *Server) end(f func()) {
	defer s.recovered("at Shutdown")
	f()
}

// Close closes the listeners and all connections at once; it does not wait for handlers, whose
// contexts are cancelled. Handlers and hooks may call it.
func (s *Server) Close() error {
	err := s.endListening()
	for _, c := range s.all() {
		c.abort()
	}
	s.http2.close()
	return err
}

// endListening lets no new connection in, and none be kept alive.
func (s *Server) endListening() error {
	s.prepare()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ending.Store(true)
	var err error
	for l := range s.listeners {
		delete(s.listeners, l)
		if e := (*l).Close(); !errors.Is(e, net.ErrClosed) {
			err = errors.Join(err, e)
		}
	}
	return err
}

// closeIdle reports how many connections and accept loops are left.
func (s *Server) closeIdle(patient bool) int {
	for _, c := range s.all() {
		c.closeIfIdle(patient)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.conns) + s.serving
}

func (s *Server) all() []*conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]*conn, 0, len(s.conns))
	for c := range s.conns {
		all = append(all, c)
	}
	return all
}
