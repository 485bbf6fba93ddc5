package server

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// conn is a connection: its socket, what has been read of it, and its exchanges. One goroutine at a
// time has the reader's role; it runs the handler itself, and gives the role to another one first
// when requests behind this one may be read meanwhile.
type conn struct {
	server *Server
	rwc    net.Conn
	bare   net.Conn // beneath TLS
	tls    *tls.ConnectionState
	remote string
	ctx    context.Context // the requests' contexts come from it
	cancel context.CancelFunc
	in     input
	pace   *body // whose bytes the reader waits for, or nil
	watch  *watch

	writing     writing
	writesWhole bool // whatever the size, since the kernel tells how much of it was taken

	firstByte time.Time // when the first bytes came, if the preface was looked for in them

	watched bool        // somebody tells when the client is gone
	fin     atomic.Bool // the client has sent FIN, maybe behind bytes that were not read

	mu         sync.Mutex
	changed    sync.Cond
	state      State
	pipe       pipeline
	goroutines int
	reading    bool      // somebody has the reader's role
	headBegun  bool      // the reader has bytes of a request that is not in the pipeline
	fresh      bool      // no byte has come yet
	sending    bool      // settle is at work
	ended      bool      // nothing more will be read
	closing    bool      // the last answer is being sent
	hijacking  bool      // the reader's role is wanted back
	hijacked   bool      // the socket is the handler's
	since      time.Time // when it became idle
	requests   int
	armed      time.Time // the read deadline
	writeArmed bool
	// Calls of ConnState that have begun to wait for their turn, and those that have ended.
	telling, told int
}

func newConn(s *Server, rwc net.Conn, ctx context.Context) *conn {
	c := &conn{server: s, rwc: rwc, bare: rwc, fresh: true, reading: true, goroutines: 1, since: time.Now()}
	c.changed.L = &c.mu
	c.pipe.ahead = max(0, s.Pipeline)
	if t, ok := rwc.(*tls.Conn); ok {
		c.bare = t.NetConn()
	}
	c.writesWhole = tellsAcknowledged(c.bare)
	c.ctx, c.cancel = context.WithCancel(ctx)
	c.in.src = c
	return c
}

// identify asks for the addresses, which may block: a listener of the PROXY protocol may not know them yet.
func (c *conn) identify() {
	if a := c.rwc.RemoteAddr(); a != nil {
		c.remote = a.String()
	}
	c.ctx = context.WithValue(c.ctx, http.LocalAddrContextKey, c.rwc.LocalAddr())
}

// Read is for the input. It finds out what an error means for the connection.
func (c *conn) Read(p []byte) (int, error) {
	if c.pace != nil {
		if err := c.pace.before(); err != nil {
			return 0, err
		}
	}
	n, err := c.rwc.Read(p)
	if c.pace != nil {
		c.pace.after()
	}
	if err != nil {
		c.readFailed(err)
	}
	return n, err
}

// readFailed aborts after an error that is neither a deadline nor an end: a reset, mostly.
func (c *conn) readFailed(err error) {
	if err != io.EOF && !errors.Is(err, os.ErrDeadlineExceeded) && !isTimeout(err) {
		c.abort()
	}
}

func isTimeout(err error) bool {
	var t net.Error
	return errors.As(err, &t) && t.Timeout()
}

// setReadDeadline reports whether the reader may go on.
func (c *conn) setReadDeadline(t time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.setReadDeadlineLocked(t)
}

func (c *conn) setReadDeadlineLocked(t time.Time) bool {
	if c.hijacking || c.state != Open {
		return false
	}
	if !t.Equal(c.armed) {
		c.armed = t
		_ = c.rwc.SetReadDeadline(t) // a socket that cannot is found out by its reads
	}
	return true
}

// armWrite sets the write deadline of an exchange that gets its turn. The lock is held.
func (c *conn) armWrite(ex *exchange) {
	var t time.Time
	switch {
	case ex.writeDeadline != nil:
		t = *ex.writeDeadline
	case c.server.WriteTimeout > 0:
		t = time.Now().Add(c.server.WriteTimeout)
	}
	if c.writeArmed || !t.IsZero() {
		c.writeArmed = !t.IsZero()
		_ = c.rwc.SetWriteDeadline(t)
	}
}

// enter counts a goroutine that works for the connection; false if it is dead.
func (c *conn) enter() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.goroutines == 0 {
		return false
	}
	c.goroutines++
	return true
}

// leave is the end of a goroutine, deferred: a panic that has come so far, of a listener's own kind of
// connection, ends the connection. With the last goroutine it is dead.
func (c *conn) leave() {
	if v := recover(); v != nil {
		c.server.logPanic("serving "+c.remote, v)
		c.abort()
	}
	c.mu.Lock()
	c.goroutines--
	last := c.goroutines == 0
	c.mu.Unlock()
	if !last {
		return
	}
	defer c.bury() // whatever becomes of a hook
	c.close(false)
}

// bury makes a connection that nobody works for dead.
func (c *conn) bury() {
	if !c.hijacked {
		c.in.drop()
	}
	c.cancel() // or the user's context would keep that of a connection that was hijacked
	c.mu.Lock()
	c.state = Dead
	c.mu.Unlock()
	c.server.forget(c)
	if !c.hijacked {
		defer c.connState(http.StateClosed)
		c.server.stateChanged(c, Dead)
	}
}

// abort closes the connection at once: the contexts of all requests are cancelled, and the socket is
// gone. The object stays until the handlers have returned.
func (c *conn) abort() { c.close(true) }

// close does the same; unless in a hurry, TLS says goodbye.
func (c *conn) close(hurry bool) {
	c.mu.Lock()
	c.closeLocked(hurry)
}

// closeLocked is close for a holder of the lock, which it gives back.
func (c *conn) closeLocked(hurry bool) {
	if c.state != Open || c.hijacked {
		c.mu.Unlock()
		return
	}
	c.state = Closed
	c.changed.Broadcast()
	watch := c.watch
	c.mu.Unlock()
	c.cancel()
	watch.remove()
	if hurry {
		_ = c.bare.Close()
	} else {
		_ = c.rwc.Close()
	}
	c.server.stateChanged(c, Closed)
}

const (
	lingerTime  = 500 * time.Millisecond
	lingerBytes = 256 << 10
)

// linger closes the writing side and swallows what still comes for a while: a socket that is closed
// with unread bytes resets, and the reset overtakes the answer (RFC 9112, section 9.6). Its caller
// has the reader's role, or nobody has.
func (c *conn) linger() {
	c.cancel()
	if t, ok := c.rwc.(*tls.Conn); ok {
		_ = t.CloseWrite()
	}
	w, ok := c.bare.(interface{ CloseWrite() error })
	if !ok || w.CloseWrite() != nil || !c.setReadDeadline(time.Now().Add(lingerTime)) {
		return
	}
	c.in.drop()
	buf := takeBuffer()
	defer giveBuffer(buf)
	for n := 0; n < lingerBytes; {
		m, err := c.bare.Read(buf)
		if err != nil {
			return
		}
		n += m
	}
}

// halfClosed is what an end of the client's bytes means: it wants no answer any more, by the habit of
// net/http, or only has nothing more to ask.
func (c *conn) halfClosed() {
	if !c.server.HalfClose {
		c.cancel()
	}
}

// idle reports whether nothing is asked of the connection. The lock is held.
func (c *conn) idle() bool {
	return c.pipe.active == 0 && !c.headBegun && !c.sending
}

// closeIfIdle is for Shutdown; patient spares a connection that is so new that its first request
// may be on its way. It reports whether the connection was closed.
func (c *conn) closeIfIdle(patient bool) bool {
	c.mu.Lock()
	if c.state != Open || !c.idle() || patient && c.fresh || c.hijacked {
		c.mu.Unlock()
		return false
	}
	c.closeLocked(false) // before anybody can begin with a request
	return true
}
