package server

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom/internal/testserver"
)

// withHook gives a server one of whose hooks calls something of the test's.
var withHook = map[string]func(s *Server, call func()){
	"ConnContext": func(s *Server, call func()) {
		s.ConnContext = func(ctx context.Context, _ net.Conn) context.Context {
			call()
			return ctx
		}
	},
	"ConnState new":      func(s *Server, call func()) { s.ConnState = atState(http.StateNew, call) },
	"ConnState active":   func(s *Server, call func()) { s.ConnState = atState(http.StateActive, call) },
	"ConnState idle":     func(s *Server, call func()) { s.ConnState = atState(http.StateIdle, call) },
	"ConnState closed":   func(s *Server, call func()) { s.ConnState = atState(http.StateClosed, call) },
	"StateChange closed": func(s *Server, call func()) { s.StateChange = atChange(Closed, call) },
	"StateChange dead":   func(s *Server, call func()) { s.StateChange = atChange(Dead, call) },
}

func atState(which http.ConnState, call func()) func(net.Conn, http.ConnState) {
	return func(_ net.Conn, state http.ConnState) {
		if state == which {
			call()
		}
	}
}

func atChange(which State, call func()) func(net.Conn, State) {
	return func(_ net.Conn, state State) {
		if state == which {
			call()
		}
	}
}

// once gives a function that does something the first time only.
func once(f func()) (call func(), called *atomic.Bool) {
	called = new(atomic.Bool)
	return func() {
		if called.CompareAndSwap(false, true) {
			f()
		}
	}, called
}

// hookPaths has both protocols do the same.
var hookPaths = map[string]func(t *testing.T, addr string) error{
	"HTTP/1": func(t *testing.T, addr string) error { return askAndLeave(t, addr, false) },
	"HTTP/2": func(t *testing.T, addr string) error { return askAndLeave(t, addr, true) },
}

func askAndLeave(t *testing.T, addr string, two bool) error {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(!two)
	protocols.SetUnencryptedHTTP2(two)
	transport := &http.Transport{Protocols: protocols, DisableCompression: true}
	defer transport.CloseIdleConnections()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+addr+"/x", nil)
	require.NoError(t, err)
	resp, err := (&http.Client{Transport: transport, Timeout: wait}).Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	if err == nil && string(b) != "/x" {
		err = fmt.Errorf("the answer is %q", b)
	}
	return err
}

// askUntil asks until a hook has been called: of a connection that its client closes at once not all is told.
func askUntil(t *testing.T, called *atomic.Bool, ask func(*testing.T, string) error, addr string) {
	t.Helper()
	for end := time.Now().Add(3 * wait); !called.Load(); {
		require.True(t, time.Now().Before(end), "the hook is not called")
		_ = ask(t, addr) // it may have been closed by the hook
	}
}

func bothProtocols() *http.Protocols {
	p := new(http.Protocols)
	p.SetHTTP1(true)
	p.SetUnencryptedHTTP2(true)
	return p
}

func TestServer_may_be_closed_by_every_hook(t *testing.T) {
	for name, hook := range withHook {
		for protocol, ask := range hookPaths {
			t.Run(name+", "+protocol, func(t *testing.T) {
				s := &Server{Handler: echo, Pipeline: 3, Protocols: bothProtocols()}
				closed := make(chan error, 1)
				call, called := once(func() { closed <- s.Close() })
				hook(s, call)
				addr := start(t, s) // which waits for its end
				askUntil(t, called, ask, addr)
				select {
				case err := <-closed:
					assert.NoError(t, err)
				case <-time.After(3 * wait):
					assert.Fail(t, "Close has not returned")
				}
			})
		}
	}
}

// A hook that waits for Shutdown waits for its own connection, but not longer than the context says.
func TestServer_may_be_shut_down_by_every_hook_for_as_long_as_the_context_lasts(t *testing.T) {
	for name, hook := range withHook {
		t.Run(name, func(t *testing.T) {
			s := &Server{Handler: echo, Pipeline: 3}
			ended := make(chan error, 1)
			call, called := once(func() {
				ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
				defer cancel()
				ended <- s.Shutdown(ctx)
			})
			hook(s, call)
			addr := start(t, s)
			askUntil(t, called, hookPaths["HTTP/1"], addr)
			select {
			case err := <-ended:
				assert.True(t, err == nil || errors.Is(err, context.DeadlineExceeded), "%v", err)
			case <-time.After(3 * wait):
				assert.Fail(t, "Shutdown has not returned")
			}
		})
	}
}

// The reader is at the next request while the hook that was told of the idle connection still runs.
func TestServer_may_be_closed_by_a_hook_that_another_call_waits_for(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newPipeListener()
		var s *Server
		var c *pipeClient
		var order []http.ConnState
		s = &Server{Handler: echo, ErrorLog: quiet, ConnState: func(_ net.Conn, state http.ConnState) {
			order = append(order, state) // for -race, too: nothing runs beside it
			if state == http.StateIdle {
				c.beside.Go(func() { _, _ = io.WriteString(c.Conn, get1("/2")) })
				synctest.Wait() // until the reader can get no further
				assert.NoError(t, s.Close())
			}
		}}
		ended := make(chan error, 1)
		go func() { ended <- s.Serve(l) }()
		c = l.dial(t)
		c.send(get1("/1"))
		assert.Equal(t, "/1", c.answer())
		_ = c.rest()
		c.beside.Wait()
		assert.ErrorIs(t, <-ended, http.ErrServerClosed)
		assert.NoError(t, s.Shutdown(t.Context()))
		synctest.Wait()
		assert.Equal(t, []http.ConnState{http.StateNew, http.StateActive, http.StateIdle}, order[:3])
		assert.Equal(t, http.StateClosed, order[len(order)-1])
	})
}

// A hook ends its goroutine in either way. The next client finds the server as it was.
func TestServer_outlives_hooks_that_do_not_return(t *testing.T) {
	inventory := testserver.TakeInventory()
	ends := map[string]func(){"panic": func() { panic("a hook's own") }, "Goexit": runtime.Goexit}
	for name, hook := range withHook {
		for way, end := range ends {
			for protocol, ask := range hookPaths {
				if way == "Goexit" && (name == "ConnContext" || name == "ConnState new") {
					continue // that is the end of Serve's goroutine, which is the caller's
				}
				t.Run(name+", "+way+", "+protocol, func(t *testing.T) {
					log1 := &logged{}
					s := &Server{Handler: echo, Pipeline: 3, Protocols: bothProtocols(), ErrorLog: log.New(log1, "", 0)}
					call, called := once(end)
					hook(s, call)
					addr := start(t, s)
					err := ask(t, addr)
					switch name {
					case "ConnContext", "ConnState new", "ConnState active":
						assert.Error(t, err, "served in spite of the hook")
					case "ConnState idle": // which may be told before the answer has left
					default:
						assert.NoError(t, err)
					}
					askUntil(t, called, ask, addr)
					assert.NoError(t, ask(t, addr))
					if way == "panic" {
						assert.Eventually(t, func() bool { return strings.Contains(log1.String(), "a hook's own") }, wait, time.Millisecond)
					}
				})
			}
		}
	}
	inventory.Require(t, wait)
}

func TestServer_refuses_to_serve_without_its_context(t *testing.T) {
	for _, give := range []func(net.Listener) context.Context{
		func(net.Listener) context.Context { panic("no context") },
		func(net.Listener) context.Context { return nil },
	} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		s := &Server{Handler: echo, ErrorLog: quiet, BaseContext: give}
		assert.ErrorContains(t, s.Serve(l), "BaseContext")
		_, err = l.Accept()
		assert.ErrorIs(t, err, net.ErrClosed)
		assert.NoError(t, s.Shutdown(t.Context()))
	}
}

type brokenWriter struct{ wrote atomic.Int32 }

func (w *brokenWriter) Write([]byte) (int, error) {
	w.wrote.Add(1)
	panic("a log's own")
}

func TestServer_outlives_a_log_that_panics(t *testing.T) {
	for protocol := range hookPaths {
		t.Run(protocol, func(t *testing.T) {
			w := &brokenWriter{}
			addr := start(t, &Server{
				Protocols: bothProtocols(), ErrorLog: log.New(w, "", 0),
				Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("a handler's own") }),
			})
			for range 2 {
				assert.Error(t, hookPaths[protocol](t, addr))
			}
			assert.Eventually(t, func() bool { return w.wrote.Load() >= 2 }, wait, time.Millisecond)
		})
	}
}

func TestServer_outlives_what_panics_in_a_handshake(t *testing.T) {
	certificate := testserver.LocalAuthority(t).Localhost(t).TLS
	call, called := once(func() { panic("no certificate") })
	log1 := &logged{}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	s := &Server{Handler: echo, ErrorLog: log.New(log1, "", 0)}
	serveOn(t, s, tls.NewListener(l, &tls.Config{
		MinVersion: tls.VersionTLS12,
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			call()
			return &certificate, nil
		},
	}))
	handshake := func() error {
		c, err := tls.Dial("tcp", l.Addr().String(), &tls.Config{RootCAs: testserver.LocalAuthority(t).Pool})
		if err == nil {
			_ = c.Close()
		}
		return err
	}
	assert.Error(t, handshake())
	assert.True(t, called.Load())
	assert.NoError(t, handshake())
	assert.Contains(t, log1.String(), "no certificate")
}

type panickingListener struct{ net.Listener }

func (panickingListener) Accept() (net.Conn, error) { panic("a listener's own") }

func TestServer_gives_an_error_when_the_listener_panics(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	s := &Server{Handler: echo, ErrorLog: quiet}
	assert.ErrorContains(t, s.Serve(panickingListener{l}), "panicked")
	assert.NoError(t, s.Shutdown(t.Context()))
}

func TestServer_outlives_what_panics_at_its_end(t *testing.T) {
	log1 := &logged{}
	s := &Server{ErrorLog: log.New(log1, "", 0)}
	s.RegisterOnShutdown(func() { panic("an end's own") })
	assert.NoError(t, s.Shutdown(t.Context()))
	assert.Eventually(t, func() bool { return strings.Contains(log1.String(), "an end's own") }, wait, time.Millisecond)
}
