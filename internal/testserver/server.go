package testserver

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
)

// Server runs an http.Handler.
type Server struct {
	*Endpoint
	Mode Mode

	t    testing.TB
	http *http.Server
	stop context.CancelFunc
	once sync.Once

	watch   watch
	serving int  // Serve, and every handler
	ended   bool // no handler begins: not by a request whose connection is about to be closed either
}

// Start serves handler in the given mode on a free loopback port, in the given
// protocol and no other. Contexts of requests end when the server does, so that
// a handler may wait for something else without watching the client.
func Start(t testing.TB, mode Mode, handler http.Handler, options ...Option) *Server {
	t.Helper()
	s := newSettings(options)
	s.tls = mode.TLS()
	l, endpoint := s.listen(t)
	server := &Server{Endpoint: endpoint, Mode: mode, t: t}
	base, stop := context.WithCancel(context.Background())
	server.stop = stop
	server.http = &http.Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if !server.begin() {
				panic(http.ErrAbortHandler)
			}
			defer server.end()
			handler.ServeHTTP(w, r)
		}),
		Protocols:   mode.protocols(),
		BaseContext: func(net.Listener) context.Context { return base },
		ConnContext: withConnNumber,
		ErrorLog:    log.New(io.Discard, "", 0), // handshakes that a test makes fail
	}
	for _, change := range s.changeServer {
		change(server.http)
	}
	serve := server.http.Serve
	if s.tls {
		server.http.TLSConfig = s.tlsConfig(t)
		serve = func(l net.Listener) error { return server.http.ServeTLS(l, "", "") }
	}
	server.begin()
	go func() {
		defer server.end()
		if err := serve(l); !errors.Is(err, http.ErrServerClosed) {
			assert.NoError(t, err, "testserver: Serve")
		}
	}()
	t.Cleanup(server.Close)
	return server
}

// StartFunc is Start for a function.
func StartFunc(t testing.TB, mode Mode, handler http.HandlerFunc, options ...Option) *Server {
	t.Helper()
	return Start(t, mode, handler, options...)
}

// Close ends the server, its connections and the contexts of its requests, and
// waits for the handlers. The test's end does it too.
func (s *Server) Close() {
	s.once.Do(func() {
		// In this order, or handlers that return because of their context answer.
		_ = s.http.Close()
		s.stop()
		s.watch.change(func() { s.ended = true })
		assert.True(s.t, s.watch.within(endTimeout, func() bool { return s.serving == 0 }),
			"testserver: a handler did not end with its server")
	})
}

func (s *Server) begin() (allowed bool) {
	s.watch.change(func() {
		if allowed = !s.ended; allowed {
			s.serving++
		}
	})
	return allowed
}

func (s *Server) end() { s.watch.change(func() { s.serving-- }) }

// Shutdown stops as http.Server.Shutdown does: no new connections, GOAWAY on
// those of HTTP/2, and open requests may end.
func (s *Server) Shutdown(ctx context.Context) error { return s.http.Shutdown(ctx) }

// Client is a client of net/http for this server and its protocol. Its idle
// connections are closed when the test ends.
func (s *Server) Client() *http.Client {
	transport := &http.Transport{
		Protocols:          s.Mode.protocols(),
		DisableCompression: true,
	}
	if s.CAPEM != nil {
		transport.TLSClientConfig = &tls.Config{RootCAs: s.pool()}
	}
	if _, _, err := net.SplitHostPort(s.Addr); err != nil {
		transport.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", s.Addr)
		}
	}
	s.t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

func (m Mode) protocols() *http.Protocols {
	p := &http.Protocols{}
	p.SetHTTP1(!m.HTTP2())
	p.SetHTTP2(m == H2)
	p.SetUnencryptedHTTP2(m == H2C)
	return p
}

type connNumberKey struct{}

func withConnNumber(ctx context.Context, conn net.Conn) context.Context {
	if secure, ok := conn.(*tls.Conn); ok {
		conn = secure.NetConn()
	}
	if counted, ok := conn.(*countedConn); ok {
		return context.WithValue(ctx, connNumberKey{}, counted)
	}
	return ctx
}

// ConnNumber is the number, from 0, of the connection that a request came on; -1
// for servers other than [Start]'s and [StartProxy]'s.
func ConnNumber(r *http.Request) int {
	if c, ok := r.Context().Value(connNumberKey{}).(*countedConn); ok {
		return c.number
	}
	return -1
}
