package ratmom

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
	"weak"

	"github.com/ratmom/ratmom/config"
	"github.com/ratmom/ratmom/handler"
	"github.com/ratmom/ratmom/internal/failure"
)

// Tunnel connects to addr, "host:port", through the proxy that the options name for
// https URLs: an HTTP or HTTPS proxy is asked with CONNECT, a SOCKS proxy in its own
// way; without a proxy the connection is made straight. The connection is the
// caller's: nothing is sent on it that the caller has not written. No goroutine is
// made for it.
//
// ctx, config.Timeout and config.ConnectTimeout limit the making of the connection,
// not its life. The options for names, addresses, sockets, proxies and the TLS to a
// proxy apply; interceptors, redirects and cookies do not.
//
// The connection also has a method CloseWrite, which ends its sending half. Over TLS to
// an HTTPS proxy this ends the TCP connection's half without the notice of TLS, for
// which libcurl has no call. RemoteAddr is the proxy's if there is one. Bytes written
// before Close are still sent. Close it when it is no longer needed; [Client.Close] ends
// it, after which its methods fail with ErrClosed.
//
// The error is an *Error: its Kind is ErrProxy when a proxy refused, with the status in
// ProxyStatus, ErrTLS or ErrCertificateVerification for TLS to the proxy, ErrTimeout,
// ErrConnect, and so on. CURLOPT_CONNECT_ONLY, CURLOPT_HTTPPROXYTUNNEL.
func (c *Client) Tunnel(ctx context.Context, addr string, opts ...config.RequestOption) (net.Conn, error) {
	u, err := tunnelURL(addr)
	if err != nil {
		return nil, err
	}
	if ctx == nil {
		return nil, errNilContext
	}
	plan := c.plan
	if len(opts) > 0 {
		cfg, err := c.cfg.Request(opts...)
		if err != nil {
			return nil, wrapOption(err)
		}
		plan = handler.NewPlan(cfg, false)
	}
	req := (&http.Request{Method: http.MethodConnect, URL: u, Header: http.Header{}}).WithContext(ctx)
	t, err := c.connect(req, plan, tunnelPlain)
	if err != nil {
		return nil, err
	}
	return t, nil
}

// tunnelURL reads the address of a tunnel.
func tunnelURL(addr string) (*url.URL, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, failure.Newf(failure.InvalidRequest, "address of a tunnel: %w", err)
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return nil, failure.Newf(failure.InvalidRequest, "address of a tunnel %q: the port is no number from 1 to 65535", addr)
	}
	if host == "" {
		return nil, failure.Newf(failure.InvalidRequest, "address of a tunnel %q: there is no host", addr)
	}
	return &url.URL{Scheme: "http", Host: net.JoinHostPort(host, port)}, nil
}

// tunnelKind is what is spoken on a connection.
type tunnelKind int

const (
	tunnelPlain     tunnelKind = iota // what the caller likes
	tunnelStraight                    // HTTP by the caller, within TLS if the URL is an https one
	tunnelWebSocket                   // frames
)

// connect has an agent make the connection and waits for it.
func (c *Client) connect(req *http.Request, plan *handler.Plan, kind tunnelKind) (*tunnel, error) {
	closed := func() error { return failure.New(failure.Closed, "").At(method(req), req.URL) }
	if c.closed.Load() {
		return nil, closed()
	}
	if plan.Negotiates {
		return nil, failure.New(failure.Unsupported, "tunnels and WebSockets do not negotiate (config.NegotiateAuth, config.ProxyNegotiateAuth)").At(method(req), req.URL)
	}
	var deadline time.Time
	if plan.Total > 0 {
		deadline = time.Now().Add(plan.Total)
	}
	done := make(connected)
	a := c.pick(req.URL)
	h, err := handler.New(a.Pool(), &handler.Spec{
		Request:      req,
		Plan:         plan,
		Driver:       a.Driver(),
		Deadline:     deadline,
		Done:         done,
		Owner:        c,
		Conversation: handler.NewConversation(&c.logs),
		Tunnel:       true,
		Straight:     kind == tunnelStraight,
		WebSocket:    kind == tunnelWebSocket,
	})
	if err != nil {
		return nil, err
	}
	a.Execute(h)
	<-done
	if err := h.Err(); err != nil {
		return nil, err
	}
	t := &tunnel{file: h.TakeTunnel(), h: h, client: c, local: netAddr(h.LocalAddr()), remote: netAddr(h.RemoteAddr())}
	if !c.open.add(t) {
		_ = t.Close()
		return nil, closed()
	}
	return t, nil
}

// connected is closed when a tunnel is there or has failed.
type connected chan struct{}

func (c connected) Completed(*handler.Handler) { close(c) }

func netAddr(a netip.AddrPort) net.Addr {
	if !a.IsValid() {
		return &net.UnixAddr{Net: "unix"}
	}
	return net.TCPAddrFromAddrPort(a)
}

// tunnel is the caller's end: the connection's socket, or one whose bytes the agent
// passes on.
type tunnel struct {
	file          *os.File
	h             *handler.Handler
	client        *Client
	local, remote net.Addr
	once          sync.Once
	ended         atomic.Bool // by the client's Close
}

func (t *tunnel) Read(p []byte) (int, error) {
	n, err := t.file.Read(p)
	return n, t.explain("read", err)
}

func (t *tunnel) Write(p []byte) (int, error) {
	n, err := t.file.Write(p)
	return n, t.explain("write", err)
}

func (t *tunnel) Close() error {
	t.client.open.remove(t)
	return t.explain("close", t.close())
}

func (t *tunnel) close() error {
	err := os.ErrClosed
	t.once.Do(func() {
		err = t.file.Close()
		t.h.CloseTunnel()
	})
	return err
}

// CloseWrite ends the sending half.
func (t *tunnel) CloseWrite() error {
	raw, err := t.file.SyscallConn()
	if err == nil {
		e := raw.Control(func(fd uintptr) { err = syscall.Shutdown(int(fd), syscall.SHUT_WR) })
		if e != nil {
			err = e
		}
	}
	return t.explain("close", err)
}

func (t *tunnel) LocalAddr() net.Addr  { return t.local }
func (t *tunnel) RemoteAddr() net.Addr { return t.remote }

func (t *tunnel) SetDeadline(at time.Time) error { return t.explain("set", t.file.SetDeadline(at)) }
func (t *tunnel) SetReadDeadline(at time.Time) error {
	return t.explain("set", t.file.SetReadDeadline(at))
}
func (t *tunnel) SetWriteDeadline(at time.Time) error {
	return t.explain("set", t.file.SetWriteDeadline(at))
}

// explain turns an error of the file into one of a connection.
func (t *tunnel) explain(op string, err error) error {
	if err == nil {
		return nil
	}
	var path *os.PathError
	if errors.As(err, &path) {
		err = path.Err
	}
	switch {
	case t.ended.Load():
		err = failure.New(failure.Closed, "")
	case errors.Is(err, os.ErrClosed):
		err = net.ErrClosed
	case errors.Is(err, os.ErrDeadlineExceeded):
	default:
		if why := t.h.TunnelErr(); why != nil {
			err = why
		} else if err == io.EOF {
			return err
		}
	}
	return &net.OpError{Op: op, Net: t.remote.Network(), Source: t.local, Addr: t.remote, Err: err}
}

// tunnels are those that are open. Ones that nobody holds any more are not kept.
type tunnels struct {
	mu     sync.Mutex
	closed bool
	set    map[weak.Pointer[tunnel]]struct{}
}

func (s *tunnels) add(t *tunnel) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	if s.set == nil {
		s.set = map[weak.Pointer[tunnel]]struct{}{}
	}
	w := weak.Make(t)
	s.set[w] = struct{}{}
	runtime.AddCleanup(t, s.forget, w)
	return true
}

func (s *tunnels) remove(t *tunnel) { s.forget(weak.Make(t)) }

func (s *tunnels) forget(w weak.Pointer[tunnel]) {
	s.mu.Lock()
	delete(s.set, w)
	s.mu.Unlock()
}

// close ends them all.
func (s *tunnels) close() {
	s.mu.Lock()
	set := s.set
	s.set, s.closed = nil, true
	s.mu.Unlock()
	for w := range set {
		if t := w.Value(); t != nil {
			t.ended.Store(true)
			_ = t.close()
		}
	}
}
