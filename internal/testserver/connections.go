package testserver

import (
	"net"
	"sync"
	"time"
)

// Connections knows the connections of a server: how many there were and which
// are open now. A connection counts as open until the server has closed it,
// which servers of this package do as soon as they see the client's close.
type Connections struct {
	watch    watch
	accepted int
	live     map[*countedConn]struct{}
}

// Accepted is the number of connections since the start.
func (c *Connections) Accepted() (n int) {
	c.watch.read(func() { n = c.accepted })
	return n
}

// Open is the number of connections that are open now.
func (c *Connections) Open() (n int) {
	c.watch.read(func() { n = len(c.live) })
	return n
}

// WaitAccepted waits until at least n connections were accepted, and tells
// whether that happened within d.
func (c *Connections) WaitAccepted(n int, d time.Duration) bool {
	return c.watch.within(d, func() bool { return c.accepted >= n })
}

// WaitOpen waits until exactly n connections are open, and tells whether that
// happened within d.
func (c *Connections) WaitOpen(n int, d time.Duration) bool {
	return c.watch.within(d, func() bool { return len(c.live) == n })
}

// WaitClosed waits until no connection is open, and tells whether that happened
// within d.
func (c *Connections) WaitClosed(d time.Duration) bool { return c.WaitOpen(0, d) }

// CloseConnections closes every open connection, as a server does with idle
// ones: the client reads an end of stream.
func (c *Connections) CloseConnections() {
	for _, conn := range c.all() {
		_ = conn.Close()
	}
}

// ResetConnections ends every open connection with a TCP reset.
func (c *Connections) ResetConnections() {
	for _, conn := range c.all() {
		conn.reset()
	}
}

func (c *Connections) all() (conns []*countedConn) {
	c.watch.read(func() {
		for conn := range c.live {
			conns = append(conns, conn)
		}
	})
	return conns
}

func (c *Connections) count(conn net.Conn) *countedConn {
	counted := &countedConn{Conn: conn, owner: c}
	c.watch.change(func() {
		if c.live == nil {
			c.live = map[*countedConn]struct{}{}
		}
		counted.number = c.accepted
		c.accepted++
		c.live[counted] = struct{}{}
	})
	return counted
}

type countedConn struct {
	net.Conn
	number int // of this server, from 0
	owner  *Connections
	once   sync.Once
}

func (c *countedConn) Close() error {
	err := c.Conn.Close()
	c.once.Do(func() {
		c.owner.watch.change(func() { delete(c.owner.live, c) })
	})
	return err
}

func (c *countedConn) reset() {
	if tcp, ok := c.Conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = c.Close()
}

// CloseWrite sends the end of the stream and goes on reading.
func (c *countedConn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return c.Close()
}

// countedListener gives counted connections.
type countedListener struct {
	net.Listener
	conns *Connections
}

func (l *countedListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return l.conns.count(conn), nil
}
