package grid

import (
	"context"
	"net"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// lateWriter is a connection on which a long write, once armed, returns only when the other side has sent n bytes after
// it, and the reader has taken them.
type lateWriter struct {
	net.Conn
	n int

	mu    sync.Mutex
	armed bool
	left  int
	taken chan struct{} // of the write that waits
}

func (c *lateWriter) arm() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.armed = true
}

func (c *lateWriter) Write(p []byte) (int, error) {
	c.mu.Lock()
	var taken chan struct{}
	if c.armed && len(p) >= c.n {
		taken = make(chan struct{})
		c.armed, c.left, c.taken = false, c.n, taken
	}
	c.mu.Unlock()
	n, err := c.Conn.Write(p)
	if taken != nil {
		<-taken
	}
	return n, err
}

func (c *lateWriter) Read(p []byte) (int, error) {
	c.mu.Lock()
	if c.taken != nil && c.left <= 0 {
		close(c.taken)
		c.taken = nil
	}
	c.mu.Unlock()
	n, err := c.Conn.Read(p)
	c.mu.Lock()
	c.left -= n
	if err != nil && c.taken != nil {
		close(c.taken)
		c.taken = nil
	}
	c.mu.Unlock()
	return n, err
}

// Who has a large answer may ask again at once: the room of the request is free when the answer is there, though the
// writer may not have gone on yet.
func TestLarge_has_room_for_the_next_request_once_the_answer_has_arrived(t *testing.T) {
	const size = 100 << 10
	la, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	lb, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	dialer, acceptor := "a", "b"
	if !dials("a", "b") {
		dialer, acceptor = "b", "a"
	}
	limits := Limits{Message: size, Large: size}
	late := make(chan *lateWriter, 1)
	y := start(t, lb, Config{Self: acceptor, Limits: limits, Peers: []Peer{{dialer, "127.0.0.1:1"}}})
	x := start(t, la, Config{Self: dialer, Limits: limits, Peers: []Peer{{acceptor, lb.Addr().String()}},
		Dial: func(ctx context.Context, network, addr string) (net.Conn, error) {
			nc, err := new(net.Dialer).DialContext(ctx, network, addr)
			if err != nil {
				return nil, err
			}
			c := &lateWriter{Conn: nc, n: size}
			late <- c
			return c, nil
		}})
	ready(t, x, y)
	(<-late).arm()
	for range 2 {
		answer, err := y.to(x).Request(within(t), echoID, make([]byte, size))
		require.NoError(t, err)
		require.Len(t, answer, size)
	}
}
