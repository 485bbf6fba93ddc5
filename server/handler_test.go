package server

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom/internal/testserver"
)

const upgrade = "GET /ws HTTP/1.1\r\n" + host + "Connection: Upgrade\r\nUpgrade: echo\r\n\r\n"

// shouting hijacks, and then sends all it reads back in upper case.
var shouting = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != "/ws" {
		echo(w, r)
		return
	}
	nc, rw, err := http.NewResponseController(w).Hijack()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	defer func() { _ = nc.Close() }()
	_, _ = rw.WriteString("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
	_ = rw.Flush()
	for {
		line, err := rw.ReadString('\n')
		if err != nil {
			return
		}
		_, _ = rw.WriteString(strings.ToUpper(line))
		_ = rw.Flush()
	}
})

func TestHijack_gives_the_connection_and_what_was_read_of_it(t *testing.T) {
	plain := get1("/ws") // nothing says that it will be hijacked, and somebody reads on
	for _, pipeline := range []int{0, 5} {
		for _, request := range []string{upgrade, plain} {
			s := newStates()
			addr := start(t, &Server{Handler: shouting, Pipeline: pipeline, StateChange: s.changed})
			c := dial(t, addr)
			early := "" // with a pipeline it would be taken for a request behind the plain one
			if request == upgrade || pipeline == 0 {
				early = "one\n"
			}
			c.send(get1("/1") + request + early)
			body := c.body("GET")
			assert.Equal(t, "/1", body)
			resp, err := http.ReadResponse(c.r, nil)
			require.NoError(t, err)
			require.NoError(t, resp.Body.Close())
			require.Equal(t, 101, resp.StatusCode)
			if early == "" {
				c.send("one\n")
			}
			c.send("two\n")
			for _, want := range []string{"ONE\n", "TWO\n"} {
				line, err := c.r.ReadString('\n')
				require.NoError(t, err)
				assert.Equal(t, want, line)
			}
			require.NoError(t, c.Conn.(*net.TCPConn).CloseWrite())
			assert.Empty(t, c.rest())
			assert.Empty(t, s.all())
		}
	}
}

func TestHijack_calls_back_who_reads_on_where_nobody_watches(t *testing.T) {
	for _, pipeline := range []int{0, 5} {
		for _, early := range []string{"one\n", ""} {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			require.NoError(t, err)
			serveOn(t, &Server{Handler: shouting, Pipeline: pipeline}, hiding{l})
			c := dial(t, l.Addr().String())
			c.send(get1("/1") + upgrade + early)
			assert.Equal(t, "/1", c.body("GET"))
			resp, _ := c.answer("GET")
			require.Equal(t, 101, resp.StatusCode)
			c.send("two\n")
			for _, want := range []string{strings.ToUpper(early), "TWO\n"} {
				if want != "" {
					line, err := c.r.ReadString('\n')
					require.NoError(t, err)
					assert.Equal(t, want, line)
				}
			}
			require.NoError(t, c.Conn.(*net.TCPConn).CloseWrite())
			assert.Empty(t, c.rest())
		}
	}
}

func TestHijack_fails_when_requests_behind_are_at_work(t *testing.T) {
	behind := make(chan struct{})
	addr := start(t, &Server{Pipeline: 5, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/2" {
			close(behind)
			return
		}
		<-behind
		_, _, err := w.(http.Hijacker).Hijack()
		_, _ = io.WriteString(w, err.Error())
	})})
	c := dial(t, addr)
	c.send(get1("/1") + get1("/2"))
	body := c.body("GET")
	assert.Equal(t, errRunAhead.Error(), body)
}

func TestHijack_is_once_and_ends_the_writer(t *testing.T) {
	done := make(chan struct{})
	addr := start(t, &Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		defer close(done)
		nc, _, err := w.(http.Hijacker).Hijack()
		require.NoError(t, err)
		defer func() { _ = nc.Close() }()
		_, _, err = w.(http.Hijacker).Hijack()
		assert.ErrorIs(t, err, http.ErrHijacked)
		_, err = io.WriteString(w, "x")
		assert.ErrorIs(t, err, http.ErrHijacked)
		w.WriteHeader(200)
		assert.ErrorIs(t, http.NewResponseController(w).Flush(), http.ErrHijacked)
	})})
	assert.Empty(t, talk(t, addr, get1("/")))
	<-done
}

func TestServer_logs_a_panic_but_not_an_abort(t *testing.T) {
	for _, value := range []any{"oh no", http.ErrAbortHandler} {
		var out logged
		addr := start(t, &Server{ErrorLog: log.New(&out, "", 0), Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(value) })})
		assert.Empty(t, talk(t, addr, get1("/")))
		assert.Equal(t, value == "oh no", strings.Contains(out.String(), "oh no"), out.String())
	}
}

func TestServer_survives_a_handler_that_exits_its_goroutine(t *testing.T) {
	for _, pipeline := range []int{0, 5} {
		addr := start(t, &Server{Pipeline: pipeline, Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) { runtime.Goexit() })})
		assert.Empty(t, talk(t, addr, get1("/")+get1("/")))
	}
}

// The answers before the one that fails are whole.
func TestServer_cuts_only_from_the_answer_that_fails(t *testing.T) {
	failed := make(chan struct{})
	addr := start(t, &Server{Pipeline: 5, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/2" {
			defer close(failed)
			panic(http.ErrAbortHandler)
		}
		<-failed
		_, _ = io.WriteString(w, "whole")
	})})
	c := dial(t, addr)
	c.send(get1("/1") + get1("/2") + get1("/3"))
	body := c.body("GET")
	assert.Equal(t, "whole", body)
	assert.Empty(t, c.rest())
}

func TestServer_makes_contexts_as_net_http_does(t *testing.T) {
	type key string
	s := &Server{
		BaseContext: func(l net.Listener) context.Context {
			return context.WithValue(context.Background(), key("base"), l.Addr().String())
		},
		ConnContext: func(ctx context.Context, c net.Conn) context.Context {
			return context.WithValue(ctx, key("conn"), c.RemoteAddr().String())
		},
	}
	var ended context.Context
	s.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ended = r.Context()
		assert.NoError(t, ended.Err())
		assert.Equal(t, r.RemoteAddr, ended.Value(key("conn")))
		assert.Equal(t, ended.Value(key("base")), ended.Value(http.LocalAddrContextKey).(net.Addr).String())
		assert.NotNil(t, ended.Value(http.ServerContextKey).(*http.Server))
	})
	addr := start(t, s)
	talk(t, addr, bye("/"))
	assert.ErrorIs(t, ended.Err(), context.Canceled)
}

func TestServer_tells_old_handlers_that_the_client_is_gone(t *testing.T) {
	told := make(chan string, 1)
	entered := make(chan string, 1)
	addr := start(t, &Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		gone := w.(interface{ CloseNotify() <-chan bool }).CloseNotify()
		entered <- ""
		<-gone
		told <- ""
	})})
	c := dial(t, addr)
	c.send(get1("/"))
	receive(t, entered)
	require.NoError(t, c.Close())
	receive(t, told)
}

func TestServer_sends_a_file(t *testing.T) {
	data := bytes.Repeat([]byte("0123456789abcde\n"), 1<<16)
	name := filepath.Join(t.TempDir(), "file.txt")
	require.NoError(t, os.WriteFile(name, data, 0o600))
	for _, pipeline := range []int{0, 5} {
		addr := start(t, &Server{Pipeline: pipeline, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			switch r.URL.Path {
			case "/more": // than was promised
				f, err := os.Open(name)
				require.NoError(t, err)
				defer func() { _ = f.Close() }()
				w.Header().Set("Content-Length", "600")
				n, err := io.Copy(w, f)
				assert.ErrorIs(t, err, http.ErrContentLength)
				assert.GreaterOrEqual(t, n, int64(600))
			default:
				http.ServeFile(w, r, name)
			}
		})})
		c := dial(t, addr)
		c.send(get1("/1") + get1("/2"))
		for range 2 {
			resp, body := c.answer("GET")
			assert.Equal(t, "text/plain; charset=utf-8", resp.Header.Get("Content-Type"))
			require.Equal(t, len(data), len(body))
			assert.True(t, body == string(data))
		}
		c.send(bye("/more"))
		body := c.body("GET")
		assert.Equal(t, string(data[:600]), body)
	}
}

func TestServer_speaks_HTTP_1_and_2_over_TLS(t *testing.T) {
	certificate := httptest.NewUnstartedServer(nil)
	certificate.StartTLS()
	defer certificate.Close()
	for _, proto := range []string{"HTTP/1.1", "HTTP/2.0"} {
		s := &Server{TLSConfig: &tls.Config{Certificates: certificate.TLS.Certificates}, ErrorLog: quiet}
		left := newWaiting()
		s.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/wait" {
				left.ServeHTTP(w, r)
				return
			}
			assert.NotNil(t, r.TLS)
			assert.NotNil(t, r.Context().Value(http.LocalAddrContextKey))
			b, err := io.ReadAll(r.Body)
			assert.NoError(t, err)
			_, _ = fmt.Fprint(w, r.Proto, string(b))
		})
		l, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		ended := make(chan error, 1)
		go func() { ended <- s.ServeTLS(l, "", "") }()
		transport := certificate.Client().Transport.(*http.Transport).Clone()
		transport.ForceAttemptHTTP2 = proto == "HTTP/2.0"
		if proto == "HTTP/1.1" {
			transport.Protocols = new(http.Protocols)
			transport.Protocols.SetHTTP1(true)
		}
		client := &http.Client{Transport: transport}
		for range 2 {
			resp, err := client.Post("https://"+l.Addr().String(), "text/plain", strings.NewReader(" body"))
			require.NoError(t, err)
			b, _ := io.ReadAll(resp.Body)
			_ = resp.Body.Close()
			assert.Equal(t, proto+" body", string(b))
		}
		// A client that goes away cancels here, too.
		ctx, cancel := context.WithCancel(t.Context())
		req, _ := http.NewRequestWithContext(ctx, "GET", "https://"+l.Addr().String()+"/wait", nil)
		go func() {
			resp, err := client.Do(req)
			if err == nil {
				_ = resp.Body.Close()
			}
		}()
		receive(t, left.entered)
		cancel()
		receive(t, left.ended)
		close(left.leave)
		ctx, cancel = context.WithTimeout(t.Context(), wait)
		require.NoError(t, s.Shutdown(ctx))
		cancel()
		assert.ErrorIs(t, <-ended, http.ErrServerClosed)
		transport.CloseIdleConnections()
	}
}

func TestServer_speaks_HTTP_2_in_clear_text_when_asked_to(t *testing.T) {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetUnencryptedHTTP2(true)
	addr := start(t, &Server{Protocols: protocols, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, r.Proto)
	})})
	transport := &http.Transport{Protocols: new(http.Protocols)}
	transport.Protocols.SetUnencryptedHTTP2(true)
	defer transport.CloseIdleConnections()
	resp, err := (&http.Client{Transport: transport}).Get("http://" + addr)
	require.NoError(t, err)
	b, _ := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	assert.Equal(t, "HTTP/2.0", string(b))
	assert.Contains(t, talk(t, addr, bye("/")), "HTTP/1.1")
	assert.Contains(t, talk(t, addr, "PRI * HTTP/1.1\r\n\r\n"), "HTTP/1.1 400 ")
}

func TestServer_bounds_requests_of_HTTP_2(t *testing.T) {
	protocols := new(http.Protocols)
	protocols.SetUnencryptedHTTP2(true)
	limits := Limits{BodyBytes: 10, URIBytes: 30, HeadLines: 20}
	addr := start(t, &Server{Protocols: protocols, Limits: limits, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, err := io.ReadAll(r.Body)
		_, _ = fmt.Fprint(w, len(b), " ", err)
	})})
	transport := &http.Transport{Protocols: protocols}
	defer transport.CloseIdleConnections()
	do := func(path string, body io.Reader, fields int) (int, string) {
		req, err := http.NewRequest("POST", "http://"+addr+path, body)
		require.NoError(t, err)
		for range fields {
			req.Header.Add("X", "y")
		}
		resp, err := transport.RoundTrip(req)
		require.NoError(t, err)
		b, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		return resp.StatusCode, string(b)
	}
	for _, test := range []struct {
		path   string
		body   io.Reader
		fields int
		status int
		answer string
	}{
		{"/", strings.NewReader("0123456789"), 10, 200, "10 <nil>"},
		{"/", io.MultiReader(strings.NewReader("0123456789")), 10, 200, "10 <nil>"},
		{"/", strings.NewReader("0123456789a"), 0, 413, "body"},
		{"/", io.MultiReader(strings.NewReader("0123456789a")), 0, 200, "10 http: request body too large"},
		{"/" + strings.Repeat("x", 30), nil, 0, 414, "target"},
		{"/", nil, 21, 431, "fields"},
	} {
		status, answer := do(test.path, test.body, test.fields)
		assert.Equal(t, test.status, status)
		assert.Contains(t, answer, test.answer)
	}
}

func TestServer_speaks_no_HTTP_1_when_told_so(t *testing.T) {
	protocols := new(http.Protocols)
	protocols.SetUnencryptedHTTP2(true)
	addr := start(t, &Server{Protocols: protocols, Handler: echo})
	c := dial(t, addr)
	c.send(bye("/"))
	b, _ := io.ReadAll(c.r) // the server need not have read what it closes on
	assert.Empty(t, b)
}

func TestServer_ends_HTTP_2_with_Close(t *testing.T) {
	inventory := testserver.TakeInventory()
	s := &Server{ErrorLog: quiet, Protocols: new(http.Protocols), Handler: echo}
	s.Protocols.SetUnencryptedHTTP2(true)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(l) }()
	transport := &http.Transport{Protocols: s.Protocols}
	defer transport.CloseIdleConnections()
	resp, err := (&http.Client{Transport: transport}).Get("http://" + l.Addr().String())
	require.NoError(t, err)
	_ = resp.Body.Close()
	require.NoError(t, s.Close())
	assert.ErrorIs(t, <-ended, http.ErrServerClosed)
	transport.CloseIdleConnections()
	inventory.Require(t, wait)
}

func TestServer_tells_a_client_that_it_speaks_the_wrong_protocol(t *testing.T) {
	certificate := httptest.NewUnstartedServer(nil)
	certificate.StartTLS()
	defer certificate.Close()
	s := &Server{TLSConfig: &tls.Config{Certificates: certificate.TLS.Certificates}, ErrorLog: quiet}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	serveOn(t, s, tls.NewListener(l, s.TLSConfig))
	assert.Contains(t, talk(t, l.Addr().String(), get1("/")), "400 Bad Request")
}

func TestServer_serves_unix_sockets(t *testing.T) {
	name := filepath.Join(t.TempDir(), "s")
	l, err := net.Listen("unix", name)
	require.NoError(t, err)
	h := newWaiting()
	serveOn(t, &Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/wait" {
			h.ServeHTTP(w, r)
		}
		echo(w, r)
	})}, l)
	nc, err := net.Dial("unix", name)
	require.NoError(t, err)
	c := &client{nc, t, bufio.NewReader(nc)}
	c.send(get1("/1"))
	body := c.body("GET")
	assert.Equal(t, "/1", body)
	c.send(get1("/wait"))
	receive(t, h.entered)
	require.NoError(t, c.Close())
	receive(t, h.ended)
	close(h.leave)
}
