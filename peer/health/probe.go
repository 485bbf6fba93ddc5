package health

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"

	"github.com/ratmom/ratmom/internal/failure"
)

var errNoProbe = errors.New("health: there is no probe")

// Probe checks an endpoint once. It ends when the context does, gives nil if the endpoint
// is well, and is called by several goroutines at once.
type Probe interface {
	Probe(ctx context.Context, address string) error
}

// ProbeFunc is a function as a [Probe].
type ProbeFunc func(ctx context.Context, address string) error

// Probe implements [Probe].
func (f ProbeFunc) Probe(ctx context.Context, address string) error { return f(ctx, address) }

// TCP is a [Probe] that opens a connection and closes it. An address that begins with
// a slash is a Unix socket.
type TCP struct {
	// Dialer opens it; nil is an ordinary one.
	Dialer *net.Dialer
}

// Probe implements [Probe].
func (p TCP) Probe(ctx context.Context, address string) error {
	conn, err := dial(ctx, p.Dialer, address)
	if err != nil {
		return err
	}
	return conn.Close()
}

func dial(ctx context.Context, d *net.Dialer, address string) (net.Conn, error) {
	if d == nil {
		d = new(net.Dialer)
	}
	network := "tcp"
	if strings.HasPrefix(address, "/") {
		network = "unix"
	}
	return d.DialContext(ctx, network, address)
}

// TLS is a [Probe] that opens a connection and a TLS session on it.
type TLS struct {
	// Dialer opens the connection; nil is an ordinary one.
	Dialer *net.Dialer

	// Config is for the session. Its ServerName should be the peer's name; if it is
	// empty, the address without the port is.
	Config *tls.Config

	// Protocol must be what both agree on by ALPN; it has to be in Config.NextProtos.
	// Empty is whatever. "h2" shows that the endpoint speaks HTTP/2.
	Protocol string
}

// Probe implements [Probe].
func (p TLS) Probe(ctx context.Context, address string) error {
	conn, err := dial(ctx, p.Dialer, address)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	config := new(tls.Config)
	if p.Config != nil {
		config = p.Config.Clone()
	}
	if config.ServerName == "" && !config.InsecureSkipVerify {
		config.ServerName = address
		if host, _, err := net.SplitHostPort(address); err == nil {
			config.ServerName = host
		}
	}
	session := tls.Client(conn, config)
	if err := session.HandshakeContext(ctx); err != nil {
		return err
	}
	if got := session.ConnectionState().NegotiatedProtocol; p.Protocol != "" && got != p.Protocol {
		return fmt.Errorf("health: %s speaks %q and not %q", address, got, p.Protocol)
	}
	return nil
}

// HTTP is a [Probe] that makes a request.
type HTTP struct {
	// Do makes the request and ends when its context does: a client's Send. It has to see
	// to it that the request goes to the endpoint, whose address [AddressFrom] gives.
	Do func(*http.Request) (*http.Response, error)

	// URL is what is asked for. If it has no host, the endpoint's address is the host: in
	// "http:///health", say.
	URL string

	// Method is GET, if it is empty.
	Method string

	// Header is sent along.
	Header http.Header

	// Expect looks at the response, whose body is closed for it; nil wants a status from
	// 200 to 399.
	Expect func(*http.Response) error

	// Major is the major version of HTTP that the response must have, 2 for HTTP/2. 0 is
	// any.
	Major int
}

// maxProbeBody is how much of a body is read, so that the connection can be used again.
const maxProbeBody = 64 << 10

// Probe implements [Probe].
func (p HTTP) Probe(ctx context.Context, address string) error {
	if p.Do == nil {
		return errNoProbe
	}
	u, err := failure.ParseURL(p.URL)
	if err != nil {
		return fmt.Errorf("health: the URL of the check: %w", err)
	}
	if u.Host == "" {
		u.Host = address
	}
	method := p.Method
	if method == "" {
		method = http.MethodGet
	}
	req, err := http.NewRequestWithContext(context.WithValue(ctx, addressKey{}, address), method, u.String(), nil)
	if err != nil {
		return fmt.Errorf("health: the request of the check: %w", err)
	}
	for name, values := range p.Header {
		if http.CanonicalHeaderKey(name) == "Host" && len(values) > 0 {
			req.Host = values[0]
			continue
		}
		req.Header[name] = values
	}
	resp, err := p.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	if err := p.expect(resp); err != nil {
		return err
	}
	if _, err := io.CopyN(io.Discard, resp.Body, maxProbeBody); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	return nil
}

func (p HTTP) expect(resp *http.Response) error {
	if p.Major != 0 && resp.ProtoMajor != p.Major {
		return fmt.Errorf("health: the answer came over %s", resp.Proto)
	}
	if p.Expect != nil {
		return p.Expect(resp)
	}
	if resp.StatusCode < 200 || resp.StatusCode > 399 {
		return fmt.Errorf("health: the answer was %d", resp.StatusCode)
	}
	return nil
}

type addressKey struct{}

// AddressFrom is the address of the endpoint that a request of [HTTP] checks; empty in
// the context of any other.
func AddressFrom(ctx context.Context) string {
	address, _ := ctx.Value(addressKey{}).(string)
	return address
}
