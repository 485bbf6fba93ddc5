package server

import (
	"bufio"
	"context"
	"io"
	"log"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const wait = 10 * time.Second // for what should happen at once

var quiet = log.New(io.Discard, "", 0)

// start serves on a loopback port until the test ends, and then wants all connections dead.
func start(t testing.TB, s *Server) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	serveOn(t, s, l)
	return l.Addr().String()
}

func serveOn(t testing.TB, s *Server, l net.Listener) {
	if s.ErrorLog == nil {
		s.ErrorLog = quiet
	}
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(l) }()
	t.Cleanup(func() {
		_ = s.Close()
		assert.ErrorIs(t, <-ended, http.ErrServerClosed)
		ctx, cancel := context.WithTimeout(context.Background(), wait)
		defer cancel()
		assert.NoError(t, s.Shutdown(ctx), "connections are left")
	})
}

// client is a raw connection.
type client struct {
	net.Conn
	t testing.TB
	r *bufio.Reader
}

func dial(t testing.TB, addr string) *client {
	t.Helper()
	nc, err := net.Dial("tcp", addr)
	require.NoError(t, err)
	t.Cleanup(func() { _ = nc.Close() })
	require.NoError(t, nc.SetDeadline(time.Now().Add(wait)))
	return &client{nc, t, bufio.NewReader(nc)}
}

func (c *client) send(text string) {
	c.t.Helper()
	_, err := io.WriteString(c.Conn, text)
	require.NoError(c.t, err)
}

// answered is an answer's head.
type answered struct {
	StatusCode int
	Header     http.Header
	Close      bool
}

// answer reads an answer to a method, and its body.
func (c *client) answer(method string) (answered, string) {
	c.t.Helper()
	resp, err := http.ReadResponse(c.r, &http.Request{Method: method})
	require.NoError(c.t, err)
	b, err := io.ReadAll(resp.Body)
	require.NoError(c.t, err)
	_ = resp.Body.Close()
	return answered{resp.StatusCode, resp.Header, resp.Close}, string(b)
}

// body is answer for who wants the body alone.
func (c *client) body(method string) string {
	c.t.Helper()
	_, b := c.answer(method)
	return b
}

// rest reads up to the end of the connection.
func (c *client) rest() string {
	c.t.Helper()
	b, err := io.ReadAll(c.r)
	require.NoError(c.t, err)
	return string(b)
}

// exchange sends raw bytes on a connection of its own, and gives all that comes back until it is closed.
func talk(t testing.TB, addr, text string) string {
	c := dial(t, addr)
	c.send(text)
	return c.rest()
}

func (c *client) reset() {
	c.t.Helper()
	require.NoError(c.t, c.Conn.(*net.TCPConn).SetLinger(0))
	require.NoError(c.t, c.Close())
}

// logged is an ErrorLog to look into.
type logged struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *logged) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// echo answers with the request's path.
var echo = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.URL.Path) })

func get1(path string) string { return "GET " + path + " HTTP/1.1\r\nHost: a\r\n\r\n" }
func bye(path string) string {
	return "GET " + path + " HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
}
