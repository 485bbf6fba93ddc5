package h3test

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/quic-go/quic-go/http3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom"
	"github.com/ratmom/ratmom/cgo"
	"github.com/ratmom/ratmom/config"
	"github.com/ratmom/ratmom/internal/testserver"
)

// patience is how long a test waits for what must come.
const patience = 10 * time.Second

// needHTTP3 leaves a test out where libcurl cannot do what it tests.
func needHTTP3(t testing.TB) {
	t.Helper()
	if !cgo.Features().HTTP3 {
		t.Skip("this libcurl has no HTTP/3; the flavour 8.14.1-gnutls of ci/libcurl.sh has")
	}
}

// server is an HTTP/3 server on a UDP port of the loopback interface.
type server struct {
	URL    string
	CAFile string

	http *http3.Server
}

// start serves until the test ends, with a certificate of the local authority
// unless another is given.
func start(t testing.TB, handler http.HandlerFunc, certificates ...*testserver.Certificate) *server {
	t.Helper()
	authority := testserver.LocalAuthority(t)
	certificate := authority.Localhost(t)
	if len(certificates) > 0 {
		certificate = certificates[0]
	}
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	require.NoError(t, err)
	s := &server{
		URL:    "https://" + conn.LocalAddr().String(),
		CAFile: authority.File(t),
		http: &http3.Server{
			Handler:   handler,
			TLSConfig: http3.ConfigureTLSConfig(&tls.Config{Certificates: []tls.Certificate{certificate.TLS}}),
		},
	}
	ended := make(chan error, 1)
	go func() { ended <- s.http.Serve(conn) }()
	t.Cleanup(func() {
		assert.NoError(t, s.http.Close())
		if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
			t.Errorf("the server ended with %v", err)
		}
		_ = conn.Close()
	})
	return s
}

// newClient makes a client that trusts the local authority and is closed when
// the test ends.
func newClient(t testing.TB, caFile string, version config.Version, opts ...config.ClientOption) *ratmom.Client {
	t.Helper()
	c, err := ratmom.New(append([]config.ClientOption{
		config.Proxy(""), config.CAFile(caFile), config.HTTPVersion(version),
	}, opts...)...)
	require.NoError(t, err)
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// patient gives a context that dies with the test or with its patience.
func patient(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}
