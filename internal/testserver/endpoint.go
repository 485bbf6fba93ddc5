package testserver

import (
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"net/netip"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// Endpoint is where a server listens, and what its clients must know.
type Endpoint struct {
	*Connections
	URL    string // scheme://host:port without a path
	Addr   string // host:port, or the path of the Unix socket
	CAPEM  []byte // the authority to trust; nil without TLS
	CAFile string // the same in a file; "" without TLS
}

// AddrPort is Addr in parsed form; the zero value for a Unix socket.
func (e *Endpoint) AddrPort() netip.AddrPort {
	a, _ := netip.ParseAddrPort(e.Addr)
	return a
}

// Port is the port number; 0 for a Unix socket.
func (e *Endpoint) Port() int { return int(e.AddrPort().Port()) }

// Option alters how a server of this package listens.
type Option func(*settings)

type settings struct {
	network, address string
	tls              bool
	cert             *Certificate
	changeTLS        []func(*tls.Config)
	changeServer     []func(*http.Server)
	alpn             []string
}

// OnAddress makes the server listen on host:port rather than 127.0.0.1 and a
// free port.
func OnAddress(address string) Option {
	return func(s *settings) { s.network, s.address = "tcp", address }
}

// OnIPv6 makes the server listen on ::1 and a free port.
func OnIPv6() Option { return OnAddress("[::1]:0") }

// OnUnix makes the server listen on a Unix socket, whose path is in Addr; the
// URL is that of localhost.
func OnUnix() Option {
	return func(s *settings) { s.network, s.address = "unix", "" }
}

// WithTLS makes a server speak TLS, with a certificate of [LocalAuthority] for
// localhost and the loopback addresses.
func WithTLS() Option { return func(s *settings) { s.tls = true } }

// WithCertificate makes a server speak TLS with another certificate.
func WithCertificate(c *Certificate) Option {
	return func(s *settings) { s.tls, s.cert = true, c }
}

// WithTLSVersions makes a server speak nothing but the versions from low to
// high, tls.VersionTLS10 and so on.
func WithTLSVersions(low, high uint16) Option {
	return WithTLSConfig(func(c *tls.Config) { c.MinVersion, c.MaxVersion = low, high })
}

// WithClientCertificates makes a server ask for a certificate of a and refuse
// clients without one.
func WithClientCertificates(a *Authority) Option {
	return WithTLSConfig(func(c *tls.Config) {
		c.ClientAuth, c.ClientCAs = tls.RequireAndVerifyClientCert, a.Pool
	})
}

// WithoutTickets makes a server resume no TLS sessions.
func WithoutTickets() Option {
	return WithTLSConfig(func(c *tls.Config) { c.SessionTicketsDisabled = true })
}

// AsksWho makes a server ask for a certificate in each connection, and take any or none.
func AsksWho() Option {
	return WithTLSConfig(func(c *tls.Config) {
		c.ClientAuth, c.SessionTicketsDisabled = tls.RequestClientCert, true
	})
}

// WithTLSConfig makes a server speak TLS and lets change alter its
// configuration.
func WithTLSConfig(change func(*tls.Config)) Option {
	return func(s *settings) { s.tls, s.changeTLS = true, append(s.changeTLS, change) }
}

// WithServer lets change alter the http.Server of [Start] and [StartProxy]
// before it serves.
func WithServer(change func(*http.Server)) Option {
	return func(s *settings) { s.changeServer = append(s.changeServer, change) }
}

func newSettings(options []Option) *settings {
	s := &settings{network: "tcp", address: "127.0.0.1:0"}
	for _, o := range options {
		o(s)
	}
	return s
}

// listen opens the listener, counted, and describes it. TLS is left to the caller.
func (s *settings) listen(t testing.TB) (net.Listener, *Endpoint) {
	t.Helper()
	e := &Endpoint{Connections: &Connections{}}
	if s.network == "unix" && s.address == "" {
		s.address = filepath.Join(socketDir(t), "socket")
	}
	l, err := net.Listen(s.network, s.address)
	require.NoError(t, err)
	e.Addr = l.Addr().String()
	scheme, host := "http", e.Addr
	if s.network == "unix" {
		host = "localhost"
	}
	if s.tls {
		scheme = "https"
		a := LocalAuthority(t)
		e.CAPEM, e.CAFile = a.PEM, a.File(t)
	}
	e.URL = scheme + "://" + host
	return &countedListener{l, e.Connections}, e
}

func (s *settings) tlsConfig(t testing.TB) *tls.Config {
	t.Helper()
	cert := s.cert
	if cert == nil {
		cert = LocalAuthority(t).Localhost(t)
	}
	c := &tls.Config{Certificates: []tls.Certificate{cert.TLS}, NextProtos: s.alpn}
	for _, change := range s.changeTLS {
		change(c)
	}
	return c
}

// pool trusts what CAPEM says; nil (the system's) without TLS.
func (e *Endpoint) pool() *x509.CertPool {
	if e.CAPEM == nil {
		return nil
	}
	p := x509.NewCertPool()
	p.AppendCertsFromPEM(e.CAPEM)
	return p
}

// socketDir is a folder whose path leaves room for a socket's name: the system
// takes 107 bytes, and names of tests are long.
func socketDir(t testing.TB) string {
	t.Helper()
	if dir := t.TempDir(); len(dir) < 80 {
		return dir
	}
	return tempDir(t, "")
}
