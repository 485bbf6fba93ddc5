package gridtest

import (
	"errors"
	"io"
	"net"
	"sync"
	"syscall"
	"time"
)

// errReset is a pipe's word that the connection is to be reset at this byte.
var errReset = errors.New("reset here")

// Conn is one end of a connection.
type Conn struct {
	network       *Network
	in, out       *pipe
	local, remote Addr

	closing sync.Once
}

var _ net.Conn = (*Conn)(nil)

// Read waits for bytes, the end (io.EOF), a reset (ECONNRESET) or the deadline.
func (c *Conn) Read(b []byte) (int, error) {
	n, err := c.in.readSome(b)
	if err != nil && err != io.EOF {
		err = opError("read", c.local, c.remote, err)
	}
	return n, err
}

// Write waits until all of b is in the buffer.
func (c *Conn) Write(b []byte) (int, error) {
	n, err := c.out.write(b)
	if err == errReset {
		c.Reset()
		err = syscall.ECONNRESET
	}
	if err != nil {
		err = opError("write", c.local, c.remote, err)
	}
	return n, err
}

// CloseWrite ends this direction: the other end reads io.EOF after the last byte.
func (c *Conn) CloseWrite() error {
	c.out.finish(io.EOF)
	return nil
}

// Close ends both directions. As with TCP, bytes that were not read turn it into a reset.
func (c *Conn) Close() error {
	if !c.end(io.EOF) {
		return opError("close", c.local, c.remote, net.ErrClosed)
	}
	return nil
}

// Abort closes with a reset instead of an end.
func (c *Conn) Abort() { c.end(syscall.ECONNRESET) }

// Reset makes the network reset the connection: both ends fail at once.
func (c *Conn) Reset() {
	c.in.fail(syscall.ECONNRESET)
	c.out.fail(syscall.ECONNRESET)
}

// end closes this end and tells the other one how, unless why is nil.
func (c *Conn) end(why error) (first bool) {
	c.closing.Do(func() {
		first = true
		c.out.closeWriter()
		if c.in.closeReader() && why != nil {
			why = syscall.ECONNRESET
		}
		if why != nil {
			c.out.finish(why)
		}
		c.network.forget(c)
	})
	return first
}

// LocalAddr is an Addr with this node's name.
func (c *Conn) LocalAddr() net.Addr { return c.local }

// RemoteAddr is an Addr with the other node's name.
func (c *Conn) RemoteAddr() net.Addr { return c.remote }

// SetDeadline sets both deadlines.
func (c *Conn) SetDeadline(t time.Time) error {
	return errors.Join(c.SetReadDeadline(t), c.SetWriteDeadline(t))
}

// SetReadDeadline concerns reads that wait, too.
func (c *Conn) SetReadDeadline(t time.Time) error {
	c.in.readLimit.set(c.in, t)
	return nil
}

// SetWriteDeadline concerns writes that wait, too.
func (c *Conn) SetWriteDeadline(t time.Time) error {
	c.out.writeLimit.set(c.out, t)
	return nil
}
