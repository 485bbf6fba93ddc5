package proxyproto

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"sync"

	"github.com/ratmom/ratmom/internal/connwrap"
)

// Conn is a connection whose header was read, or that was let through without one.
type Conn struct {
	connwrap.Conn
	header *Header
	mu     sync.Mutex
	rest   []byte // what came with the header and is the connection's own
}

// Header is what the proxy said, nil if there was no header.
func (c *Conn) Header() *Header { return c.header }

// NetConn is the connection within: its addresses are the proxy's and ours. Bytes that
// came with the header are not to be read there.
func (c *Conn) NetConn() net.Conn { return c.Conn.Conn }

// RemoteAddr is the client's address, if the header names one.
func (c *Conn) RemoteAddr() net.Addr {
	if c.header != nil && c.header.Source != nil {
		return c.header.Source
	}
	return c.Conn.RemoteAddr()
}

// LocalAddr is the address that the client spoke to, if the header names one.
func (c *Conn) LocalAddr() net.Addr {
	if c.header != nil && c.header.Destination != nil {
		return c.header.Destination
	}
	return c.Conn.LocalAddr()
}

// Read reads what follows the header.
func (c *Conn) Read(b []byte) (int, error) {
	c.mu.Lock()
	if len(c.rest) > 0 {
		defer c.mu.Unlock()
		n := copy(b, c.rest)
		if c.rest = c.rest[n:]; len(c.rest) == 0 {
			c.rest = nil
		}
		return n, nil
	}
	c.mu.Unlock()
	return c.Conn.Read(b)
}

// FromConn finds the header of a connection, also within TLS (a method NetConn) or a
// limit (Unwrap); nil if there was none.
func FromConn(c net.Conn) *Header {
	if found, ok := connwrap.Find[*Conn](c); ok {
		return found.header
	}
	return nil
}

type contextKey struct{}

// ConnContext is for http.Server.ConnContext: handlers then find the header by
// FromContext.
func ConnContext(ctx context.Context, c net.Conn) context.Context {
	if h := FromConn(c); h != nil {
		return context.WithValue(ctx, contextKey{}, h)
	}
	return ctx
}

// FromContext gives the header of the connection that a request came over, nil if there
// was none.
func FromContext(ctx context.Context) *Header {
	h, _ := ctx.Value(contextKey{}).(*Header)
	return h
}

// errSilent is a connection that ended or stayed without a byte.
var errSilent = errors.New("no byte came")

// readHeader reads until the header is there, and gives what was read behind it. The
// header may have up to limit bytes.
func readHeader(c net.Conn, limit int) (*Header, []byte, error) {
	b := make([]byte, 0, min(256, limit))
	for {
		n, err := c.Read(b[len(b):cap(b)])
		b = b[:len(b)+n]
		if n > 0 {
			h, used, parseErr := Parse(b)
			if !errors.Is(parseErr, ErrShort) {
				return h, b[used:], parseErr
			}
			if len(b) >= fixed2 && b[0] == signature2[0] && length2(b) > limit {
				return nil, nil, malformed("it has %d bytes, and %d are allowed", length2(b), limit)
			}
			if len(b) == cap(b) {
				b = append(make([]byte, 0, min(2*cap(b), limit)), b...)
			}
		}
		switch {
		case err == nil:
		case len(b) == 0:
			return nil, nil, errSilent
		case errors.Is(err, io.EOF), errors.Is(err, os.ErrDeadlineExceeded):
			return nil, b, ErrShort
		default:
			return nil, b, err
		}
	}
}
