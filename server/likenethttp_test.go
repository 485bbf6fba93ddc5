package server

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var handlersLikeNetHTTP = map[string]func(w http.ResponseWriter, r *http.Request){
	"nothing":    func(http.ResponseWriter, *http.Request) {},
	"small":      func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hello") },
	"html":       func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html>hello") },
	"2048":       func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(bytes.Repeat([]byte("a"), 2048)) },
	"2049":       func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(bytes.Repeat([]byte("a"), 2049)) },
	"big":        func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(bytes.Repeat([]byte("abc\n"), 100000)) },
	"not found":  http.NotFound,
	"error":      func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", http.StatusInternalServerError) },
	"redirect":   func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/x", http.StatusFound) },
	"204":        func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204) },
	"204 + body": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204); _, _ = io.WriteString(w, "x") },
	"304": func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "a/b")
		w.WriteHeader(304)
	},
	"299": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(299) },
	"own type": func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "a/b")
		_, _ = io.WriteString(w, "x")
	},
	"no type": func(w http.ResponseWriter, _ *http.Request) {
		w.Header()["Content-Type"] = nil
		_, _ = io.WriteString(w, "x")
	},
	"encoded": func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		_, _ = io.WriteString(w, "x")
	},
	"two cookies": func(w http.ResponseWriter, _ *http.Request) { w.Header()["Set-Cookie"] = []string{"a=b", "c=d"} },
	"line ends":   func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("X", " a\r\nb: c ") },
	"bad name":    func(w http.ResponseWriter, _ *http.Request) { w.Header()["bad name"] = []string{"x"} },
	"length": func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "5")
		_, _ = io.WriteString(w, "hello")
	},
	"too short": func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "9")
		_, _ = io.WriteString(w, "hello")
	},
	"too long": func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "3")
		_, _ = io.WriteString(w, "hello")
	},
	"length only": func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "5")
		w.WriteHeader(200)
	},
	"close": func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Connection", "close")
		_, _ = io.WriteString(w, "x")
	},
	"identity": func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Transfer-Encoding", "identity")
		_, _ = io.WriteString(w, "x")
	},
	"chunked": func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Transfer-Encoding", "chunked")
		_, _ = io.WriteString(w, "x")
	},
	"own date": func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Date", "never")
		_, _ = io.WriteString(w, "x")
	},
	"kept header": func(w http.ResponseWriter, _ *http.Request) {
		h := w.Header()
		h.Set("Trailer", "X-Behind")
		w.WriteHeader(http.StatusOK)
		h.Set("X-Late", "1")
		_, _ = io.WriteString(w, "x")
		h.Set("X-Behind", "1")
	},
	"late header": func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("A", "1")
		w.WriteHeader(201)
		w.Header().Set("A", "2")
		w.Header().Set("B", "3")
		_, _ = io.WriteString(w, "x")
		w.WriteHeader(500)
	},
	"flush": func(w http.ResponseWriter, _ *http.Request) {
		for range 3 {
			_, _ = io.WriteString(w, "part")
			w.(http.Flusher).Flush()
		}
	},
	"flush first": func(w http.ResponseWriter, _ *http.Request) { w.(http.Flusher).Flush(); _, _ = io.WriteString(w, "x") },
	"hints": func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Link", "</x>; rel=preload")
		w.WriteHeader(103)
		w.Header().Set("Content-Length", "1")
		w.WriteHeader(102)
		_, _ = io.WriteString(w, "x")
	},
	"trailers": func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Trailer", "A, B")
		_, _ = io.WriteString(w, "x")
		w.Header().Set("A", "1")
		w.Header().Set("B", "2")
		w.Header().Set("C", "3")
	},
	"late trailers": func(w http.ResponseWriter, _ *http.Request) {
		w.(http.Flusher).Flush()
		_, _ = io.WriteString(w, "x")
		w.Header().Set(http.TrailerPrefix+"A", "1")
	},
	"abort": func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "x")
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	},
	"panic": func(http.ResponseWriter, *http.Request) { panic("no") },
	"echo": func(w http.ResponseWriter, r *http.Request) {
		b, err := io.ReadAll(r.Body)
		_, _ = fmt.Fprintf(w, "%s %s %s %s %d %v %v %v %v", r.Method, r.RequestURI, r.Host, b, r.ContentLength, r.TransferEncoding, r.Trailer, err, r.Close)
	},
	"half read": func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.ReadFull(r.Body, make([]byte, 2))
		_, _ = io.WriteString(w, "x")
	},
	"early close": func(w http.ResponseWriter, r *http.Request) {
		_ = r.Body.Close()
		_, err := r.Body.Read(make([]byte, 1))
		_, _ = io.WriteString(w, fmt.Sprint(r.Method != "POST" || err == http.ErrBodyReadAfterClose))
	},
	"file": func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, "testdata/file.txt") },
	"copy": func(w http.ResponseWriter, r *http.Request) {
		f, err := os.Open("testdata/file.txt")
		if err == nil {
			_, _ = io.Copy(w, f)
			_ = f.Close()
		}
	},
	"max bytes": func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, 2)
		if _, err := io.ReadAll(r.Body); err != nil {
			http.Error(w, "too big", http.StatusRequestEntityTooLarge)
		}
	},
	"timeout handler": http.TimeoutHandler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "x") }), time.Minute, "late").ServeHTTP,
}

var requestsLikeNetHTTP = map[string]string{
	"GET":               "GET /p?q=1 HTTP/1.1\r\nHost: a\r\n\r\n",
	"HEAD":              "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n",
	"GET close":         "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
	"GET 1.0":           "GET / HTTP/1.0\r\n\r\n",
	"GET 1.0 kept":      "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
	"HEAD 1.0 kept":     "HEAD / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n",
	"absolute":          "GET http://b.example/x HTTP/1.1\r\nHost: b.example\r\n\r\n",
	"range":             "GET / HTTP/1.1\r\nHost: a\r\nRange: bytes=1-3\r\n\r\n",
	"POST":              "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello",
	"POST chunked":      "POST / HTTP/1.1\r\nHost: a\r\nTrailer: X\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX: y\r\n\r\n",
	"OPTIONS *":         "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
	"two at once":       "GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n",
	"POST and a second": "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhelloGET /2 HTTP/1.1\r\nHost: a\r\n\r\n",
}

// conversation sends a request, and then another one if the connection lives, and gives all that came.
func conversation(t *testing.T, addr, request string) string {
	c := dial(t, addr)
	// In one piece: bytes that come when a server has closed make the kernel drop its answer.
	c.send(request + "GET /last HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
	return normal([]byte(c.rest()))
}

var dates = regexp.MustCompile(`(?m)^Date: .* GMT\r$`)

// normal sorts the fields of all heads, since nobody cares for their order, and hides the time.
func normal(b []byte) string {
	b = bytes.ReplaceAll(b, bytes.Repeat([]byte("abc\n"), 1000), []byte("<4000 bytes>"))
	text := dates.ReplaceAllString(string(b), "Date: now\r")
	parts := strings.Split(text, "\r\n\r\n")
	for i, p := range parts {
		if at := strings.Index(p, "HTTP/1."); at >= 0 {
			lines := strings.Split(p[at:], "\r\n")
			sort.Strings(lines[1:])
			parts[i] = p[:at] + strings.Join(lines, "\r\n")
		}
	}
	return strings.Join(parts, "\r\n\r\n")
}

func TestServer_answers_handlers_as_net_http_does(t *testing.T) {
	for name, h := range handlersLikeNetHTTP {
		handler := http.HandlerFunc(h)
		theirs := httptest.NewUnstartedServer(handler)
		theirs.Config.ErrorLog = quiet
		theirs.Start()
		for _, pipeline := range []int{0, 5} {
			ours := start(t, &Server{Handler: handler, Pipeline: pipeline})
			for what, request := range requestsLikeNetHTTP {
				if name == "hints" && strings.Contains(what, "1.0") {
					continue // HTTP/1.0 knows no informational answers (RFC 9110, section 15.2)
				}
				if name == "max bytes" && strings.HasPrefix(what, "POST") {
					continue // the rest of the body is small: there is no need to close
				}
				want := conversation(t, theirs.Listener.Addr().String(), request)
				got := conversation(t, ours, request)
				assert.Equal(t, want, got, "%s, %s, pipeline of %d", name, what, pipeline)
			}
		}
		theirs.Close()
	}
}

func TestServer_asks_for_the_body_when_it_is_wanted(t *testing.T) {
	addr := start(t, &Server{Handler: http.HandlerFunc(handlersLikeNetHTTP["echo"])})
	c := dial(t, addr)
	for range 2 {
		c.send("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n")
		resp, _ := c.answer("POST")
		require.Equal(t, 100, resp.StatusCode)
		c.send("hello")
		body := c.body("POST")
		assert.Contains(t, body, "hello")
	}
}

func TestServer_closes_when_the_body_is_not_wanted(t *testing.T) {
	silent := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	for want, h := range map[string]http.Handler{"/x": echo, "": silent} {
		addr := start(t, &Server{Handler: h})
		c := dial(t, addr)
		c.send("POST /x HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n")
		resp, body := c.answer("POST")
		assert.Equal(t, want, body)
		assert.True(t, resp.Close)
		require.NoError(t, c.Conn.(*net.TCPConn).CloseWrite())
		assert.Empty(t, c.rest())
	}
}

func TestServer_lets_a_handler_read_on_after_it_has_begun_to_answer(t *testing.T) {
	addr := start(t, &Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		control := http.NewResponseController(w)
		assert.NoError(t, control.EnableFullDuplex())
		assert.NoError(t, control.Flush())
		lines := bufio.NewScanner(r.Body)
		for lines.Scan() {
			_, _ = fmt.Fprintf(w, "%s!\n", lines.Text())
			assert.NoError(t, control.Flush())
		}
	})})
	c := dial(t, addr)
	c.send("POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
	resp, err := http.ReadResponse(c.r, nil)
	require.NoError(t, err)
	lines := bufio.NewReader(resp.Body)
	for _, word := range []string{"one", "two"} {
		c.send(fmt.Sprintf("4\r\n%s\n\r\n", word))
		line, err := lines.ReadString('\n')
		require.NoError(t, err)
		assert.Equal(t, word+"!\n", line)
	}
	c.send("0\r\n\r\n")
	_, err = io.ReadAll(lines)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	c.send("POST /y HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nmore")
	assert.Equal(t, "more!\n", c.body("POST"))
}
