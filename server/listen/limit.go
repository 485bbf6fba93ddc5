package listen

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"syscall"

	"github.com/ratmom/ratmom/internal/connwrap"
	"github.com/ratmom/ratmom/internal/usercall"
)

// ErrTooMany is reported for a connection from a source that has Limits.PerSource others.
var ErrTooMany = errors.New("too many connections from one source")

// Limits says how many connections a listener may have open at a time. 0 is no limit.
type Limits struct {
	// Max is how many there may be in all. At that number nothing is accepted until one
	// closes: further ones wait in the kernel.
	Max int
	// PerSource is how many there may be from one source; further ones are closed at
	// once. Sources are told by RemoteAddr: wrap a proxyproto.Listener to count clients
	// rather than proxies. Those without an IP address, as over unix sockets, are not
	// limited.
	PerSource int
	// IPv4Bits and IPv6Bits are the lengths of the prefix that makes a source. 0 is 32
	// and 64: who has one IPv6 address mostly has the 2^64 beside it.
	IPv4Bits, IPv6Bits int
	// Report, unless nil, is told of every connection that PerSource closed, with
	// ErrTooMany. It is called by Accept.
	Report func(from net.Addr, err error)
}

// Limit makes a listener that keeps to limits. A connection counts until its Close.
func Limit(l net.Listener, c Limits) (net.Listener, error) {
	if c.Max < 0 || c.PerSource < 0 {
		return nil, fmt.Errorf("listen: Limits.Max %d and PerSource %d must not be negative", c.Max, c.PerSource)
	}
	if c.IPv4Bits < 0 || c.IPv4Bits > 32 || c.IPv6Bits < 0 || c.IPv6Bits > 128 {
		return nil, fmt.Errorf("listen: Limits.IPv4Bits %d must be within 0 and 32, IPv6Bits %d within 0 and 128", c.IPv4Bits, c.IPv6Bits)
	}
	if c.IPv4Bits == 0 {
		c.IPv4Bits = 32
	}
	if c.IPv6Bits == 0 {
		c.IPv6Bits = 64
	}
	limited := &limited{Listener: l, limits: c, closed: make(chan struct{}), open: map[netip.Prefix]int{}}
	if c.Max > 0 {
		limited.slots = make(chan struct{}, c.Max)
	}
	return limited, nil
}

type limited struct {
	net.Listener
	limits Limits
	once   sync.Once
	closed chan struct{}
	slots  chan struct{} // nil without Max: one in it per connection

	mu   sync.Mutex
	open map[netip.Prefix]int
}

func (l *limited) Accept() (net.Conn, error) {
	if !l.take() {
		return nil, closedError(l.Listener)
	}
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			l.give()
			return nil, err
		}
		source, ok := l.source(c.RemoteAddr())
		if !ok {
			return &limitedConn{Conn: connwrap.Conn{Conn: c}, free: l.give}, nil
		}
		if l.enter(source) {
			return &limitedConn{Conn: connwrap.Conn{Conn: c}, free: func() { l.leave(source); l.give() }}, nil
		}
		from := c.RemoteAddr()
		_ = c.Close()
		if l.limits.Report != nil {
			usercall.Run("Limits.Report", func() { l.limits.Report(from, ErrTooMany) })
		}
	}
}

func (l *limited) Close() error {
	l.once.Do(func() { close(l.closed) })
	return l.Listener.Close()
}

// take waits until there is room for one more; false if the listener closes first.
func (l *limited) take() bool {
	if l.slots == nil {
		return true
	}
	// A closed listener may still have connections to give: room comes first.
	select {
	case l.slots <- struct{}{}:
		return true
	default:
	}
	select {
	case l.slots <- struct{}{}:
		return true
	case <-l.closed:
		return false
	}
}

func (l *limited) give() {
	if l.slots != nil {
		<-l.slots
	}
}

// source is what an address counts for, false if it is not counted.
func (l *limited) source(from net.Addr) (netip.Prefix, bool) {
	tcp, ok := from.(*net.TCPAddr)
	if !ok || l.limits.PerSource == 0 {
		return netip.Prefix{}, false
	}
	ip := tcp.AddrPort().Addr().Unmap().WithZone("")
	bits := l.limits.IPv6Bits
	if ip.Is4() {
		bits = l.limits.IPv4Bits
	}
	p, err := ip.Prefix(bits)
	return p, err == nil
}

func (l *limited) enter(source netip.Prefix) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.open[source] >= l.limits.PerSource {
		return false
	}
	l.open[source]++
	return true
}

func (l *limited) leave(source netip.Prefix) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.open[source]--; l.open[source] == 0 {
		delete(l.open, source)
	}
}

// limitedConn counts until it is closed.
type limitedConn struct {
	connwrap.Conn
	once sync.Once
	free func()
}

// SyscallConn lets a server watch the socket.
func (c *limitedConn) SyscallConn() (syscall.RawConn, error) {
	if s, ok := c.Conn.Conn.(syscall.Conn); ok {
		return s.SyscallConn()
	}
	return nil, fmt.Errorf("descriptor of a %T: %w", c.Conn.Conn, errors.ErrUnsupported)
}

func (c *limitedConn) Close() error {
	err := c.Conn.Close()
	c.once.Do(c.free)
	return err
}
