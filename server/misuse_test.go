package server

import (
	"io"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// More than the head has promised is refused, by whichever way it comes.
func TestServer_sends_no_more_than_the_head_has_promised(t *testing.T) {
	returned := make(chan error, 1)
	addr := start(t, &Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "5")
		_, err := io.WriteString(w, "far too long")
		assert.ErrorIs(t, err, http.ErrContentLength)
		w.(http.Flusher).Flush()
		f, err := os.Open("testdata/file.txt")
		if assert.NoError(t, err) {
			_, err = io.Copy(w, f)
			assert.NoError(t, f.Close())
		}
		returned <- err
	})})
	c := dial(t, addr)
	c.send(get1("/") + get1("/smuggled"))
	assert.ErrorIs(t, <-returned, http.ErrContentLength)
	head, body, _ := strings.Cut(c.rest(), "\r\n\r\n")
	assert.Contains(t, head, "Content-Length: 5")
	assert.Empty(t, body)
}

// A map of the handler's takes keys in any case: the server alone says how a body is framed.
func TestServer_alone_frames_the_answer(t *testing.T) {
	addr := start(t, &Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		for _, key := range []string{"content-length", "CONTENT-LENGTH", "transfer-encoding", "Transfer-encoding"} {
			h[key] = []string{"3"}
		}
		if r.URL.Path == "/hints" {
			w.WriteHeader(http.StatusEarlyHints)
		}
		_, _ = io.WriteString(w, "hello")
	})})
	for _, path := range []string{"/", "/hints"} {
		c := dial(t, addr)
		c.send(get1(path) + bye(path))
		got := strings.ToLower(c.rest())
		assert.Equal(t, 2, strings.Count(got, "content-length: 5\r\n"), got)
		assert.Equal(t, 2, strings.Count(got, "content-length"), got)
		assert.NotContains(t, got, "transfer-encoding")
	}
}

// What decides framing, routing or access has no place behind a body (RFC 9110, section 6.5.1).
func TestServer_sends_no_trailers_that_it_would_refuse(t *testing.T) {
	addr := start(t, &Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		h := w.Header()
		h.Set("Trailer", "Content-Length, A")
		w.(http.Flusher).Flush()
		_, _ = io.WriteString(w, "hello")
		h.Set("A", "1\r\nSet-Cookie: x")
		h.Set("Content-Length", "3")
		h.Set(http.TrailerPrefix+"Transfer-Encoding", "chunked")
		h.Set(http.TrailerPrefix+"content-length", "3")
		h[http.TrailerPrefix+"B\r\nC"] = []string{"2"}
		h.Set(http.TrailerPrefix+"D", "4\r\n\r\nHTTP/1.1 200 OK")
	})})
	_, trailers, there := strings.Cut(talk(t, addr, bye("/")), "\r\n0\r\n")
	require.True(t, there)
	assert.Equal(t, "A: 1  Set-Cookie: x\r\nD: 4    HTTP/1.1 200 OK\r\n\r\n", trailers)
}

func TestServer_lets_no_handler_write_a_line_of_its_own_into_a_head(t *testing.T) {
	addr := start(t, &Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		h := w.Header()
		h.Set("X", "1\r\n\r\nHTTP/1.1 200 OK")
		h.Set("Connection", "x\r\ny: z, w")
		h["Y\r\nZ"] = []string{"2"}
		h["N\x00"] = []string{"\x00"}
		h.Set("Transfer-Encoding", "gzip\r\nContent-Length: 3")
		h.Set("Content-Type", "a\nb")
		w.WriteHeader(http.StatusEarlyHints)
		w.WriteHeader(799)
		_, _ = io.WriteString(w, "hello")
	})})
	for _, request := range []string{bye("/"), "GET / HTTP/1.0\r\nHost: a\r\n\r\n", "GET / HTTP/1.0\r\nConnection: keep-alive\r\nHost: a\r\n\r\n"} {
		got := talk(t, addr, request)
		for _, line := range []string{"\r\nHTTP/1.1 200 OK", "\r\ny: z", "\r\nZ", "\r\nContent-Length: 3", "\r\nb", "\x00"} {
			assert.NotContains(t, got, line)
		}
	}
}

// Nothing of the server's may stand among the bytes of another protocol.
func TestServer_asks_for_no_body_that_its_handler_cannot_read(t *testing.T) {
	for name, c := range map[string]struct {
		handler http.HandlerFunc
		want    string
	}{
		"hijacked": {func(w http.ResponseWriter, r *http.Request) {
			nc, _, err := w.(http.Hijacker).Hijack()
			if assert.NoError(t, err) {
				_, err = r.Body.Read(make([]byte, 1))
				assert.ErrorIs(t, err, http.ErrBodyReadAfterClose)
				_, _ = io.WriteString(nc, "mine")
				_ = nc.Close()
			}
		}, "mine"},
		"closed": {func(w http.ResponseWriter, r *http.Request) {
			assert.NoError(t, r.Body.Close())
			_, err := r.Body.Read(make([]byte, 1))
			assert.ErrorIs(t, err, http.ErrBodyReadAfterClose)
			w.WriteHeader(http.StatusTeapot)
		}, "HTTP/1.1 418 "},
	} {
		t.Run(name, func(t *testing.T) {
			addr := start(t, &Server{Handler: c.handler})
			client := dial(t, addr)
			client.send("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n")
			got := client.rest()
			assert.True(t, strings.HasPrefix(got, c.want), got)
		})
	}
}

// A client takes all that follows for the tunnel, and what it sends then is no request (RFC 9110, section 9.3.6).
func TestServer_runs_nothing_behind_a_tunnel_that_nobody_took_over(t *testing.T) {
	addr := start(t, &Server{Pipeline: 3, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.Host {
		case "open:80":
			_, _ = io.WriteString(w, "hello")
		case "flushed:80":
			w.(http.Flusher).Flush()
			_, _ = io.WriteString(w, "hello")
		case "shut:80":
			w.WriteHeader(http.StatusForbidden)
		default:
			_, _ = io.WriteString(w, "smuggled")
		}
	})})
	for _, name := range []string{"open", "flushed"} {
		for _, version := range []string{"1", "0"} {
			c := dial(t, addr)
			c.send("CONNECT " + name + ":80 HTTP/1." + version + "\r\nHost: " + name + ":80\r\nConnection: keep-alive\r\n\r\n" + get1("/"))
			head, tunnel, _ := strings.Cut(c.rest(), "\r\n\r\n")
			assert.Contains(t, head, " 200 ")
			assert.NotContains(t, head, "Content-Length")
			assert.NotContains(t, head, "Transfer-Encoding")
			assert.NotContains(t, head, "keep-alive")
			assert.Equal(t, "hello", tunnel)
		}
	}
	c := dial(t, addr)
	c.send("CONNECT shut:80 HTTP/1.1\r\nHost: shut\r\n\r\n" + bye("/"))
	resp, _ := c.answer("CONNECT")
	assert.Equal(t, http.StatusForbidden, resp.StatusCode)
	assert.Equal(t, "smuggled", c.body("GET"))
}
