package peer

import (
	"context"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom"
	"github.com/ratmom/ratmom/config"
)

const patience = 10 * time.Second

// openMap makes a client and a map over it.
func openMap(t testing.TB, opts ...Option) *Map {
	t.Helper()
	client, err := ratmom.New(config.Proxy(""))
	require.NoError(t, err)
	m, err := Open(client, opts...)
	require.NoError(t, err)
	t.Cleanup(func() {
		m.Close()
		_ = client.Close()
	})
	return m
}

func request(t testing.TB, method, url string) *http.Request {
	t.Helper()
	req, err := http.NewRequestWithContext(context.WithoutCancel(t.Context()), method, url, nil)
	require.NoError(t, err)
	return req
}

// server counts its connections and requests.
type server struct {
	*httptest.Server
	conns, hits atomic.Int64
	mu          sync.Mutex
	open        map[net.Conn]http.ConnState
}

func newServer(t testing.TB, h http.HandlerFunc) *server {
	s := &server{open: make(map[net.Conn]http.ConnState)}
	if h == nil {
		h = func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write([]byte(r.RemoteAddr)) }
	}
	s.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.hits.Add(1)
		h(w, r)
	}))
	s.Config.ErrorLog = log.New(io.Discard, "", 0) // connections that nothing comes on
	s.Config.ConnState = func(c net.Conn, st http.ConnState) {
		s.mu.Lock()
		defer s.mu.Unlock()
		switch st {
		case http.StateNew:
			s.conns.Add(1)
			s.open[c] = st
		case http.StateClosed, http.StateHijacked:
			delete(s.open, c)
		default:
			s.open[c] = st
		}
	}
	t.Cleanup(s.Close)
	return s
}

// plain starts a server over HTTP/1.1 without TLS.
func plain(t testing.TB, h http.HandlerFunc) *server {
	s := newServer(t, h)
	s.Start()
	return s
}

// breakAll closes the server's connections.
func (s *server) breakAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.open {
		_ = c.Close()
	}
}

func await[T any](t testing.TB, c <-chan T) (v T) {
	t.Helper()
	select {
	case v = <-c:
	case <-time.After(patience):
		t.Fatal("nothing happened")
	}
	return v
}

// eventually waits for a condition, which it looks at each millisecond.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	require.Eventually(t, ok, patience, time.Millisecond, what)
}

// states are those of a peer's links.
func states(p *Peer) (out []string) {
	p.look(func(time.Time) {
		for _, l := range p.s.links {
			out = append(out, l.state.String())
		}
	})
	return out
}
