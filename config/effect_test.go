package config_test

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom"
	"github.com/ratmom/ratmom/cgo"
	"github.com/ratmom/ratmom/config"
	"github.com/ratmom/ratmom/internal/testserver"
)

// What options do is seen by a server here; what they pack is tested beside them.

func newClient(t *testing.T, opts ...config.ClientOption) *ratmom.Client {
	t.Helper()
	c, err := ratmom.New(append([]config.ClientOption{config.Timeout(10 * time.Second)}, opts...)...)
	require.NoError(t, err)
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func get(t *testing.T, c *ratmom.Client, url string, opts ...config.RequestOption) string {
	t.Helper()
	resp, err := c.Get(url, opts...)
	require.NoError(t, err)
	text, err := resp.Text()
	require.NoError(t, err)
	return text
}

func refused(t *testing.T, kind error, c *ratmom.Client, url string, opts ...config.RequestOption) {
	t.Helper()
	resp, err := c.Get(url, opts...)
	if err == nil {
		_ = resp.Discard()
	}
	require.ErrorIs(t, err, kind)
}

// tell answers with what the server saw.
func tell(what func(*http.Request) any) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) { _, _ = fmt.Fprint(w, what(r)) }
}

func host(r *http.Request) any { return r.Host }

func remote(r *http.Request) any { return r.RemoteAddr }

func TestEffect_ConnectTo_and_Resolve_keep_the_name(t *testing.T) {
	s := testserver.Start(t, testserver.H1, tell(host))
	c := newClient(t, config.ConnectTo(map[string]string{"one.test:80": s.Addr}))
	assert.Equal(t, "one.test", get(t, c, "http://one.test/"))
	assert.Equal(t, "two.test:1", get(t, c, "http://two.test:1/", config.ConnectTo(map[string]string{"": s.Addr})))
	port := fmt.Sprint(s.Port())
	assert.Equal(t, "two.test:1", get(t, c, "http://two.test:1/", config.ConnectTo(map[string]string{":1": "127.0.0.1:" + port})))

	r := newClient(t, config.Resolve(map[string][]netip.Addr{
		"three.test:" + port: {netip.MustParseAddr("::1"), netip.MustParseAddr("127.0.0.1")},
		"*:" + port:          {netip.MustParseAddr("127.0.0.1")},
	}))
	assert.Equal(t, "three.test:"+port, get(t, r, "http://three.test:"+port+"/"))
	assert.Equal(t, "four.test:"+port, get(t, r, "http://four.test:"+port+"/"))
}

func TestEffect_UnixSocket_goes_past_a_proxy(t *testing.T) {
	s := testserver.Start(t, testserver.H1, tell(host), testserver.OnUnix())
	c := newClient(t, config.Proxy("http://127.0.0.1:9"), config.UnixSocket(s.Addr))
	assert.Equal(t, "a.test", get(t, c, "http://a.test/"))
}

func TestEffect_the_local_end_is_chosen(t *testing.T) {
	s := testserver.Start(t, testserver.H1, tell(remote))
	c := newClient(t)
	assert.True(t, strings.HasPrefix(get(t, c, s.URL, config.LocalAddress(netip.MustParseAddr("127.0.0.9"))), "127.0.0.9:"))
	assert.True(t, strings.HasPrefix(get(t, c, s.URL, config.Interface("lo")), "127.0.0.1:"))
	refused(t, ratmom.ErrLocal, c, s.URL, config.Interface("nosuch0"))

	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	free := l.Addr().(*net.TCPAddr).Port
	require.NoError(t, l.Close())
	_, port, err := net.SplitHostPort(get(t, c, s.URL, config.LocalPort(free, 1), config.ForbidReuse()))
	require.NoError(t, err)
	assert.Equal(t, fmt.Sprint(free), port)
}

func TestEffect_connections_are_kept_as_asked(t *testing.T) {
	s := testserver.Start(t, testserver.H1, tell(func(r *http.Request) any { return testserver.ConnNumber(r) }))
	c := newClient(t)
	assert.Equal(t, "0", get(t, c, s.URL))
	assert.Equal(t, "0", get(t, c, s.URL))
	assert.Equal(t, "1", get(t, c, s.URL, config.FreshConnection()))
	first := get(t, c, s.URL, config.ForbidReuse())
	second := get(t, c, s.URL, config.ForbidReuse())
	assert.NotEqual(t, first, second)

	none := newClient(t, config.ConnectionCacheSize(0))
	assert.NotEqual(t, get(t, none, s.URL), get(t, none, s.URL))
}

func TestEffect_credentials_go_to_the_server(t *testing.T) {
	for name, s := range map[string]*testserver.Server{
		"Basic":  testserver.Start(t, testserver.H1, testserver.Basic(tell(host))),
		"Digest": testserver.Start(t, testserver.H1, testserver.Digest{}.Handler(tell(host))),
	} {
		t.Run(name, func(t *testing.T) {
			option := config.BasicAuth(testserver.User, testserver.Password)
			if name == "Digest" {
				option = config.DigestAuth(testserver.User, testserver.Password)
			}
			c := newClient(t, option)
			assert.Equal(t, s.Addr, get(t, c, s.URL))
			assert.Equal(t, s.Addr, get(t, c, s.URL, config.AnyAuth(testserver.User, testserver.Password)))
			resp, err := c.Get(s.URL, config.NoAuth())
			require.NoError(t, err)
			assert.Equal(t, 401, resp.StatusCode)
			assert.NoError(t, resp.Discard())
		})
	}
}

func TestEffect_proxies_get_their_credentials(t *testing.T) {
	s := testserver.Start(t, testserver.H1, tell(host))
	secure := testserver.Start(t, testserver.HTTPS1, tell(host))
	c := newClient(t, config.CAFile(secure.CAFile))
	userinfo := url.UserPassword(testserver.User, testserver.Password).String() + "@"
	for _, u := range []string{s.URL, secure.URL} {
		t.Run(u[:5], func(t *testing.T) {
			want := strings.SplitN(u, "//", 2)[1]
			basic := testserver.StartProxy(t, testserver.Proxy{Auth: testserver.BasicAuth})
			assert.Equal(t, want, get(t, c, u, config.Proxy("http://"+userinfo+basic.Addr)))
			assert.Equal(t, want, get(t, c, u, config.Proxy(basic.Addr), config.ProxyBasicAuth(testserver.User, testserver.Password)))
			digest := testserver.StartProxy(t, testserver.Proxy{Auth: testserver.DigestAuth})
			assert.Equal(t, want, get(t, c, u, config.Proxy(digest.Addr), config.ProxyDigestAuth(testserver.User, testserver.Password)))
			assert.Equal(t, want, get(t, c, u, config.Proxy(digest.Addr), config.ProxyAnyAuth(testserver.User, testserver.Password)))
			assert.Equal(t, want, get(t, c, u, config.Proxy(basic.Addr), config.NoProxy("127.0.0.0/8", "localhost")))
			socks := testserver.StartSOCKS(t, testserver.SOCKS{Credentials: true})
			assert.Equal(t, want, get(t, c, u, config.Proxy("socks5h://"+userinfo+socks.Addr)))
			assert.Equal(t, testserver.Password, socks.Targets()[0].Password)
		})
	}
}

func TestEffect_SOCKS_schemes_say_who_resolves(t *testing.T) {
	s := testserver.Start(t, testserver.H1, tell(host))
	u := "http://localhost:" + fmt.Sprint(s.Port()) + "/"
	socks := testserver.StartSOCKS(t, testserver.SOCKS{Hosts: map[string]string{"localhost:" + fmt.Sprint(s.Port()): s.Addr}})
	c := newClient(t, config.IPVersion(config.IPv4))
	for i, scheme := range []string{"socks4", "socks4a", "socks5", "socks5h"} {
		get(t, c, u, config.Proxy(scheme+"://"+socks.Addr), config.FreshConnection())
		assert.Equal(t, strings.HasSuffix(scheme, "a") || strings.HasSuffix(scheme, "h"), socks.Targets()[i].ByName, scheme)
	}
}

func TestEffect_an_https_proxy_is_verified(t *testing.T) {
	if !cgo.Features().HTTPSProxy {
		t.Skip("libcurl without https proxies")
	}
	s := testserver.Start(t, testserver.H1, tell(host))
	p := testserver.StartProxy(t, testserver.Proxy{}, testserver.WithTLS())
	c := newClient(t, config.Proxy("https://"+p.Addr))
	assert.Equal(t, s.Addr, get(t, c, s.URL, config.CAFile(p.CAFile)))
	refused(t, ratmom.ErrCertificateVerification, c, s.URL, config.FreshConnection())
	refused(t, ratmom.ErrCertificateVerification, c, s.URL, config.FreshConnection(),
		config.DangerAcceptInvalidCertificates(true), config.DangerAcceptInvalidHostnames(true))
	other := testserver.NewAuthority(t)
	refused(t, ratmom.ErrCertificateVerification, c, s.URL, config.FreshConnection(), config.CAFile(other.File(t)))
}

func TestEffect_ProxyHeaders_go_to_the_proxy_alone(t *testing.T) {
	s := testserver.Start(t, testserver.HTTPS1, tell(func(r *http.Request) any { return r.Header.Get("X-Proxy") }))
	p := testserver.StartProxy(t, testserver.Proxy{})
	c := newClient(t, config.CAFile(s.CAFile), config.Proxy(p.Addr), config.ProxyHeaders(http.Header{"X-Proxy": {"1"}}))
	assert.Empty(t, get(t, c, s.URL))
	assert.Equal(t, "1", p.Requests()[0].Header.Get("X-Proxy"))

	plain := testserver.Start(t, testserver.H1, tell(func(r *http.Request) any { return r.Header.Get("X-Proxy") }))
	assert.Empty(t, get(t, c, plain.URL), "the proxy hands on what it does not know")
	assert.Empty(t, get(t, c, plain.URL, config.ProxyTunnel(true)))
	assert.Equal(t, "1", p.Requests()[2].Header.Get("X-Proxy"))
}

func TestEffect_certificates(t *testing.T) {
	authority := testserver.NewAuthority(t)
	name := func(r *http.Request) any { return r.TLS.PeerCertificates[0].Subject.CommonName }
	s := testserver.Start(t, testserver.HTTPS1, tell(name),
		testserver.WithCertificate(authority.Localhost(t)), testserver.WithClientCertificates(authority))
	client := authority.Client(t, "me")
	certFile, keyFile := client.Files(t)
	c := newClient(t, config.CAFile(authority.File(t)))

	assert.Equal(t, "me", get(t, c, s.URL, config.ClientCertificate(certFile, keyFile)))
	_, err := c.Get(s.URL, config.FreshConnection())
	assert.Error(t, err, "the server wants a certificate")

	blob := config.ClientCertificateBytes(client.CertPEM, client.KeyPEM)
	if resp, err := c.Get(s.URL, blob, config.FreshConnection()); err == nil {
		text, _ := resp.Text()
		assert.Equal(t, "me", text)
	} else {
		assert.ErrorIs(t, err, errors.ErrUnsupported)
	}

	mine := config.ClientCertificate(certFile, keyFile)
	refused(t, ratmom.ErrCertificateVerification, c, s.URL, mine, config.FreshConnection(), config.SystemCA())
	refused(t, ratmom.ErrCertificateVerification, c, s.URL, mine, config.FreshConnection(), config.CAFile(testserver.NewAuthority(t).File(t)))
	assert.Equal(t, "me", get(t, c, s.URL, mine, config.SystemCA(), config.DangerAcceptInvalidCertificates(true)))
}

func TestEffect_CABytes(t *testing.T) {
	s := testserver.Start(t, testserver.HTTPS1, tell(host))
	c, err := ratmom.New(config.CABytes(s.CAPEM))
	if errors.Is(err, errors.ErrUnsupported) {
		t.Skip(err)
	}
	require.NoError(t, err)
	defer func() { _ = c.Close() }()
	assert.Equal(t, s.Addr, get(t, c, s.URL))
}

func TestEffect_TLS_versions(t *testing.T) {
	s := testserver.Start(t, testserver.HTTPS1, tell(func(r *http.Request) any { return tls.VersionName(r.TLS.Version) }))
	c := newClient(t, config.CAFile(s.CAFile))
	assert.Equal(t, "TLS 1.3", get(t, c, s.URL))
	assert.Equal(t, "TLS 1.2", get(t, c, s.URL, config.TLSMaxVersion(tls.VersionTLS12), config.FreshConnection()))

	old := testserver.Start(t, testserver.HTTPS1, tell(host), testserver.WithTLSVersions(tls.VersionTLS12, tls.VersionTLS12))
	refused(t, ratmom.ErrTLS, c, old.URL, config.TLSMinVersion(tls.VersionTLS13))
}

func TestEffect_TLSServerName(t *testing.T) {
	authority := testserver.LocalAuthority(t)
	cert := authority.Issue(t, func(c *x509.Certificate) { c.DNSNames, c.IPAddresses = []string{"inner.test"}, nil })
	s := testserver.Start(t, testserver.HTTPS1, tell(func(r *http.Request) any { return r.TLS.ServerName }), testserver.WithCertificate(cert))
	c := newClient(t, config.CAFile(s.CAFile))
	assert.Equal(t, "inner.test", get(t, c, s.URL, config.TLSServerName("inner.test")))
	refused(t, ratmom.ErrCertificateVerification, c, s.URL)
}

func TestEffect_prior_knowledge_of_HTTP2_again_and_again(t *testing.T) {
	s := testserver.Start(t, testserver.H2C, tell(func(r *http.Request) any { return r.Proto }))
	c := newClient(t, config.HTTPVersion(config.HTTP2PriorKnowledge))
	for range 3 {
		assert.Equal(t, "HTTP/2.0", get(t, c, s.URL))
	}
}

func TestEffect_connect_timeout_of_a_proxy_that_hangs(t *testing.T) {
	socks := testserver.StartSOCKS(t, testserver.SOCKS{Hang: true})
	c := newClient(t, config.Proxy("socks5://"+socks.Addr), config.ConnectTimeout(50*time.Millisecond))
	began := time.Now()
	refused(t, ratmom.ErrTimeout, c, "http://127.0.0.1:1/")
	assert.Less(t, time.Since(began), 5*time.Second)
}

func TestEffect_low_speed_ends_a_request(t *testing.T) {
	t.Parallel()
	s := testserver.Start(t, testserver.H1, testserver.Silence())
	refused(t, ratmom.ErrTimeout, newClient(t), s.URL, config.LowSpeed(10, time.Second))
}

func TestEffect_speed_is_limited(t *testing.T) {
	t.Parallel()
	if !cgo.Features().AtLeast(8, 0, 0) {
		t.Skip("libcurl 7.88 looks at the speed every three seconds only")
	}
	s := testserver.Start(t, testserver.H1, testserver.Blob(200_000))
	began := time.Now()
	resp, err := newClient(t).Get(s.URL, config.MaxDownloadSpeed(100_000))
	require.NoError(t, err)
	_, err = resp.CopyTo(io.Discard)
	require.NoError(t, err)
	assert.Greater(t, time.Since(began), 500*time.Millisecond)
}
