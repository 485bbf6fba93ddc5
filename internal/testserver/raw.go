package testserver

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// RawServer plays a script on each of its connections.
type RawServer struct {
	*Endpoint
	t        testing.TB
	listener net.Listener
	script   Script
	requests requestList
	closed   chan struct{}
	once     sync.Once
	running  sync.WaitGroup
}

// Script is what a server does on one connection. The connection is closed when
// the script returns. It runs on a goroutine of its own, so it must not call
// FailNow, nor anything from testify/require.
type Script func(c *Conn)

// Raw starts a TCP server that plays script on every connection, beside each
// other. It ends with the test, or by Close.
func Raw(t testing.TB, script Script, options ...Option) *RawServer {
	t.Helper()
	s := newSettings(options)
	l, endpoint := s.listen(t)
	var config *tls.Config
	if s.tls {
		config = s.tlsConfig(t)
	}
	r := &RawServer{
		Endpoint: endpoint, t: t, listener: l, script: script,
		requests: requestList{t: t}, closed: make(chan struct{}),
	}
	r.running.Go(func() { r.accept(config) })
	t.Cleanup(r.Close)
	return r
}

func (r *RawServer) accept(config *tls.Config) {
	for {
		conn, err := r.listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil { // out of descriptors, say
			assert.NoError(r.t, err, "testserver: accept")
			return
		}
		counted := conn.(*countedConn)
		r.running.Go(func() {
			defer func() { _ = counted.Close() }()
			r.play(counted, config)
		})
	}
}

func (r *RawServer) play(counted *countedConn, config *tls.Config) {
	c := &Conn{Conn: counted, Number: counted.number, counted: counted, server: r}
	if config != nil {
		secure := tls.Server(counted, config)
		ctx, cancel := context.WithTimeout(context.Background(), handshakeTimeout)
		defer cancel()
		if secure.HandshakeContext(ctx) != nil {
			return
		}
		// What a script leaves open ends as TLS wants it, but not one that was
		// reset: the write fails and nobody cares.
		defer func() { _ = secure.Close() }()
		c.Conn = secure
	}
	c.br = bufio.NewReader(c.Conn)
	r.script(c)
}

// Requests are the requests that the scripts have read so far.
func (r *RawServer) Requests() []*Request { return r.requests.all() }

// Request is the one request received; the test fails if there were more or none.
func (r *RawServer) Request() *Request { r.t.Helper(); return r.requests.only() }

// WaitRequests waits until n heads were read, and tells whether that happened
// within d.
func (r *RawServer) WaitRequests(n int, d time.Duration) bool { return r.requests.waitFor(n, d) }

// StopListening refuses further connections and leaves the open ones alone.
func (r *RawServer) StopListening() { _ = r.listener.Close() }

// Close ends the server and all connections, and waits for the scripts.
func (r *RawServer) Close() {
	r.once.Do(func() {
		close(r.closed)
		_ = r.listener.Close()
		r.CloseConnections()
		stop := make(chan struct{})
		go func() {
			r.running.Wait()
			close(stop)
		}()
		limit := time.After(endTimeout)
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-stop:
				return
			case <-tick.C: // one accepted just before the listener was closed
				r.CloseConnections()
			case <-limit:
				assert.Fail(r.t, "testserver: a script did not end with its server")
				return
			}
		}
	})
}

const (
	handshakeTimeout = 10 * time.Second
	endTimeout       = 10 * time.Second
)
