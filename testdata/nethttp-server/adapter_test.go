package http_test

import (
	"context"
	"maps"
	"net"
	"net/http"
	"os"
	"reflect"
	"runtime"
	"strings"
	"sync"

	"github.com/ratmom/ratmom/server"
)

func init() {
	if os.Getenv("RATMOM_SUITE_CONTROL") == "" {
		http.SuiteServer = &suite{servers: map[*http.Server]*suiteServer{}}
	}
}

// suite has a server of ours for each of net/http's.
type suite struct {
	mu      sync.Mutex
	servers map[*http.Server]*suiteServer
}

type suiteServer struct {
	server.Server
	fill   sync.Once
	mu     sync.Mutex
	states map[net.Conn]http.ConnState
}

// Owns is false for the server that ours has HTTP/2 from.
func (*suite) Owns(s *http.Server) bool {
	if s.ConnContext == nil {
		return true
	}
	f := runtime.FuncForPC(reflect.ValueOf(s.ConnContext).Pointer())
	return !strings.HasPrefix(f.Name(), "github.com/ratmom/ratmom/server.")
}

func (u *suite) of(s *http.Server) *suiteServer {
	u.mu.Lock()
	defer u.mu.Unlock()
	t := u.servers[s]
	if t == nil {
		t = &suiteServer{states: map[net.Conn]http.ConnState{}}
		u.servers[s] = t
	}
	return t
}

// filled has the settings as they are when serving begins.
func (u *suite) filled(s *http.Server) *suiteServer {
	t := u.of(s)
	t.fill.Do(func() {
		if path := os.Getenv("RATMOM_SUITE_SERVED"); path != "" {
			_ = os.WriteFile(path, []byte("served"), 0o600)
		}
		t.Addr, t.Handler, t.TLSConfig, t.Protocols = s.Addr, s.Handler, s.TLSConfig, s.Protocols
		t.ReadTimeout, t.ReadHeaderTimeout = s.ReadTimeout, s.ReadHeaderTimeout
		t.WriteTimeout, t.IdleTimeout = s.WriteTimeout, s.IdleTimeout
		t.ConnContext, t.ErrorLog = s.ConnContext, s.ErrorLog
		t.DisableGeneralOptionsHandler = s.DisableGeneralOptionsHandler
		t.BaseContext = func(l net.Listener) context.Context {
			http.SuiteServes(s, l)
			if s.BaseContext == nil {
				return context.Background()
			}
			return s.BaseContext(l)
		}
		if s.MaxHeaderBytes > 0 {
			t.Limits.HeadBytes = s.MaxHeaderBytes + 4096 // net/http's own slack
		}
		if t.Protocols == nil && s.TLSNextProto != nil && s.TLSNextProto["h2"] == nil {
			t.Protocols = new(http.Protocols)
			t.Protocols.SetHTTP1(true)
		}
		t.ConnState = func(nc net.Conn, state http.ConnState) {
			t.mu.Lock()
			if t.states[nc] = state; state == http.StateHijacked || state == http.StateClosed {
				delete(t.states, nc)
			}
			t.mu.Unlock()
			if s.ConnState != nil {
				s.ConnState(nc, state)
			}
		}
	})
	return t
}

func (u *suite) Serve(s *http.Server, l net.Listener) error { return u.filled(s).Serve(l) }

func (u *suite) ServeTLS(s *http.Server, l net.Listener, certFile, keyFile string) error {
	return u.filled(s).ServeTLS(l, certFile, keyFile)
}

func (u *suite) ListenAndServe(s *http.Server) error { return u.filled(s).ListenAndServe() }

func (u *suite) ListenAndServeTLS(s *http.Server, certFile, keyFile string) error {
	return u.filled(s).ListenAndServeTLS(certFile, keyFile)
}

func (u *suite) Close(s *http.Server) error { return u.of(s).Close() }

func (u *suite) Shutdown(s *http.Server, ctx context.Context) error { return u.of(s).Shutdown(ctx) }

func (u *suite) RegisterOnShutdown(s *http.Server, f func()) { u.of(s).RegisterOnShutdown(f) }

func (u *suite) SetKeepAlivesEnabled(s *http.Server, on bool) { u.of(s).SetKeepAlivesEnabled(on) }

func (u *suite) States(s *http.Server) map[http.ConnState]int {
	t := u.of(s)
	t.mu.Lock()
	defer t.mu.Unlock()
	n := map[http.ConnState]int{}
	for state := range maps.Values(t.states) {
		n[state]++
	}
	return n
}

// ResetProxyEnv is for tests of the client, which are not run here.
func ResetProxyEnv() {}
