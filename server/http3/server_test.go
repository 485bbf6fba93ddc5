package http3

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/quic-go/quic-go"
	h3 "github.com/quic-go/quic-go/http3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const patience = 30 * time.Second

// certificate is for 127.0.0.1, and its own authority.
var certificate = sync.OnceValues(func() (tls.Certificate, *x509.CertPool) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, DNSNames: []string{"localhost"}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		panic(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		panic(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(parsed)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pool
})

func serverTLS() *tls.Config {
	c, _ := certificate()
	return &tls.Config{Certificates: []tls.Certificate{c}}
}

func clientTLS() *tls.Config {
	_, pool := certificate()
	return &tls.Config{RootCAs: pool}
}

// start serves until the test ends; url has no path.
func start(t *testing.T, s *Server) (url string) {
	t.Helper()
	if s.TLSConfig == nil {
		s.TLSConfig = serverTLS()
	}
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	require.NoError(t, err)
	served := make(chan error, 1)
	go func() { served <- s.Serve(conn) }()
	t.Cleanup(func() {
		assert.NoError(t, s.Close())
		assert.ErrorIs(t, <-served, http.ErrServerClosed)
		assert.ErrorIs(t, conn.SetDeadline(time.Now()), net.ErrClosed)
	})
	return "https://" + conn.LocalAddr().String()
}

func newClient(t *testing.T) *http.Client {
	tr := &h3.Transport{TLSClientConfig: clientTLS()}
	t.Cleanup(func() { _ = tr.Close() })
	return &http.Client{Transport: tr, Timeout: patience}
}

func fetch(t *testing.T, c *http.Client, url string) string {
	t.Helper()
	resp, err := c.Get(url)
	require.NoError(t, err)
	return text(t, resp)
}

// try gives the error of a request that may fail.
func try(c *http.Client, url string) error {
	resp, err := c.Get(url)
	if err == nil {
		_ = resp.Body.Close()
	}
	return err
}

func text(t *testing.T, resp *http.Response) string {
	t.Helper()
	b, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	return string(b)
}

func TestServer_answers_over_HTTP3(t *testing.T) {
	type key struct{}
	url := start(t, &Server{
		ConnContext: func(ctx context.Context, _ *quic.Conn) context.Context { return context.WithValue(ctx, key{}, "mine") },
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			n, err := io.Copy(io.Discard, r.Body)
			w.Header().Set("X-Length", fmt.Sprint(n, err))
			w.Header().Set("Trailer", "X-End")
			fmt.Fprintf(w, "%s %s %s %v", r.Method, r.URL, r.Proto, r.Context().Value(key{}))
			w.Header().Set("X-End", "yes")
		}),
	})
	c := newClient(t)
	assert.Equal(t, "GET /a?b HTTP/3.0 mine", fetch(t, c, url+"/a?b"))
	resp, err := c.Post(url, "text/plain", bytes.NewReader(make([]byte, 3<<20)))
	require.NoError(t, err)
	assert.Equal(t, "POST / HTTP/3.0 mine", text(t, resp))
	assert.Equal(t, "3145728 <nil>", resp.Header.Get("X-Length"))
	assert.Equal(t, "yes", resp.Trailer.Get("X-End"))
	var wg sync.WaitGroup
	for range 200 {
		wg.Go(func() {
			resp, err := c.Get(url)
			if assert.NoError(t, err) {
				_, _ = io.Copy(io.Discard, resp.Body)
				_ = resp.Body.Close()
			}
		})
	}
	wg.Wait()
}

func TestServer_serves_the_default_mux_without_a_handler(t *testing.T) {
	resp, err := newClient(t).Get(start(t, &Server{}))
	require.NoError(t, err)
	assert.Equal(t, http.StatusNotFound, resp.StatusCode)
	text(t, resp)
}

func TestServer_survives_handlers_that_panic(t *testing.T) {
	var log bytes.Buffer
	var mu sync.Mutex
	url := start(t, &Server{
		Logger: slog.New(slog.NewTextHandler(writer(func(b []byte) (int, error) {
			mu.Lock()
			defer mu.Unlock()
			return log.Write(b)
		}), nil)),
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			switch r.URL.Path {
			case "/panic":
				panic("oh")
			case "/abort":
				panic(http.ErrAbortHandler)
			}
			_, _ = io.WriteString(w, "well")
		}),
	})
	c := newClient(t)
	for _, path := range []string{"/abort", "/panic"} {
		resp, err := c.Get(url + path)
		if err == nil {
			_, err = io.ReadAll(resp.Body)
			_ = resp.Body.Close()
		}
		assert.Error(t, err)
	}
	assert.Equal(t, "well", fetch(t, c, url))
	mu.Lock()
	defer mu.Unlock()
	assert.Contains(t, log.String(), "arg=oh")
	assert.NotContains(t, log.String(), "ErrAbortHandler")
}

type writer func([]byte) (int, error)

func (w writer) Write(b []byte) (int, error) { return w(b) }

func TestServer_refuses_a_head_that_is_too_long(t *testing.T) {
	url := start(t, &Server{MaxHeaderBytes: 4 << 10})
	req, err := http.NewRequest("GET", url, nil)
	require.NoError(t, err)
	req.Header.Set("X-Long", strings.Repeat("x", 20<<10))
	resp, err := newClient(t).Do(req)
	if err == nil {
		assert.Equal(t, http.StatusRequestHeaderFieldsTooLarge, resp.StatusCode)
		_ = resp.Body.Close()
	}
}

func TestServer_closes_connections_that_are_silent(t *testing.T) {
	s := &Server{IdleTimeout: 100 * time.Millisecond}
	url := start(t, s)
	fetch(t, newClient(t), url)
	require.Eventually(t, func() bool { return len(s.copyLinks()) == 0 }, patience, 5*time.Millisecond)
}

func (s *Server) copyLinks() (all []*link) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for l := range s.links {
		all = append(all, l)
	}
	return all
}

func TestShutdown_answers_what_is_under_way_and_closes_what_is_idle(t *testing.T) {
	begun, finish := make(chan struct{}), make(chan struct{})
	s := &Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/slow" {
			close(begun)
			<-finish
		}
		_, _ = io.WriteString(w, "answer")
	})}
	url := start(t, s)
	idle, busy := newClient(t), newClient(t)
	fetch(t, idle, url)
	answer := make(chan string, 1)
	go func() {
		resp, err := busy.Get(url + "/slow")
		if !assert.NoError(t, err) {
			close(answer)
			return
		}
		b, err := io.ReadAll(resp.Body)
		assert.NoError(t, err)
		_ = resp.Body.Close()
		answer <- string(b)
	}()
	<-begun
	stopped := make(chan error, 1)
	go func() { stopped <- s.Shutdown(context.Background()) }()
	require.Eventually(t, func() bool { return len(s.copyLinks()) == 1 }, patience, 5*time.Millisecond, "the idle connection")
	select {
	case err := <-stopped:
		require.Fail(t, "a request is under way", "%v", err)
	default:
	}
	fresh := newClient(t)
	err := try(fresh, url)
	var refused *quic.TransportError
	require.ErrorAs(t, err, &refused, "a new connection")
	assert.Equal(t, quic.ConnectionRefused, refused.ErrorCode)
	close(finish)
	assert.Equal(t, "answer", <-answer)
	require.NoError(t, <-stopped)
	assert.NoError(t, s.Shutdown(context.Background()), "a second time")
}

func TestShutdown_closes_connections_whose_clients_do_not_leave(t *testing.T) {
	s := &Server{}
	url := start(t, s)
	config := clientTLS()
	config.NextProtos = []string{h3.NextProtoH3}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	conn, err := quic.DialAddr(ctx, strings.TrimPrefix(url, "https://"), config, nil)
	require.NoError(t, err)
	require.Eventually(t, func() bool { return len(s.copyLinks()) == 1 }, patience, time.Millisecond)
	require.NoError(t, s.Shutdown(ctx))
	<-conn.Context().Done()
	var closed *quic.ApplicationError
	require.ErrorAs(t, context.Cause(conn.Context()), &closed)
	assert.EqualValues(t, h3.ErrCodeNoError, closed.ErrorCode)
}

func TestShutdown_ends_with_its_context(t *testing.T) {
	begun, ended := make(chan struct{}), make(chan struct{})
	s := &Server{Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		close(begun)
		<-r.Context().Done()
		close(ended)
	})}
	url := start(t, s)
	c := newClient(t)
	failed := make(chan error, 1)
	go func() { failed <- try(c, url) }()
	<-begun
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	assert.ErrorIs(t, s.Shutdown(ctx), context.Canceled)
	<-ended
	assert.Error(t, <-failed)
}

func TestServer_does_not_wait_for_a_handler_that_hangs(t *testing.T) {
	for name, end := range map[string]func(*Server) error{
		"Close": (*Server).Close,
		"Shutdown": func(s *Server) error {
			ctx, cancel := context.WithCancel(context.Background())
			cancel()
			if err := s.Shutdown(ctx); !errors.Is(err, context.Canceled) {
				return fmt.Errorf("it returns %v", err)
			}
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			begun, release := make(chan struct{}), make(chan struct{})
			defer close(release)
			s := &Server{Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
				close(begun)
				<-release
			})}
			url := start(t, s)
			c := newClient(t)
			failed := make(chan error, 1)
			go func() { failed <- try(c, url) }()
			<-begun
			require.NoError(t, end(s))
			assert.Error(t, <-failed)
		})
	}
}

func TestShutdown_under_load_never_panics(t *testing.T) {
	for range 10 {
		s := &Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "x") })}
		url := start(t, s)
		stop := make(chan struct{})
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				for {
					select {
					case <-stop:
						return
					default:
					}
					tr := &h3.Transport{TLSClientConfig: clientTLS()}
					ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
					req, _ := http.NewRequestWithContext(ctx, "GET", url, nil)
					if resp, err := tr.RoundTrip(req); err == nil {
						_ = resp.Body.Close()
					}
					cancel()
					_ = tr.Close()
				}
			})
		}
		time.AfterFunc(20*time.Millisecond, func() { close(stop) })
		require.NoError(t, s.Shutdown(context.Background()))
		wg.Wait()
	}
}

func TestServer_that_never_served_can_be_ended(t *testing.T) {
	s := &Server{TLSConfig: serverTLS(), Addr: "127.0.0.1:0"}
	assert.NoError(t, s.Shutdown(context.Background()))
	assert.NoError(t, s.Close())
	assert.ErrorIs(t, s.ListenAndServe(), http.ErrServerClosed)
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	require.NoError(t, err)
	assert.ErrorIs(t, s.Serve(conn), http.ErrServerClosed)
	assert.ErrorIs(t, conn.Close(), net.ErrClosed, "it was the server's")
}

func TestListenAndServe_serves_its_address(t *testing.T) {
	s := &Server{TLSConfig: serverTLS(), Addr: "127.0.0.1:0"}
	served := make(chan error, 1)
	go func() { served <- s.ListenAndServe() }()
	var field string
	require.Eventually(t, func() bool { field = s.altSvc(); return field != "" }, patience, time.Millisecond)
	var port int
	_, err := fmt.Sscanf(field, `h3=":%d"`, &port)
	require.NoError(t, err)
	fetch(t, newClient(t), fmt.Sprintf("https://127.0.0.1:%d", port))
	require.NoError(t, s.Close())
	assert.ErrorIs(t, <-served, http.ErrServerClosed)
	assert.Error(t, (&Server{TLSConfig: serverTLS(), Addr: "127.0.0.1:99999"}).ListenAndServe())
}

func TestServe_names_what_is_wrong(t *testing.T) {
	for want, s := range map[string]*Server{
		"TLSConfig is nil":   {},
		"IdleTimeout -1ns":   {TLSConfig: serverTLS(), IdleTimeout: -1},
		"MaxStreams -1":      {TLSConfig: serverTLS(), MaxStreams: -1},
		"MaxHeaderBytes -1":  {TLSConfig: serverTLS(), MaxHeaderBytes: -1},
		"AltSvcMaxAge -1ns":  {TLSConfig: serverTLS(), AltSvcMaxAge: -1},
		"use of closed netw": {TLSConfig: serverTLS()},
	} {
		conn, err := net.ListenPacket("udp", "127.0.0.1:0")
		require.NoError(t, err)
		if strings.HasPrefix(want, "use") {
			require.NoError(t, conn.Close())
		}
		assert.ErrorContains(t, s.Serve(conn), want)
		assert.ErrorIs(t, conn.Close(), net.ErrClosed)
	}
}

func TestAltSvc_names_the_server_where_it_helps(t *testing.T) {
	s := &Server{}
	var own string
	handler := s.AltSvc(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		own = w.Header().Get("Alt-Svc")
	}))
	ask := func(change func(r *http.Request), before string) string {
		r := httptest.NewRequest("GET", "https://a.test/", nil)
		change(r)
		w := httptest.NewRecorder()
		if before != "" {
			w.Header().Set("Alt-Svc", before)
		}
		handler.ServeHTTP(w, r)
		assert.Equal(t, own, w.Header().Get("Alt-Svc"), "handlers see it, and may remove it")
		return own
	}
	asIs := func(*http.Request) {}
	assert.Empty(t, ask(asIs, ""), "it does not serve yet")
	url := start(t, s)
	port := url[strings.LastIndexByte(url, ':'):]
	require.Eventually(t, func() bool { return s.altSvc() != "" }, patience, time.Millisecond)
	assert.Equal(t, `h3="`+port+`"; ma=86400`, ask(asIs, ""))
	assert.Equal(t, "clear", ask(asIs, "clear"))
	assert.Empty(t, ask(func(r *http.Request) { r.TLS = nil }, ""), "no TLS")
	assert.Empty(t, ask(func(r *http.Request) { r.ProtoMajor = 3 }, ""), "it is there already")
	s.AltSvcPort, s.AltSvcMaxAge = 8443, time.Minute
	assert.Equal(t, `h3=":8443"; ma=60`, ask(asIs, ""))
	require.NoError(t, s.Shutdown(context.Background()))
	assert.Empty(t, ask(asIs, ""), "it is gone")
}

func TestLink_lets_only_safe_requests_run_before_the_handshake_is_complete(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		complete := make(chan struct{})
		s := &Server{}
		handled := make(chan string, 1)
		s.Handler = http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			handled <- r.Method + r.Header.Get("Early-Data")
		})
		l := &link{complete: complete}
		send := func(ctx context.Context, method string) {
			r := httptest.NewRequest(method, "/", nil).WithContext(context.WithValue(ctx, linkKey{}, l))
			s.serve(httptest.NewRecorder(), r)
		}
		send(t.Context(), "GET")
		assert.Equal(t, "GET1", <-handled)

		gone, cancel := context.WithCancel(t.Context())
		cancel()
		send(gone, "POST")
		assert.Empty(t, handled)

		go send(t.Context(), "POST")
		synctest.Wait()
		assert.Empty(t, handled, "it waits")
		assert.False(t, l.idle(time.Now().Add(time.Hour)))
		close(complete)
		assert.Equal(t, "POST", <-handled)
		send(t.Context(), "GET")
		assert.Equal(t, "GET", <-handled)
		assert.True(t, l.idle(time.Now().Add(settle)))
	})
}

func TestServe_ends_with_an_error_of_its_socket(t *testing.T) {
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	require.NoError(t, err)
	s := &Server{TLSConfig: serverTLS()}
	served := make(chan error, 1)
	go func() { served <- s.Serve(conn) }()
	require.Eventually(t, func() bool { return s.altSvc() != "" }, patience, time.Millisecond)
	require.NoError(t, conn.Close())
	err = <-served
	assert.Error(t, err)
	assert.False(t, errors.Is(err, http.ErrServerClosed), "%v", err)
	assert.Empty(t, s.altSvc())
	assert.NoError(t, s.Shutdown(context.Background()))
}
