package server

import (
	"context"
	"crypto/tls"
	"log"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// Server serves HTTP. Its zero value works; its fields must not be changed once it serves. Fields with
// the names of http.Server's mean the same, but for the defaults of the times.
type Server struct {
	// Addr is what ListenAndServe listens on; empty is ":http", or ":https" with TLS.
	Addr string
	// Handler answers the requests; nil is http.DefaultServeMux. An answer to OPTIONS * is the
	// server's own, unless DisableGeneralOptionsHandler is set.
	Handler http.Handler
	// TLSConfig is for ServeTLS and ListenAndServeTLS.
	TLSConfig *tls.Config
	// Protocols says what is spoken; nil is HTTP/1 and, over TLS, HTTP/2. HTTP/2 in clear text (with
	// prior knowledge) must be asked for.
	Protocols *http.Protocols
	// DisableGeneralOptionsHandler gives OPTIONS * to the Handler.
	DisableGeneralOptionsHandler bool

	// Pipeline is how many requests of one HTTP/1.1 connection may be at work besides the one whose
	// turn it is to answer. Only safe methods (GET, HEAD, OPTIONS, TRACE) run ahead; any other waits
	// until all before it are answered, and all behind it wait. Default 0: one at a time.
	Pipeline int
	// HalfClose takes the end of a client's bytes (FIN) for what it is: the client has nothing more to
	// ask and waits for the answers. By default it cancels the requests' contexts, as in net/http. The
	// answers are written either way.
	HalfClose bool
	// Limits bound what a client can cost.
	Limits Limits
	// Relax names what may be let through that is refused by default.
	Relax Relax

	// ReadTimeout is for a whole request with its body, from its first bytes. Default: none.
	ReadTimeout time.Duration
	// ReadHeaderTimeout is for a request's head, from its first byte, or from the beginning of the
	// connection for its first one. Beyond it the answer is 408, or none if not a byte came. Zero is ReadTimeout, or 30 seconds if that is zero
	// too; negative is none.
	ReadHeaderTimeout time.Duration
	// WriteTimeout is for an answer, from the moment that the request's head has been read and it is
	// its turn. Default: none.
	WriteTimeout time.Duration
	// IdleTimeout is how long a connection may wait for its next request. Zero is ReadTimeout, or 2
	// minutes if that is zero too; negative is none.
	IdleTimeout time.Duration

	// ConnState is told of connections as http.Server tells it. StateClosed comes when the last
	// handler has returned. If it panics, the connection is closed.
	ConnState func(net.Conn, http.ConnState)
	// StateChange is told when a connection becomes Closed and when it becomes Dead. A connection that
	// was hijacked becomes neither.
	StateChange func(net.Conn, State)
	// BaseContext gives the context that those of the requests come from; nil is the background.
	BaseContext func(net.Listener) context.Context
	// ConnContext makes the context of a connection from that.
	ConnContext func(context.Context, net.Conn) context.Context
	// ErrorLog is for panics of handlers, for failed accepts and handshakes, and for answers that make
	// no sense; nil is the standard logger.
	ErrorLog *log.Logger

	setup  sync.Once
	limits Limits
	http2  http2Side

	ending  atomic.Bool
	oneEach atomic.Bool // no connection is kept alive
	mu      sync.Mutex
	ends    []func() // RegisterOnShutdown's
	// listeners are pointers, since a listener need not be comparable.
	listeners map[*net.Listener]struct{}
	conns     map[*conn]struct{}
	serving   int         // accept loops
	patrol    *time.Timer // nil while there is nobody to look after
	streams   map[*stream]struct{}
}

func (s *Server) prepare() {
	s.setup.Do(func() {
		s.limits = s.Limits.withDefaults()
		s.http2.prepare(s)
	})
}

func (s *Server) headTimeout() time.Duration {
	return timeout(s.ReadHeaderTimeout, s.ReadTimeout, 30*time.Second)
}

func (s *Server) idleTimeout() time.Duration {
	return timeout(s.IdleTimeout, s.ReadTimeout, 2*time.Minute)
}

// timeout is a time that has its own default only where ReadTimeout gives none. None is a century,
// since deadlines are added up.
func timeout(given, second, otherwise time.Duration) time.Duration {
	if given == 0 {
		given = second
	}
	return min(limit(given, otherwise), 100*365*24*time.Hour)
}

func (s *Server) keepsAlive() bool { return !s.ending.Load() && !s.oneEach.Load() }

// SetKeepAlivesEnabled says whether connections are kept for further requests, which is the default. When
// they are not, answers say Connection: close (HTTP/2: GOAWAY), and the idle connections are closed.
func (s *Server) SetKeepAlivesEnabled(on bool) {
	s.prepare()
	s.oneEach.Store(!on)
	s.http2.base.SetKeepAlivesEnabled(on)
	if !on {
		s.closeIdle(true)
	}
}

// handle calls the handler.
func (s *Server) handle(w http.ResponseWriter, r *http.Request) {
	h := s.Handler
	if h == nil {
		h = http.DefaultServeMux
	}
	if r.RequestURI == "*" && r.Method == http.MethodOptions && !s.DisableGeneralOptionsHandler {
		w.Header().Set("Content-Length", "0")
		return
	}
	h.ServeHTTP(w, r)
}

// track counts a connection in; false if the server is ending.
func (s *Server) track(c *conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ending.Load() {
		return false
	}
	if s.conns == nil {
		s.conns = make(map[*conn]struct{})
	}
	s.conns[c] = struct{}{}
	s.startPatrol()
	return true
}

func (s *Server) forget(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, c)
	if len(s.conns) == 0 && s.patrol != nil && s.patrol.Stop() {
		s.patrol = nil
	}
}
