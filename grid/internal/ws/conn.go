package ws

import (
	"net"
	"time"
)

const (
	// DefaultLimit is how many bytes a message may have.
	DefaultLimit = 1 << 20

	// readSize is for a batch of many small messages in one syscall.
	readSize = 32 << 10
)

// Conn is a WebSocket after its handshake. One goroutine may read while another writes.
type Conn struct {
	nc     net.Conn
	client bool // we mask, and the other side does not
	limit  uint64

	// The reader's.
	buf        []byte // what was read and not used is buf[from:to]
	from, to   int
	open       bool   // a message is open: its last byte was not given out
	left       uint64 // of the frame
	taken      uint64 // bytes of the message in its frames up to this one
	fin        bool   // the frame is the message's last
	key        uint32 // the frame's, turned to its next byte
	ended      error  // nothing is to be read any more
	ping, pong func(payload []byte)
	scatter    *scatter // nil if nc has none

	// The writer's.
	zeroMask  bool
	vectored  bool // nc writes net.Buffers in one syscall
	closeSent bool
	failed    error // a frame was cut short
	head      [maxHeader]byte
	parts     net.Buffers // of a control frame
	all       net.Buffers // head and parts, for writev
	vec       net.Buffers // what is left of all
}

func newConn(nc net.Conn, client bool) *Conn {
	c := &Conn{nc: nc, client: client, limit: DefaultLimit, buf: make([]byte, readSize), scatter: scatterOf(nc)}
	switch nc.(type) {
	case *net.TCPConn, *net.UnixConn:
		c.vectored = true
	}
	return c
}

// SetLimit bounds the bytes of a message that is read, however it is fragmented. Default: DefaultLimit.
func (c *Conn) SetLimit(n int) { c.limit = uint64(max(n, 0)) }

// Handle says who is told of pings and pongs. It is called on the reader's goroutine, inside Next or
// Read, must not block, and the payload is its own only until it returns. A nil function ignores them.
func (c *Conn) Handle(ping, pong func(payload []byte)) { c.ping, c.pong = ping, pong }

// NetConn is the connection beneath.
func (c *Conn) NetConn() net.Conn { return c.nc }

// SetReadDeadline is the connection's. Reading may go on after it has passed.
func (c *Conn) SetReadDeadline(t time.Time) error { return c.nc.SetReadDeadline(t) }

// SetWriteDeadline is the connection's. A write that it cuts short is the last one.
func (c *Conn) SetWriteDeadline(t time.Time) error { return c.nc.SetWriteDeadline(t) }

// Close closes the connection beneath, without a close frame.
func (c *Conn) Close() error { return c.nc.Close() }
