package gridtest

import (
	"net"
	"sync"
)

// backlog is how many connections wait for Accept before dials must wait.
const backlog = 128

// listener is a node's door.
type listener struct {
	network *Network
	addr    Addr

	mu     sync.Mutex
	change sync.Cond
	queue  []*Conn
	closed bool
}

func newListener(n *Network, name string) *listener {
	l := &listener{network: n, addr: Addr{Node: name}}
	l.change.L = &l.mu
	return l
}

func (l *listener) Accept() (net.Conn, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for {
		if l.closed {
			return nil, opError("accept", nil, l.addr, net.ErrClosed)
		}
		if len(l.queue) > 0 {
			c := l.queue[0]
			l.queue = l.queue[1:]
			l.network.announce()
			return c, nil
		}
		l.change.Wait()
	}
}

// offer queues c unless there is no room, or no listener any more.
func (l *listener) offer(c *Conn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed || len(l.queue) >= backlog {
		return false
	}
	l.queue = append(l.queue, c)
	l.change.Signal()
	return true
}

// Close makes dials fail from now on, and resets connections that were not accepted.
func (l *listener) Close() error {
	l.network.unlisten(l)
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		return opError("close", nil, l.addr, net.ErrClosed)
	}
	l.closed = true
	left := l.queue
	l.queue = nil
	l.change.Broadcast()
	l.mu.Unlock()
	for _, c := range left {
		c.Abort()
	}
	return nil
}

func (l *listener) Addr() net.Addr { return l.addr }
