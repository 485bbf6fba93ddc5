package testserver

import (
	"bufio"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"time"
)

// Conn is the server's end of one connection in a script. Reads of a script go
// through its methods; writes need no care.
type Conn struct {
	net.Conn     // the TLS connection if there is TLS
	Number   int // of this server, from 0

	counted *countedConn
	br      *bufio.Reader
	server  *RawServer
}

// ErrServerClosed ends the waiting of a script whose server is being closed.
var ErrServerClosed = errors.New("testserver: the server is closed")

// ReadRequest reads a whole request, body and all, and keeps it in the server's
// list. It sends no 100 Continue.
func (c *Conn) ReadRequest() (*Request, error) {
	r, err := c.ReadHead()
	if err != nil {
		return nil, err
	}
	return r, c.ReadBody(r)
}

// ReadHead reads a request up to the blank line and keeps it in the server's list.
func (c *Conn) ReadHead() (*Request, error) {
	r, err := readHead(c.br)
	if err != nil {
		return nil, err
	}
	c.identify(r)
	c.server.requests.add(r)
	return r, nil
}

// identify notes the connection that a request came on.
func (c *Conn) identify(r *Request) {
	r.Conn = c.Number
	r.LocalAddr, _ = netip.ParseAddrPort(c.LocalAddr().String())
	r.RemoteAddr, _ = netip.ParseAddrPort(c.RemoteAddr().String())
	if t, ok := c.Conn.(*tls.Conn); ok {
		state := t.ConnectionState()
		r.TLS = &state
	}
}

// ReadBody reads the rest of a request whose head ReadHead gave.
func (c *Conn) ReadBody(r *Request) error {
	body := *r
	err := body.readBody(c.br)
	c.server.requests.change(func() { *r = body })
	return err
}

// Read reads what no other method has taken.
func (c *Conn) Read(b []byte) (int, error) { return c.br.Read(b) }

// Send writes the strings as they are.
func (c *Conn) Send(pieces ...string) error {
	_, err := io.WriteString(c.Conn, strings.Join(pieces, ""))
	return err
}

// Sendf writes a formatted string.
func (c *Conn) Sendf(format string, a ...any) error { return c.Send(fmt.Sprintf(format, a...)) }

// Reset ends the connection with a TCP reset, without a goodbye of TLS.
func (c *Conn) Reset() { c.counted.reset() }

// Cut closes the TCP connection without a goodbye of TLS.
func (c *Conn) Cut() { _ = c.counted.Close() }

// CloseWrite sends the end of the stream (of TLS, if there is TLS) and leaves
// the other direction open.
func (c *Conn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}

// UntilClosed reads and forgets whatever comes until the client has closed.
func (c *Conn) UntilClosed() { _, _ = io.Copy(io.Discard, c.br) }

// WaitFor waits for ch to be closed or to give a value. It returns early with
// an error when the client closes the connection (io.EOF or what Read said) or
// the server is closed (ErrServerClosed). What the client sends meanwhile stays
// unread; once it has sent something, its close is not seen any more.
func (c *Conn) WaitFor(ch <-chan struct{}) error {
	data, err := c.waitOrData(ch)
	if err != nil || !data {
		return err
	}
	select {
	case <-ch:
		return nil
	case <-c.server.closed:
		return ErrServerClosed
	}
}

// waitOrData waits for ch, or (data is true then) for something to read.
func (c *Conn) waitOrData(ch <-chan struct{}) (data bool, err error) {
	peeked := make(chan struct{})
	go func() {
		defer close(peeked)
		_, err = c.br.Peek(1)
	}()
	select {
	case <-ch:
		// Wake the Peek, and let it end before anybody else reads.
		_ = c.SetReadDeadline(time.Unix(1, 0))
		<-peeked
		_ = c.SetReadDeadline(time.Time{})
		return false, nil
	case <-peeked:
		return err == nil, err
	}
}

// Closed is closed when the server is.
func (c *Conn) Closed() <-chan struct{} { return c.server.closed }
