package http3

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/quic-go/quic-go"
	h3 "github.com/quic-go/quic-go/http3"
)

// DefaultIdleTimeout is how long a connection may be silent.
const DefaultIdleTimeout = 30 * time.Second

// The defaults of Server.WriteRate, in bytes per second, and Server.WriteGrace.
const (
	DefaultWriteRate  = 240
	DefaultWriteGrace = time.Minute
)

// Server is an HTTP/3 server, with the habits of http.Server. Its fields must not be
// changed when it serves.
type Server struct {
	// Addr is the UDP address for ListenAndServe, "host:port"; "" is ":443".
	Addr string
	// Handler answers the requests; nil is http.DefaultServeMux. A panic aborts the
	// request; all but http.ErrAbortHandler are logged.
	Handler http.Handler
	// TLSConfig has the certificates. The protocol h3 is set by the server.
	TLSConfig *tls.Config
	// MaxHeaderBytes is how many bytes the head of a request may have; 0 is 1 MiB.
	MaxHeaderBytes int
	// MaxStreams is how many requests a connection may have under way; 0 is 100.
	MaxStreams int64
	// IdleTimeout is how long a connection may be without a request, and how long without
	// a word of the other side; 0 is DefaultIdleTimeout.
	IdleTimeout time.Duration
	// EarlyData accepts requests in the first flight of a resumed connection (0-RTT).
	EarlyData bool
	// WriteRate is the least average rate, in bytes per second, at which a client must take its answers, and WriteGrace
	// the time over which it counts: so long a client may take nothing at all. Only while a write waits for the
	// client they count, and not for handlers that set a deadline of their own. Who takes less has its stream reset,
	// and the handler's write fails. 0 is DefaultWriteRate and DefaultWriteGrace; either of them negative is no limit.
	WriteRate  int
	WriteGrace time.Duration
	// AltSvcPort is the port that AltSvc names; 0 is that of the server. AltSvcMaxAge is
	// how long clients may remember it; 0 is 24 hours.
	AltSvcPort   int
	AltSvcMaxAge time.Duration
	// ConnContext, unless nil, makes the context of a connection's requests.
	ConnContext func(ctx context.Context, c *quic.Conn) context.Context
	// Logger takes panics of handlers and, at level debug, failures of connections; nil is
	// slog.Default, for panics alone.
	Logger *slog.Logger

	mu      sync.Mutex
	inner   *h3.Server // nil before the first Serve
	ports   []*port
	links   map[*link]struct{}
	closing atomic.Bool    // set under mu
	serving sync.WaitGroup // calls of Serve
}

// port is a socket that is served.
type port struct {
	conn      net.PacketConn
	transport *quic.Transport
	*quic.EarlyListener
	stopped context.Context // done when Accept is to end
	stop    context.CancelFunc
}

// Accept ends when the port is stopped. The listener stays open, to refuse clients that
// would else wait for an answer.
func (p *port) Accept(ctx context.Context) (*quic.Conn, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(p.stopped, cancel)() //nolint:contextcheck // either of both ends it
	c, err := p.EarlyListener.Accept(ctx)
	if err != nil && p.stopped.Err() != nil {
		err = quic.ErrServerClosed
	}
	return c, err
}

func (p *port) close() error {
	p.stop()
	// The transport does not close what it was given.
	return errors.Join(p.transport.Close(), p.conn.Close())
}

// ListenAndServe serves the UDP address Addr until the server is shut down or closed; the
// error is then http.ErrServerClosed.
func (s *Server) ListenAndServe() error {
	address := s.Addr
	if address == "" {
		address = ":443"
	}
	if s.closing.Load() {
		return http.ErrServerClosed
	}
	conn, err := net.ListenPacket("udp", address)
	if err != nil {
		return err
	}
	return s.Serve(conn)
}

// Serve serves a UDP socket until the server is shut down or closed; the error is then
// http.ErrServerClosed. The socket is the server's from then on.
func (s *Server) Serve(conn net.PacketConn) error {
	inner, p, err := s.open(conn)
	if err != nil {
		return errors.Join(err, conn.Close())
	}
	err = inner.ServeListener(p)
	s.serving.Done()
	if errors.Is(err, http.ErrServerClosed) {
		return err // Shutdown or Close does the rest
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, other := range s.ports {
		if other == p {
			s.ports = append(s.ports[:i:i], s.ports[i+1:]...)
			return errors.Join(err, p.close())
		}
	}
	return err
}

func (s *Server) open(conn net.PacketConn) (*h3.Server, *port, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing.Load() {
		return nil, nil, http.ErrServerClosed
	}
	if s.TLSConfig == nil {
		return nil, nil, errors.New("http3: Server.TLSConfig is nil: HTTP/3 has no connections without TLS")
	}
	if s.IdleTimeout < 0 || s.MaxStreams < 0 || s.MaxHeaderBytes < 0 || s.AltSvcMaxAge < 0 {
		return nil, nil, fmt.Errorf("http3: Server.IdleTimeout %v, MaxStreams %d, MaxHeaderBytes %d and AltSvcMaxAge %v must not be negative",
			s.IdleTimeout, s.MaxStreams, s.MaxHeaderBytes, s.AltSvcMaxAge)
	}
	idle := s.IdleTimeout
	if idle == 0 {
		idle = DefaultIdleTimeout
	}
	if s.inner == nil {
		s.links = map[*link]struct{}{}
		s.inner = &h3.Server{
			Handler: http.HandlerFunc(s.serve), MaxHeaderBytes: s.MaxHeaderBytes, IdleTimeout: idle, Logger: s.Logger, ConnContext: s.connect,
		}
	}
	p := &port{conn: conn, transport: &quic.Transport{Conn: conn}}
	p.stopped, p.stop = context.WithCancel(context.Background())
	var err error
	config := &quic.Config{MaxIdleTimeout: idle, MaxIncomingStreams: s.MaxStreams, Allow0RTT: s.EarlyData}
	p.EarlyListener, err = p.transport.ListenEarly(h3.ConfigureTLSConfig(s.TLSConfig), &quic.Config{
		Allow0RTT: s.EarlyData,
		GetConfigForClient: func(*quic.ClientInfo) (*quic.Config, error) {
			if s.closing.Load() {
				return nil, http.ErrServerClosed
			}
			return config, nil
		},
	})
	if err != nil {
		p.stop()
		return nil, nil, errors.Join(err, p.transport.Close())
	}
	s.ports = append(s.ports, p)
	s.serving.Add(1)
	return s.inner, p, nil
}

// Shutdown refuses new connections, tells the clients of the others to send no further
// requests (GOAWAY), and waits until those under way are answered. Connections without
// any are then closed. When ctx is over it closes all, as Close does, and returns ctx's
// error.
func (s *Server) Shutdown(ctx context.Context) error {
	inner := s.stopAccepting(handover)
	if inner == nil {
		return nil
	}
	done := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() { s.closeIdle(done) })
	ended := make(chan error, 1)
	go func() { ended <- inner.Shutdown(ctx) }()
	var err error
	select {
	case err = <-ended:
	case <-ctx.Done(): // the inner server goes on to wait for handlers
		err = ctx.Err()
	}
	close(done)
	wg.Wait()
	s.closeLinks(func(*link) bool { return true })
	return errors.Join(err, s.closePorts())
}

// Close closes all connections at once, which ends the contexts of their requests. It does
// not wait for handlers.
func (s *Server) Close() error {
	inner := s.stopAccepting(0)
	if inner == nil {
		return nil
	}
	s.closeLinks(func(*link) bool { return true })
	go func() { _ = inner.Close() }() // it waits for handlers
	return s.closePorts()
}

// handover is how long a connection may take from its first packet to the inner server.
const handover = 50 * time.Millisecond

// stopAccepting refuses new connections, and returns when no call of Serve will hand one
// to the inner server, which counts them without a lock: one that came during its own
// Shutdown would make it close a channel twice. Those that have begun have a while to get
// there.
func (s *Server) stopAccepting(while time.Duration) *h3.Server {
	s.mu.Lock()
	if s.inner == nil || s.closing.Swap(true) {
		while = 0
	}
	s.closing.Store(true)
	for _, p := range s.ports {
		time.AfterFunc(while, p.stop)
	}
	s.mu.Unlock()
	s.serving.Wait()
	return s.inner
}

func (s *Server) closePorts() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var errs []error
	for _, p := range s.ports {
		errs = append(errs, p.close())
	}
	s.ports = nil
	return errors.Join(errs...)
}
