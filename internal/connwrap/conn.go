// Package connwrap keeps what a connection can do when a listener wraps it.
package connwrap

import (
	"errors"
	"fmt"
	"io"
	"net"
)

// Conn passes on what net/http and others look for in a connection beside net.Conn's
// methods. Who embeds it redefines what it changes.
type Conn struct{ net.Conn }

// Unwrap is the connection within. It is not called NetConn, as in crypto/tls: a server
// may close what NetConn gives, past the Close of the wrapper.
func (c Conn) Unwrap() net.Conn { return c.Conn }

// CloseWrite ends the writing half, if the connection within has halves.
func (c Conn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return fmt.Errorf("close of the writing half of a %T: %w", c.Conn, errors.ErrUnsupported)
}

// ReadFrom lets the connection within use sendfile and splice.
func (c Conn) ReadFrom(r io.Reader) (int64, error) { return io.Copy(c.Conn, r) }

// Find looks for a connection of type T in c and what it wraps.
func Find[T any](c net.Conn) (found T, ok bool) {
	for c != nil {
		if found, ok = c.(T); ok {
			return found, true
		}
		switch wrapper := c.(type) {
		case interface{ Unwrap() net.Conn }:
			c = wrapper.Unwrap()
		case interface{ NetConn() net.Conn }: // crypto/tls
			c = wrapper.NetConn()
		default:
			return found, false
		}
	}
	return found, false
}
