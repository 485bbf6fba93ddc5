package config_test

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/ocsp"

	"github.com/ratmom/ratmom"
	"github.com/ratmom/ratmom/cgo"
	"github.com/ratmom/ratmom/config"
	"github.com/ratmom/ratmom/internal/testserver"
)

// save writes a file that lives as long as the test.
func save(t *testing.T, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, data, 0o600))
	return path
}

// A fault is what can be wrong with the far end of a TLS connection, and the options
// with which it is seen. Those of good make the same end pass.
type fault struct {
	name      string
	far       []testserver.Option
	nghttpx   []testserver.NghttpxOption // the same of an nghttpx
	bad, good []config.Option
	kind      error
}

const noClientCertificate = "no client certificate"

func faults(t *testing.T) []fault {
	a := testserver.LocalAuthority(t)
	ca := config.CAFile(a.File(t))
	server, other := a.Localhost(t), a.Localhost(t)
	certFile, keyFile := a.Client(t, "me").Files(t)
	with := func(c *testserver.Certificate) []testserver.Option {
		return []testserver.Option{testserver.WithCertificate(c)}
	}
	pin := func(c *testserver.Certificate) config.Option {
		return config.PinnedPublicKey(save(t, "cert.pem", c.CertPEM))
	}
	crl := func(revoked ...*testserver.Certificate) config.Option {
		return config.CRLFile(save(t, "crl.pem", a.RevocationList(t, revoked...)))
	}
	noCertificate := error(ratmom.ErrClientCertificate)
	if cgo.Features().Backend("GnuTLS") {
		noCertificate = ratmom.ErrReceive // it does not say which alert the server has sent
	}
	nghttpx := func(c *testserver.Certificate, more ...testserver.NghttpxOption) []testserver.NghttpxOption {
		return append(more, testserver.NghttpxCertificate(c))
	}
	wrongHost, expired := a.WrongHost(t), a.Expired(t)
	list := []fault{
		{noClientCertificate, append(with(server), testserver.WithClientCertificates(a)), nghttpx(server, testserver.NghttpxClients(t, a)),
			[]config.Option{ca}, []config.Option{ca, config.ClientCertificate(certFile, keyFile)}, noCertificate},
		{"another key than the pinned", with(server), nghttpx(server),
			[]config.Option{ca, pin(other)}, []config.Option{ca, pin(server)}, ratmom.ErrCertificateVerification},
		{"wrong host", with(wrongHost), nghttpx(wrongHost), []config.Option{ca},
			[]config.Option{ca, config.DangerAcceptInvalidHostnames(true)}, ratmom.ErrCertificateVerification},
		{"expired", with(expired), nghttpx(expired), []config.Option{ca},
			[]config.Option{ca, config.DangerAcceptInvalidCertificates(true)}, ratmom.ErrCertificateVerification},
		{"wrong CA", with(server), nghttpx(server),
			[]config.Option{config.CAFile(testserver.NewAuthority(t).File(t))}, []config.Option{ca}, ratmom.ErrCertificateVerification},
		{"revoked", with(server), nghttpx(server), []config.Option{ca, crl(other, server)}, []config.Option{ca, crl(other)}, ratmom.ErrCertificateVerification},
		{"too old TLS", append(with(server), testserver.WithTLSVersions(tls.VersionTLS12, tls.VersionTLS12)),
			nghttpx(server, testserver.NghttpxWith("--tls-max-proto-version=TLSv1.2")),
			[]config.Option{ca, config.TLSMinVersion(tls.VersionTLS13)}, []config.Option{ca}, ratmom.ErrTLS},
		{"another issuer", with(server), nghttpx(server), []config.Option{ca, config.IssuerCertificate(testserver.NewAuthority(t).File(t))},
			[]config.Option{ca, config.IssuerCertificate(a.File(t))}, ratmom.ErrCertificateVerification},
		{"no common cipher", append(with(server), testserver.WithTLSConfig(func(c *tls.Config) {
			c.MaxVersion, c.CipherSuites = tls.VersionTLS12, []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384}
		})), nghttpx(server, testserver.NghttpxWith("--tls-max-proto-version=TLSv1.2", "--ciphers=ECDHE-ECDSA-AES256-GCM-SHA384")),
			[]config.Option{ca, config.TLSCiphers(cipher("128"))}, []config.Option{ca, config.TLSCiphers(cipher("256"))}, ratmom.ErrTLS},
	}
	return list
}

// cipher is a suite of TLS 1.2, in the words of the TLS library.
func cipher(bits string) string {
	if cgo.Features().Backend("GnuTLS") {
		return map[string]string{"128": "-AES-256-GCM", "256": "-AES-128-GCM"}[bits]
	}
	return "ECDHE-ECDSA-AES" + bits + "-GCM-SHA" + map[string]string{"128": "256", "256": "384"}[bits]
}

func requestOptions(opts []config.Option) (list []config.RequestOption) {
	for _, o := range opts {
		list = append(list, o)
	}
	return list
}

// judge sees the fault refused and what is good taken, by requests of one client, so
// that a connection that was good for one must not be used by the other.
func judge(t *testing.T, f fault, c *ratmom.Client, url string, wrap func([]config.Option) []config.RequestOption) {
	t.Helper()
	for range 2 {
		if f.name == noClientCertificate {
			refusedInTheEnd(t, f.kind, c, url, wrap(f.bad)...)
		} else {
			refused(t, f.kind, c, url, wrap(f.bad)...)
		}
		get(t, c, url, wrap(f.good)...)
	}
}

// refusedInTheEnd is refused for a server of TLS 1.3 that misses a certificate: its word
// comes after the handshake, and a request that is being sent may meet the closed
// connection before. No request may pass.
func refusedInTheEnd(t *testing.T, kind error, c *ratmom.Client, url string, opts ...config.RequestOption) {
	t.Helper()
	var err error
	for range 100 {
		var resp *ratmom.Response
		if resp, err = c.Get(url, opts...); err == nil {
			_ = resp.Discard()
			break
		}
		if errors.Is(err, kind) {
			return
		}
	}
	require.ErrorIs(t, err, kind)
}

func TestEffect_a_bad_server_is_refused(t *testing.T) {
	for _, f := range faults(t) {
		t.Run(f.name, func(t *testing.T) {
			s := testserver.Start(t, testserver.HTTPS1, tell(host), f.far...)
			judge(t, f, newClient(t), s.URL, requestOptions)
		})
	}
}

func TestEffect_a_bad_server_behind_an_https_proxy_is_refused(t *testing.T) {
	needsHTTPSProxy(t)
	for _, f := range faults(t) {
		t.Run(f.name, func(t *testing.T) {
			s := testserver.Start(t, testserver.HTTPS1, tell(host), f.far...)
			p := testserver.StartProxy(t, testserver.Proxy{}, testserver.WithTLS())
			c := newClient(t, config.Proxy("https://"+p.Addr), config.ProxyTLS(config.CAFile(p.CAFile)))
			judge(t, f, c, s.URL, requestOptions)
			assert.NotEmpty(t, p.Requests())
		})
	}
}

func TestEffect_a_bad_https_proxy_is_refused(t *testing.T) {
	needsHTTPSProxy(t)
	wrap := func(opts []config.Option) []config.RequestOption {
		return []config.RequestOption{config.ProxyTLS(opts...)}
	}
	plain := testserver.Start(t, testserver.H1, tell(host))
	secure := testserver.Start(t, testserver.HTTPS1, tell(host))
	for _, f := range faults(t) {
		for _, s := range []*testserver.Server{plain, secure} {
			t.Run(f.name+" to "+s.URL[:5], func(t *testing.T) {
				p := testserver.StartProxy(t, testserver.Proxy{}, f.far...)
				c := newClient(t, config.Proxy("https://"+p.Addr), config.CAFile(secure.CAFile))
				judge(t, f, c, s.URL, wrap)
			})
		}
	}
}

func TestEffect_a_bad_nghttpx_is_refused(t *testing.T) {
	needsHTTPSProxy(t)
	wrap := func(opts []config.Option) []config.RequestOption {
		return []config.RequestOption{config.ProxyTLS(opts...)}
	}
	plain := testserver.Start(t, testserver.H1, tell(host))
	secure := testserver.Start(t, testserver.HTTPS1, tell(host))
	next := testserver.StartProxy(t, testserver.Proxy{})
	for _, f := range faults(t) {
		t.Run(f.name, func(t *testing.T) {
			p := testserver.Nghttpx(t, next.Addr, f.nghttpx...)
			for _, s := range []*testserver.Server{plain, secure} {
				c := newClient(t, config.Proxy(p.URL), config.CAFile(secure.CAFile))
				judge(t, f, c, s.URL, wrap)
			}
		})
	}
}

func needsHTTPSProxy(t *testing.T) {
	t.Helper()
	if !cgo.Features().HTTPSProxy {
		t.Skip("libcurl without https proxies")
	}
}

func TestEffect_OCSPStapling(t *testing.T) {
	if !cgo.Features().OCSPStapling {
		t.Skip("libcurl that cannot")
	}
	a := testserver.LocalAuthority(t)
	start := func(status int) *testserver.Server {
		cert := a.Localhost(t)
		if status >= 0 {
			a.Staple(t, cert, status)
		}
		return testserver.Start(t, testserver.HTTPS1, tell(host), testserver.WithCertificate(cert))
	}
	c := newClient(t, config.CAFile(a.File(t)))
	good := start(ocsp.Good)
	for range 3 { // an earlier TLS session has no staple
		assert.Equal(t, good.Addr, get(t, c, good.URL, config.OCSPStapling(true), config.FreshConnection()))
	}
	for name, status := range map[string]int{"revoked": ocsp.Revoked, "unknown": ocsp.Unknown, "nothing": -1} {
		t.Run(name, func(t *testing.T) {
			s := start(status)
			refused(t, ratmom.ErrCertificateVerification, c, s.URL, config.OCSPStapling(true))
			if cgo.Features().Backend("GnuTLS") && status == ocsp.Revoked {
				return // it looks at what comes unasked
			}
			get(t, c, s.URL)
			refused(t, ratmom.ErrCertificateVerification, c, s.URL, config.OCSPStapling(true))
		})
	}
}

func TestEffect_OCSPStapling_of_nginx(t *testing.T) {
	if !cgo.Features().OCSPStapling {
		t.Skip("libcurl that cannot")
	}
	a := testserver.LocalAuthority(t)
	start := func(status rune) *testserver.NginxServer {
		cert := a.Localhost(t)
		staple := a.OpenSSLStaple(t, cert, status)
		cert.CertPEM = append(cert.CertPEM, a.PEM...) // libcurl looks for the issuer in the chain
		return testserver.Nginx(t, testserver.NginxCertificate(cert), testserver.NginxWith("ssl_stapling on; ssl_stapling_file "+staple+";"))
	}
	c := newClient(t, config.CAFile(a.File(t)))
	good := start('V')
	for range 3 {
		assert.Equal(t, testserver.Hello, get(t, c, good.TLSURL+"/hello.txt", config.OCSPStapling(true), config.FreshConnection()))
	}
	for name, status := range map[string]rune{"revoked": 'R', "unknown": 'U'} {
		t.Run(name, func(t *testing.T) {
			s := start(status)
			refused(t, ratmom.ErrCertificateVerification, c, s.TLSURL+"/hello.txt", config.OCSPStapling(true))
		})
	}
	t.Run("nothing", func(t *testing.T) {
		s := testserver.Nginx(t)
		assert.Equal(t, testserver.Hello, get(t, c, s.TLSURL+"/hello.txt"))
		refused(t, ratmom.ErrCertificateVerification, c, s.TLSURL+"/hello.txt", config.OCSPStapling(true))
	})
}

func TestEffect_CADirectory(t *testing.T) {
	s := testserver.Start(t, testserver.HTTPS1, tell(host))
	dir := filepath.Dir(save(t, "ca.pem", s.CAPEM))
	rehash(t, dir)
	c, err := ratmom.New(config.CADirectory(dir))
	if errors.Is(err, errors.ErrUnsupported) {
		t.Skip(err)
	}
	require.NoError(t, err)
	defer func() { _ = c.Close() }()
	assert.Equal(t, s.Addr, get(t, c, s.URL))
	refused(t, ratmom.ErrCertificateVerification, c, s.URL, config.CADirectory(t.TempDir()))
}

func TestEffect_CACacheTimeout(t *testing.T) {
	s := testserver.Start(t, testserver.HTTPS1, tell(host))
	for _, keep := range []bool{true, false} {
		ca := save(t, "ca.pem", s.CAPEM)
		opts := []config.ClientOption{config.CAFile(ca), config.TLSSessionReuse(false)}
		if !keep {
			opts = append(opts, config.CACacheTimeout(0))
		}
		c, err := ratmom.New(opts...)
		if errors.Is(err, errors.ErrUnsupported) {
			t.Skip(err)
		}
		require.NoError(t, err)
		get(t, c, s.URL)
		require.NoError(t, os.WriteFile(ca, testserver.NewAuthority(t).PEM, 0o600))
		if keep {
			get(t, c, s.URL, config.FreshConnection())
		} else {
			// The content is not the option's: it was looked at when the client was made.
			resp, err := c.Get(s.URL, config.FreshConnection())
			if err == nil {
				_ = resp.Discard()
			}
			assert.ErrorIs(t, err, ratmom.ErrCertificateVerification)
		}
		require.NoError(t, c.Close())
	}
}

func TestEffect_PinnedPublicKey_takes_any_of_several(t *testing.T) {
	a := testserver.LocalAuthority(t)
	cert, other := a.Localhost(t), a.Localhost(t)
	s := testserver.Start(t, testserver.HTTPS1, tell(host), testserver.WithCertificate(cert))
	mine, theirs := save(t, "mine.pem", cert.CertPEM), save(t, "theirs.pem", other.CertPEM)
	c := newClient(t, config.CAFile(a.File(t)), config.PinnedPublicKey(theirs, mine))
	get(t, c, s.URL)
	refused(t, ratmom.ErrCertificateVerification, c, s.URL, config.PinnedPublicKey(theirs))
	get(t, c, s.URL, config.PinnedPublicKey())
}

// saw tells what a server saw of the handshake.
func saw(what func(*tls.ConnectionState) any) http.HandlerFunc {
	return tell(func(r *http.Request) any { return what(r.TLS) })
}

func TestEffect_TLS13Ciphers(t *testing.T) {
	if !cgo.Features().TLS13Ciphers {
		t.Skip("libcurl that cannot")
	}
	s := testserver.Start(t, testserver.HTTPS1, saw(func(c *tls.ConnectionState) any { return tls.CipherSuiteName(c.CipherSuite) }))
	c := newClient(t, config.CAFile(s.CAFile))
	for _, name := range []string{"TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"} {
		assert.Equal(t, name, get(t, c, s.URL, config.TLS13Ciphers(name)))
	}
	refused(t, ratmom.ErrTLS, c, s.URL, config.TLS13Ciphers("NONSENSE"))
}

func TestEffect_TLSCurves(t *testing.T) {
	s := testserver.Start(t, testserver.HTTPS1, saw(func(c *tls.ConnectionState) any { return c.CurveID }))
	c := newClient(t, config.CAFile(s.CAFile))
	for name, want := range map[string]tls.CurveID{"X25519": tls.X25519, "P-256": tls.CurveP256, "P-384": tls.CurveP384} {
		resp, err := c.Get(s.URL, config.TLSCurves(name))
		if errors.Is(err, errors.ErrUnsupported) {
			t.Skip(err)
		}
		require.NoError(t, err)
		text, err := resp.Text()
		require.NoError(t, err)
		assert.Equal(t, want.String(), text)
	}
	refused(t, ratmom.ErrTLS, c, s.URL, config.TLSCurves("NONSENSE"))
}

func TestEffect_TLSSignatureAlgorithms(t *testing.T) {
	if !cgo.Features().SignatureAlgorithms {
		t.Skip("libcurl that cannot")
	}
	s := testserver.Start(t, testserver.HTTPS1, tell(host)) // with an ECDSA key
	c := newClient(t, config.CAFile(s.CAFile))
	get(t, c, s.URL)
	get(t, c, s.URL, config.TLSSignatureAlgorithms("ECDSA+SHA256"))
	refused(t, ratmom.ErrTLS, c, s.URL, config.TLSSignatureAlgorithms("rsa_pss_rsae_sha256"))
}

func TestEffect_ALPN(t *testing.T) {
	s := testserver.Start(t, testserver.H2, tell(func(r *http.Request) any { return r.Proto + " " + r.TLS.NegotiatedProtocol }),
		testserver.WithServer(func(s *http.Server) { s.Protocols.SetHTTP1(true) }))
	c := newClient(t, config.CAFile(s.CAFile))
	want := "HTTP/1.1 "
	for range 2 {
		assert.Equal(t, want, get(t, c, s.URL, config.ALPN(false)))
		if cgo.Features().HTTP2 {
			assert.Equal(t, "HTTP/2.0 h2", get(t, c, s.URL))
		}
	}
}

func TestEffect_TLSSessionReuse(t *testing.T) {
	s := testserver.Start(t, testserver.HTTPS1, saw(func(c *tls.ConnectionState) any { return c.DidResume }))
	// With GnuTLS sessions are taken up with this lowest version alone.
	c := newClient(t, config.CAFile(s.CAFile), config.TLSMinVersion(tls.VersionTLS13))
	// 7.88.1 keeps the sessions of a request with its handle, and it depends which is used
	// again.
	keeps := fmt.Sprint(cgo.Features().AtLeast(8, 14, 1))
	get(t, c, s.URL)
	for range 2 {
		if again := get(t, c, s.URL, config.FreshConnection()); keeps == "true" {
			assert.Equal(t, keeps, again)
		}
		assert.Equal(t, "false", get(t, c, s.URL, config.TLSSessionReuse(false)))
	}
}

func TestEffect_PartialChain(t *testing.T) {
	root := testserver.NewAuthority(t)
	sub := root.Sub(t)
	s := testserver.Start(t, testserver.HTTPS1, tell(host), testserver.WithCertificate(sub.Localhost(t)))
	c := newClient(t, config.CAFile(sub.File(t)), config.TLSSessionReuse(false))
	for range 2 {
		get(t, c, s.URL)
		resp, err := c.Get(s.URL, config.PartialChain(false))
		if err == nil {
			_ = resp.Discard()
		}
		if errors.Is(err, errors.ErrUnsupported) {
			t.Skip(err)
		}
		require.ErrorIs(t, err, ratmom.ErrCertificateVerification)
	}
}

func TestEffect_CertificateChain(t *testing.T) {
	if !cgo.Features().CertInfo {
		t.Skip("libcurl that tells no certificates")
	}
	a := testserver.LocalAuthority(t)
	cert := a.Localhost(t)
	a.Chain(cert)
	names := func(list []*x509.Certificate) (s []string) {
		for _, c := range list {
			s = append(s, c.Subject.CommonName)
		}
		return s
	}
	want := []string{"test", "ratmom test authority"}
	for _, mode := range []testserver.Mode{testserver.HTTPS1, testserver.H2} {
		s := testserver.Start(t, mode, tell(func(r *http.Request) any { return testserver.ConnNumber(r) }), testserver.WithCertificate(cert))
		chain := func(c *ratmom.Client, opts ...config.RequestOption) ([]string, string) {
			resp, err := c.Get(s.URL, opts...)
			require.NoError(t, err)
			text, err := resp.Text()
			require.NoError(t, err)
			return names(resp.TLS.PeerCertificates), text
		}
		c := newClient(t, config.CAFile(a.File(t)), config.CertificateChain(true))
		for range 3 {
			got, conn := chain(c)
			assert.Equal(t, want, got, "%v", mode)
			assert.Equal(t, "0", conn, "on the connection of the first")
		}
		got, _ := chain(c, config.FreshConnection())
		assert.Equal(t, want, got)

		without := newClient(t, config.CAFile(a.File(t)))
		got, first := chain(without)
		assert.Empty(t, got)
		got, second := chain(without, config.CertificateChain(true))
		assert.Equal(t, want, got)
		assert.NotEqual(t, first, second)
	}
}

func TestEffect_CertificateChain_is_in_the_error_and_never_the_proxys(t *testing.T) {
	if !cgo.Features().CertInfo {
		t.Skip("libcurl that tells no certificates")
	}
	a := testserver.LocalAuthority(t)
	s := testserver.Start(t, testserver.HTTPS1, tell(host), testserver.WithCertificate(a.WrongHost(t)))
	c := newClient(t, config.CAFile(a.File(t)), config.CertificateChain(true))
	_, err := c.Get(s.URL)
	var e *ratmom.Error
	require.ErrorAs(t, err, &e)
	require.NotEmpty(t, e.PeerCertificates)
	assert.Equal(t, []string{"wrong.host.test"}, e.PeerCertificates[0].DNSNames)

	plain := testserver.Start(t, testserver.H1, tell(host))
	if cgo.Features().HTTPSProxy {
		p := testserver.StartProxy(t, testserver.Proxy{}, testserver.WithTLS())
		good := testserver.Start(t, testserver.HTTPS1, tell(host), testserver.WithCertificate(a.Issue(t, func(x *x509.Certificate) {
			x.Subject.CommonName, x.DNSNames = "behind", []string{"behind.test"}
		})))
		via := []config.RequestOption{
			config.Proxy("https://" + p.Addr), config.ConnectTo(map[string]string{"behind.test:443": good.Addr}),
		}
		resp, err := c.Get("https://behind.test/", via...)
		require.NoError(t, err)
		require.NoError(t, resp.Discard())
		assert.Equal(t, "behind", resp.TLS.PeerCertificates[0].Subject.CommonName)
		resp, err = c.Get(plain.URL, via[0])
		require.NoError(t, err)
		require.NoError(t, resp.Discard())
		assert.Nil(t, resp.TLS)
	}
}

func TestEffect_sessions_of_another_client_certificate_in_memory_are_not_taken_up(t *testing.T) {
	a := testserver.LocalAuthority(t)
	s := testserver.Start(t, testserver.HTTPS1, tell(func(r *http.Request) any {
		if len(r.TLS.PeerCertificates) == 0 {
			return "nobody"
		}
		return r.TLS.PeerCertificates[0].Subject.CommonName
	}), testserver.WithTLSConfig(func(c *tls.Config) { c.ClientAuth, c.ClientCAs = tls.VerifyClientCertIfGiven, a.Pool }))
	c := newClient(t, config.DangerAcceptInvalidCertificates(true))
	for range 2 {
		for _, name := range []string{"one", "two"} {
			cert := a.Client(t, name)
			resp, err := c.Get(s.URL, config.ClientCertificateBytes(cert.CertPEM, cert.KeyPEM))
			if errors.Is(err, errors.ErrUnsupported) {
				t.Skip(err)
			}
			require.NoError(t, err)
			text, err := resp.Text()
			require.NoError(t, err)
			assert.Equal(t, name, text)
		}
		assert.Equal(t, "nobody", get(t, c, s.URL))
	}
}

func TestEffect_TLSFalseStart_and_ECH_are_refused_where_they_are_not_built_in(t *testing.T) {
	f := cgo.Features()
	for option, has := range map[config.Option]bool{config.TLSFalseStart(true): f.FalseStart, config.ECH(config.ECHTry): f.ECH} {
		_, err := ratmom.New(option)
		assert.Equal(t, !has, errors.Is(err, ratmom.ErrUnsupported), "%v: %v", option, err)
	}
}
