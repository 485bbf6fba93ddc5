package proxyproto

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/ratmom/ratmom/internal/connwrap"
	"github.com/ratmom/ratmom/internal/usercall"
)

// Defaults of Config.
const (
	DefaultTimeout    = 5 * time.Second
	DefaultMaxHeader  = 4 << 10
	DefaultMaxPending = 1024
)

// closeGrace is how long a connection whose header was under way may go on after Close.
const closeGrace = time.Second

// ErrBusy is reported for a connection that came while Config.MaxPending others waited
// for their headers.
var ErrBusy = errors.New("too many connections wait for their PROXY headers")

// ErrUntrusted is reported for a connection that Config.RefuseOthers refused.
var ErrUntrusted = errors.New("not from a trusted network")

// Config says whose headers are read, and what becomes of other connections.
type Config struct {
	// Trusted are the networks of the proxies. Without any, TrustUnix must be set.
	Trusted []netip.Prefix
	// TrustUnix trusts connections over unix sockets, which come from no network.
	TrustUnix bool
	// HeaderOptional lets connections from trusted networks through that begin with
	// something else than a header, or with nothing within Timeout. By default they are
	// closed. What begins as a header does and is none is closed in any case.
	HeaderOptional bool
	// RefuseOthers closes connections from other networks. By default they pass, and
	// what they send is never taken for a header.
	RefuseOthers bool
	// Timeout is how long the whole header may take; 0 is DefaultTimeout.
	Timeout time.Duration
	// MaxHeader is how many bytes a header may have; 0 is DefaultMaxHeader. At least
	// 232, which unix addresses take, at most 65,551, the most that the protocol allows.
	MaxHeader int
	// MaxPending is how many connections may wait for their headers at a time; 0 is
	// DefaultMaxPending. Further ones from trusted networks are closed.
	MaxPending int
	// Report, unless nil, is told of every connection that was closed for want of a good
	// header, with the address of the proxy. It is called on the goroutine that read the
	// header or that accepts: it must not block.
	Report func(from net.Addr, err error)
}

// Listener reads a PROXY header from the connections of another listener.
type Listener struct {
	net.Listener
	config Config

	start   sync.Once
	out     chan accepted
	closing chan struct{} // closed by Close
	late    chan struct{} // closed when closeGrace is over
	done    chan struct{} // closed when nothing more comes out

	mu      sync.Mutex
	closed  bool
	pending map[net.Conn]struct{}
	wg      sync.WaitGroup
}

type accepted struct {
	conn net.Conn
	err  error
}

// Listen wraps l. Its error names what is wrong in the configuration.
func Listen(l net.Listener, c Config) (*Listener, error) {
	if len(c.Trusted) == 0 && !c.TrustUnix {
		return nil, errors.New("proxyproto: Config.Trusted is empty: whose headers are to be believed")
	}
	for _, p := range c.Trusted {
		if !p.IsValid() || p.Addr().Is4In6() {
			return nil, fmt.Errorf("proxyproto: Config.Trusted has %v, which is no network of IPv4 or IPv6", p)
		}
	}
	c.Timeout, c.MaxHeader, c.MaxPending = or(c.Timeout, DefaultTimeout), or(c.MaxHeader, DefaultMaxHeader), or(c.MaxPending, DefaultMaxPending)
	if c.Timeout < 0 || c.MaxPending < 0 {
		return nil, fmt.Errorf("proxyproto: Config.Timeout %v and MaxPending %d must not be negative", c.Timeout, c.MaxPending)
	}
	if c.MaxHeader < fixed2+216 || c.MaxHeader > fixed2+0xffff {
		return nil, fmt.Errorf("proxyproto: Config.MaxHeader %d is not within %d and %d", c.MaxHeader, fixed2+216, fixed2+0xffff)
	}
	return &Listener{
		Listener: l, config: c, out: make(chan accepted), closing: make(chan struct{}), late: make(chan struct{}),
		done: make(chan struct{}), pending: make(map[net.Conn]struct{}),
	}, nil
}

func or[T comparable](v, other T) T {
	var zero T
	if v == zero {
		return other
	}
	return v
}

// Accept gives the next connection whose header is there, a *Conn, or that needs none.
// After Close it gives those whose headers were under way, and then an error.
func (l *Listener) Accept() (net.Conn, error) {
	l.start.Do(func() { go l.run() })
	select {
	case a := <-l.out:
		return a.conn, a.err
	case <-l.done:
		return nil, &net.OpError{Op: "accept", Net: l.Addr().Network(), Addr: l.Addr(), Err: net.ErrClosed}
	}
}

// Close closes the listener within. Connections whose headers were under way have a
// second to bring them and to be accepted, so that a server that stops loses none.
func (l *Listener) Close() error {
	l.mu.Lock()
	if !l.closed {
		l.closed = true
		close(l.closing)
		time.AfterFunc(closeGrace, func() { close(l.late) })
		for c := range l.pending {
			_ = c.SetReadDeadline(time.Now().Add(min(closeGrace, l.config.Timeout)))
		}
	}
	l.mu.Unlock()
	l.start.Do(func() { close(l.done) })
	return l.Listener.Close()
}

// run accepts until the listener is closed.
func (l *Listener) run() {
	defer close(l.done)
	defer l.wg.Wait()
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			select {
			case <-l.closing:
				return
			default:
			}
			if errors.Is(err, net.ErrClosed) {
				return
			}
			// Whoever calls Accept decides when to go on.
			select {
			case l.out <- accepted{err: err}:
				continue
			case <-l.closing:
				return
			}
		}
		switch {
		case l.trusts(conn.RemoteAddr()):
			l.expect(conn)
		case l.config.RefuseOthers:
			l.refuse(conn, ErrUntrusted)
		default:
			l.deliver(conn)
		}
	}
}

// trusts says whether connections from an address begin with a header.
func (l *Listener) trusts(from net.Addr) bool {
	switch a := from.(type) {
	case *net.UnixAddr:
		return l.config.TrustUnix
	case *net.TCPAddr:
		ip := a.AddrPort().Addr().Unmap().WithZone("")
		for _, p := range l.config.Trusted {
			if p.Contains(ip) {
				return true
			}
		}
	}
	return false
}

// expect reads the header on a goroutine of its own.
func (l *Listener) expect(conn net.Conn) {
	l.mu.Lock()
	if len(l.pending) >= l.config.MaxPending {
		l.mu.Unlock()
		l.refuse(conn, ErrBusy)
		return
	}
	timeout := l.config.Timeout
	if l.closed {
		timeout = min(timeout, closeGrace)
	}
	_ = conn.SetReadDeadline(time.Now().Add(timeout))
	l.pending[conn] = struct{}{}
	l.mu.Unlock()
	l.wg.Go(func() {
		header, rest, err := readHeader(conn, l.config.MaxHeader)
		l.mu.Lock()
		delete(l.pending, conn)
		l.mu.Unlock()
		// From here on Close sets no deadline any more.
		_ = conn.SetReadDeadline(time.Time{})
		none := errors.Is(err, ErrNoHeader) || errors.Is(err, errSilent)
		if err != nil && (!none || !l.config.HeaderOptional) {
			l.refuse(conn, err)
			return
		}
		l.deliver(&Conn{Conn: connwrap.Conn{Conn: conn}, header: header, rest: rest})
	})
}

// deliver waits until somebody takes the connection.
func (l *Listener) deliver(conn net.Conn) {
	select {
	case l.out <- accepted{conn: conn}:
	case <-l.late:
		_ = conn.Close()
	}
}

// refuse closes a connection. One that never said a word was a port scan or a check of
// the proxy's: it is worth no report.
func (l *Listener) refuse(conn net.Conn, err error) {
	from := conn.RemoteAddr()
	_ = conn.Close()
	if l.config.Report != nil && !errors.Is(err, errSilent) {
		usercall.Run("proxyproto.Config.Report", func() { l.config.Report(from, err) })
	}
}
