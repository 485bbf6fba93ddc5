package grid

import (
	"crypto/tls"
	"net"
)

// progress is what the watchdog has seen of a write that lasts. A write of a large batch takes its time on a slow
// path: it is stuck when the other end takes nothing of it any more.
type progress struct {
	taken uint64 // bytes that the other end has taken, when it was looked last
	at    int64  // when there were more than before
}

// since is from when on nothing of the write that began at the time writing was taken.
func (p *progress) since(conn transport, writing, now int64) int64 {
	if n, ok := takenBy(conn); ok && n != p.taken {
		p.taken, p.at = n, now
	}
	return max(writing, p.at)
}

// takenBy is acknowledged of what is beneath conn.
func takenBy(conn transport) (n uint64, ok bool) {
	c, ok := conn.(interface{ NetConn() net.Conn })
	if !ok {
		return 0, false
	}
	nc := c.NetConn()
	if t, ok := nc.(*tls.Conn); ok {
		nc = t.NetConn()
	}
	t, ok := nc.(*net.TCPConn)
	if !ok {
		return 0, false
	}
	return acknowledged(t)
}
