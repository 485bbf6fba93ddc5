package config

import (
	"context"
	"fmt"
	"hash/maphash"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/ratmom/ratmom/cgo"
	"github.com/ratmom/ratmom/internal/failure"
)

// DialContext has dial make the connections: through SSH, a WireGuard in Go, a pipe in
// memory. The network is "tcp", the address "host:port", as in net.Dialer: that of the
// URL or of [ConnectTo], or that of the proxy, if there is one. No name is looked up
// before. TLS, to the server and to the certificate's name, is spoken over the
// connection as over any other; so are HTTP/2, proxies, tunnels and WebSockets.
//
// dial runs on a goroutine of its own, only when a connection is really needed, never
// for one that is used again. It may run several times at once. Its context has the
// values of the request's, and ends when [ConnectTimeout] is over or when no request
// waits for the connection any more; what is returned later is closed. Its error is the
// cause of the request's, which is ErrConnect, or ErrTimeout when the time is over; so
// is a panic.
//
// A [net.TCPConn] or [net.UnixConn] is handed over as it is, without cost. For any
// other, two goroutines move the bytes as long as it is open: it may be closed, and have
// methods called, at any time. If it has a method CloseWrite, that ends its sending
// half. Options for addresses and sockets have no meaning then, as dial does what they
// say: [Resolve], [IPVersion], [Interface], [LocalPort], TCP options, [TypeOfService],
// [HappyEyeballs] and so on. [LowSpeed] counts the time in dial for http URLs.
//
// Connections of one DialContext are not used by requests with another, so keep the
// option and give it again. Not with [UnixSocket]. HTTP/3 and https proxies are
// ErrUnsupported.
//
// nil switches it off. Default: none. It needs libcurl 8.2 or later, built with Unix
// sockets. CURLOPT_OPENSOCKETFUNCTION, CURLOPT_SOCKOPTFUNCTION.
func DialContext(dial func(ctx context.Context, network, address string) (net.Conn, error)) Option {
	if dial == nil {
		return both(dialContext{})
	}
	return both(dialContext{&dialer{dial: dial, id: lastDialer.Add(1)}})
}

// DialContext returns the value of the option of that name; nil if there is none.
func (r *RequestConfig) DialContext() func(ctx context.Context, network, address string) (net.Conn, error) {
	if r.dial.dialer == nil {
		return nil
	}
	return r.dial.dial
}

// DialLimit is the time that a function for connections has; 0: any.
func (r *RequestConfig) DialLimit() time.Duration {
	if s, ok := lookup[connectTimeout](r); ok {
		return s.Duration
	}
	return defaultConnectTimeout
}

// dialer is a function for connections, known by its number.
type dialer struct {
	dial func(ctx context.Context, network, address string) (net.Conn, error)
	id   uint64
}

var lastDialer atomic.Uint64

type dialContext struct{ *dialer }

func (s dialContext) String() string {
	if s.dialer == nil {
		return "none"
	}
	return "function"
}

func (dialContext) validate() error { return nil }

func (s dialContext) supported(f *cgo.FeatureSet) error {
	if s.dialer != nil && (!f.Unix || !f.IPv6 || !cgo.CanDial()) {
		return unsupported(f, "DialContext", s, "to be 8.2 or later, built with Unix domain sockets and IPv6")
	}
	return nil
}

func (s dialContext) check(all settings) error {
	if s.dialer == nil {
		return nil
	}
	if unix, _ := find[unixSocket](all); unix.path != "" {
		return invalid("DialContext", s, "says where to connect, and so does %s", unix.option())
	}
	if v, _ := find[httpVersion](all); v.Version == HTTP3 || v.Version == HTTP3Only {
		return &Error{Option: "DialContext", Value: s, Kind: failure.Unsupported, Reason: "HTTP/3 has no connections that could be dialled"}
	}
	return nil
}

// The names by which libcurl knows connections that are dialled. It looks none of them
// up and uses a connection again only under the same name.
const dialPath = "/ratmom/dial/"

var dialSeed = maphash.MakeSeed()

// dialProxy stands for a proxy: an address of a block that leads nowhere (RFC 6666).
func (s dialContext) dialProxy(h *hop) string {
	n := maphash.Comparable(dialSeed, struct {
		id           uint64
		scheme, host string
	}{s.id, h.scheme, h.host})
	ip := [16]byte{0: 1}
	for i := range 8 {
		ip[8+i] = byte(n >> (8 * i))
	}
	_, port := cutPort(h.host)
	return h.scheme + "://" + net.JoinHostPort(netip.AddrFrom16(ip).String(), port)
}

// encodeDial comes after all others, whose options it replaces.
func (s dialContext) encodeDial(o *cgo.Options, r *RequestConfig, t target) {
	o.Long(cgo.OptDial, 1)
	if t.proxy == nil {
		o.String(cgo.OptUnixSocketPath, dialPath, strconv.FormatUint(s.id, 10))
		return
	}
	if pre, _ := lookup[preProxy](r); pre.hop != nil {
		o.String(cgo.OptPreProxy, s.dialProxy(pre.hop))
	} else {
		o.String(cgo.OptProxy, s.dialProxy(t.proxy))
	}
	o.Null(cgo.OptInterface)
	o.Long(cgo.OptLocalPort, 0)
	o.Long(cgo.OptIPResolve, 0)
}

// checkHop refuses what cannot be told to libcurl.
func (s dialContext) checkHop(first *hop) error {
	if first == nil || first.scheme != "https" {
		return nil
	}
	// By its name libcurl both verifies and looks up such a proxy.
	return &Error{Option: "DialContext", Value: s, Kind: failure.Unsupported, Reason: fmt.Sprintf("libcurl cannot be kept from looking up the https proxy %s", first.host)}
}

// DialAddress is where the connection for u is to lead to, as "host:port".
func (r *RequestConfig) DialAddress(u *url.URL) (string, error) {
	t, err := r.targetOf(u)
	if err != nil {
		return "", err
	}
	if first := r.firstHop(t.proxy); first != nil {
		return strings.ReplaceAll(first.host, "%25", "%"), nil
	}
	host, err := asciiHost(u.Hostname())
	if err != nil {
		return "", err
	}
	port := u.Port()
	if port == "" {
		port = strconv.Itoa(80 + schemeIndex(u.Scheme)*(443-80))
	}
	to, _ := lookup[connectTo](r)
	return net.JoinHostPort(to.of(host, port)), nil
}

// firstHop is the first of the proxies; nil if there is none.
func (r *RequestConfig) firstHop(p *hop) *hop {
	if pre, _ := lookup[preProxy](r); p != nil && pre.hop != nil {
		return pre.hop
	}
	return p
}
