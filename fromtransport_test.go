package ratmom_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"reflect"
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

// carried is a field of a transport with a value and the option that it becomes, as
// text; "" if it is refused, "-" if it becomes none.
type carried struct {
	field string
	value any
	want  string
}

func fixedProxy(raw string) func(*http.Request) (*url.URL, error) {
	u, _ := url.Parse(raw)
	return http.ProxyURL(u)
}

func protocols(http1, http2, clear bool) *http.Protocols {
	var p http.Protocols
	p.SetHTTP1(http1)
	p.SetHTTP2(http2)
	p.SetUnencryptedHTTP2(clear)
	return &p
}

func transportCases() []carried {
	dial := func(context.Context, string, string) (net.Conn, error) { return nil, errors.New("no") }
	plainDial := func(string, string) (net.Conn, error) { return nil, errors.New("no") }
	dials := "" // not by this libcurl
	if cgo.CanDial() {
		dials = "dialContext{function} httpVersion{HTTP/1.1}"
	}
	return []carried{
		{"Proxy", http.ProxyFromEnvironment, "proxy{environment}"},
		{"Proxy", fixedProxy("http://user:s3cret@p:1"), "proxy{http://xxxxx@p:1}"},
		{"Proxy", fixedProxy("socks5://p"), "proxy{socks5h://p}"},
		{"Proxy", http.ProxyURL(nil), "proxy{none}"},
		{"Proxy", func(*http.Request) (*url.URL, error) { return nil, nil }, ""},
		{"OnProxyConnectResponse", func(context.Context, *url.URL, *http.Request, *http.Response) error { return nil }, ""},
		{"DialContext", http.DefaultTransport.(*http.Transport).DialContext, "tcpKeepAlive{30s, 30s} connectTimeout{30s} httpVersion{HTTP/1.1}"},
		{"DialContext", dial, dials},
		{"DialContext", (&net.Dialer{Timeout: time.Second}).DialContext, dials},
		{"Dial", plainDial, ""},
		{"DialTLSContext", dial, ""},
		{"DialTLS", plainDial, ""},
		{"TLSClientConfig", &tls.Config{}, "httpVersion{HTTP/1.1}"},
		{"TLSHandshakeTimeout", time.Second, ""},
		{"DisableKeepAlives", true, "connectionReuse{never}"},
		{"DisableCompression", true, "decompression{false}"},
		{"MaxIdleConns", 7, "connectionCacheSize{7}"},
		{"MaxIdleConnsPerHost", 7, ""},
		{"MaxIdleConnsPerHost", -1, ""},
		{"MaxConnsPerHost", 7, "maxConnectionsPerHost{7}"},
		{"MaxConnsPerHost", -7, ""},
		{"IdleConnTimeout", time.Minute, "idleConnectionAge{1m0s}"},
		{"ResponseHeaderTimeout", time.Second, "responseHeadTimeout{1s}"},
		{"ResponseHeaderTimeout", -time.Second, ""},
		{"ExpectContinueTimeout", time.Second, "-"},
		{"ExpectContinueTimeout", time.Minute, ""},
		{"TLSNextProto", map[string]func(string, *tls.Conn) http.RoundTripper{}, "httpVersion{HTTP/1.1}"},
		{"TLSNextProto", map[string]func(string, *tls.Conn) http.RoundTripper{"h2": func(string, *tls.Conn) http.RoundTripper { return nil }}, ""},
		{"ProxyConnectHeader", http.Header{"A": {"1"}}, "proxyHeaders{A}"},
		{"GetProxyConnectHeader", func(context.Context, *url.URL, string) (http.Header, error) { return nil, nil }, ""},
		{"MaxResponseHeaderBytes", int64(1000), "maxResponseHeadBytes{1000}"},
		{"MaxResponseHeaderBytes", int64(1 << 40), ""},
		{"WriteBufferSize", 100_000, "uploadBufferSize{100000}"},
		{"WriteBufferSize", 1, "uploadBufferSize{16384}"},
		{"ReadBufferSize", 10_000, "bufferSize{10000}"},
		{"ReadBufferSize", 1 << 30, "bufferSize{524288}"},
		{"ForceAttemptHTTP2", true, "-"},
		{"HTTP2", &http.HTTP2Config{MaxConcurrentStreams: 5}, "-"},
		{"HTTP2", &http.HTTP2Config{SendPingTimeout: 5}, ""},
		{"Protocols", protocols(true, true, false), "-"},
		{"Protocols", protocols(true, false, false), "httpVersion{HTTP/1.1}"},
		{"Protocols", protocols(true, false, true), "httpVersion{HTTP/1.1}"},
		{"Protocols", protocols(false, true, true), "httpVersion{HTTP/2 with prior knowledge}"},
		{"Protocols", protocols(false, true, false), ""},
		{"Protocols", protocols(false, false, true), ""},
	}
}

func tlsCases(t *testing.T) []carried {
	cert, key := testserver.LocalAuthority(t).Client(t, "me").Files(t)
	pair, err := tls.LoadX509KeyPair(cert, key)
	require.NoError(t, err)
	foreign := pair
	foreign.PrivateKey = struct{ crypto.Signer }{}
	fromBytes := ""
	certPEM, _ := os.ReadFile(cert)
	keyPEM, _ := os.ReadFile(key)
	if _, err := config.NewClient(config.ClientCertificateBytes(certPEM, keyPEM)); err == nil {
		fromBytes = "clientCertificate{"
	}
	return []carried{
		{"Certificates", []tls.Certificate{pair}, fromBytes},
		{"Certificates", []tls.Certificate{}, "-"},
		{"Certificates", []tls.Certificate{pair, pair}, ""},
		{"Certificates", []tls.Certificate{foreign}, ""},
		{"RootCAs", x509.NewCertPool(), ""},
		{"NextProtos", []string{"h2", "http/1.1"}, "-"},
		{"NextProtos", []string{"h3"}, ""},
		{"ServerName", "site.example", "tlsServerName{site.example}"},
		{"InsecureSkipVerify", true, "dangerAcceptInvalidCertificates{true} dangerAcceptInvalidHostnames{true}"},
		{"MinVersion", uint16(tls.VersionTLS13), "tlsVersions{TLS 1.3..}"},
		{"MinVersion", uint16(1), ""},
		{"MaxVersion", uint16(tls.VersionTLS12), "tlsVersions{..TLS 1.2}"},
		{"MaxVersion", uint16(tls.VersionTLS11), "tlsVersions{..} tlsVersions{..TLS 1.1}"},
		{"ClientSessionCache", tls.NewLRUClientSessionCache(1), "-"},
		{"NameToCertificate", map[string]*tls.Certificate{}, "-"},
		{"GetCertificate", func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return nil, nil }, "-"},
		{"GetConfigForClient", func(*tls.ClientHelloInfo) (*tls.Config, error) { return nil, nil }, "-"},
		{"ClientAuth", tls.RequestClientCert, "-"},
		{"ClientCAs", x509.NewCertPool(), "-"},
		{"PreferServerCipherSuites", true, "-"},
		{"SessionTicketKey", [32]byte{1}, "-"},
		{"EncryptedClientHelloKeys", []tls.EncryptedClientHelloKey{}, "-"},
		{"GetEncryptedClientHelloKeys", func(*tls.ClientHelloInfo) ([]tls.EncryptedClientHelloKey, error) { return nil, nil }, "-"},
		{"Rand", bytes.NewReader(nil), ""},
		{"Time", time.Now, ""},
		{"GetClientCertificate", func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return nil, nil }, ""},
		{"VerifyPeerCertificate", func([][]byte, [][]*x509.Certificate) error { return nil }, ""},
		{"VerifyConnection", func(tls.ConnectionState) error { return nil }, ""},
		{"CipherSuites", []uint16{1}, ""},
		{"CurvePreferences", []tls.CurveID{tls.X25519}, ""},
		{"SessionTicketsDisabled", true, "tlsSessionReuse{false}"},
		{"UnwrapSession", func([]byte, tls.ConnectionState) (*tls.SessionState, error) { return nil, nil }, ""},
		{"WrapSession", func(tls.ConnectionState, *tls.SessionState) ([]byte, error) { return nil, nil }, ""},
		{"DynamicRecordSizingDisabled", true, ""},
		{"Renegotiation", tls.RenegotiateOnceAsClient, ""},
		{"KeyLogWriter", io.Discard, ""},
		{"EncryptedClientHelloConfigList", []byte{1}, ""},
		{"EncryptedClientHelloRejectionVerify", func(tls.ConnectionState) error { return nil }, ""},
	}
}

func text(o config.ClientOption) string { return fmt.Sprint(o) }

// check sets one field of v, which is a part of tr, and looks at what comes out.
func (c carried) check(t *testing.T, tr *http.Transport, v reflect.Value, name string) {
	t.Helper()
	v.FieldByName(c.field).Set(reflect.ValueOf(c.value).Convert(v.FieldByName(c.field).Type()))
	opts, err := ratmom.FromTransport(tr)
	if c.want == "" {
		require.ErrorIs(t, err, ratmom.ErrUnsupported, "%s %v", name, c.value)
		assert.ErrorContains(t, err, name)
		assert.Nil(t, opts)
		return
	}
	require.NoError(t, err, name)
	got := bytes.Buffer{}
	for i, o := range opts {
		if i > 0 {
			got.WriteByte(' ')
		}
		got.WriteString(text(o))
	}
	want := c.want
	if want == "-" {
		want = ""
	}
	if c.field != "Proxy" {
		want = strings.TrimSpace("proxy{none} " + want)
	}
	if c.field == "Certificates" && c.want != "-" {
		assert.Contains(t, got.String(), want)
		return
	}
	assert.Equal(t, want, got.String(), name)
}

// A field that a later version of Go brings fails here, until somebody has said what
// becomes of it.
func TestFromTransport_knows_every_field(t *testing.T) {
	seen := func(cases []carried, typ reflect.Type) {
		names := map[string]bool{}
		for _, c := range cases {
			names[c.field] = true
		}
		for _, f := range reflect.VisibleFields(typ) {
			assert.True(t, !f.IsExported() || names[f.Name], "%s has no test here", f.Name)
		}
	}
	seen(transportCases(), reflect.TypeFor[http.Transport]())
	seen(tlsCases(t), reflect.TypeFor[tls.Config]())
	for _, f := range reflect.VisibleFields(reflect.TypeFor[http.HTTP2Config]()) {
		h2 := new(http.HTTP2Config)
		v := reflect.ValueOf(h2).Elem().FieldByIndex(f.Index)
		switch v.Kind() {
		case reflect.Int, reflect.Int64:
			v.SetInt(1)
		case reflect.Bool:
			v.SetBool(true)
		case reflect.Func:
			v.Set(reflect.ValueOf(func(string) {}))
		default:
			t.Errorf("HTTP2Config.%s is of a kind that is not known here", f.Name)
		}
		_, err := ratmom.FromTransport(&http.Transport{HTTP2: h2})
		if f.Name == "MaxConcurrentStreams" {
			assert.NoError(t, err)
		} else {
			assert.ErrorContains(t, err, "HTTP2."+f.Name)
		}
	}
}

func TestFromTransport_carries_each_field_over_or_names_it(t *testing.T) {
	for _, c := range transportCases() {
		tr := &http.Transport{}
		c.check(t, tr, reflect.ValueOf(tr).Elem(), "Transport."+c.field)
	}
	for _, c := range tlsCases(t) {
		tr := &http.Transport{TLSClientConfig: &tls.Config{}, ForceAttemptHTTP2: true}
		c.check(t, tr, reflect.ValueOf(tr.TLSClientConfig).Elem(), "TLSClientConfig."+c.field)
	}
	// All that is wrong is said at once.
	_, err := ratmom.FromTransport(nil)
	require.ErrorIs(t, err, ratmom.ErrUnsupported)
	_, err = ratmom.FromTransport(&http.Transport{TLSHandshakeTimeout: 1, MaxIdleConnsPerHost: 3})
	assert.ErrorContains(t, err, "TLSHandshakeTimeout")
	assert.ErrorContains(t, err, "MaxIdleConnsPerHost")
	// Where it bounds nothing that others do not bound.
	_, err = ratmom.FromTransport(&http.Transport{MaxIdleConns: 10, MaxIdleConnsPerHost: 10})
	assert.NoError(t, err)
	_, err = ratmom.FromTransport(&http.Transport{MaxConnsPerHost: 10, MaxIdleConnsPerHost: 20})
	assert.NoError(t, err)
}

func TestFromTransport_takes_the_default_and_its_clones(t *testing.T) {
	first := http.DefaultTransport.(*http.Transport)
	used := first.Clone()                                                                      // which net/http fills in with its HTTP/2
	_, err := used.RoundTrip(httptest.NewRequest(http.MethodGet, "https://127.0.0.1:1/", nil)) //nolint:bodyclose // there is none
	require.Error(t, err)
	for _, tr := range []*http.Transport{first, first.Clone(), used} {
		opts, err := ratmom.FromTransport(tr)
		require.NoError(t, err)
		var got []string
		for _, o := range opts {
			got = append(got, text(o))
		}
		assert.Contains(t, got, "proxy{environment}")
		assert.Contains(t, got, "connectTimeout{40s}")
		assert.Contains(t, got, "connectionCacheSize{100}")
		assert.Contains(t, got, "idleConnectionAge{1m30s}")
		assert.NotContains(t, got, "httpVersion{HTTP/1.1}")
	}
	opts, err := ratmom.FromTransport(&http.Transport{})
	require.NoError(t, err)
	assert.Len(t, opts, 1, "no proxy")
}

func TestFromTransport_takes_a_function_for_connections(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.Host) }))
	defer server.Close()
	tr := http.DefaultTransport.(*http.Transport).Clone()
	tr.Proxy = nil
	tr.DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, server.Listener.Addr().String())
	}
	opts, err := ratmom.FromTransport(tr)
	if !cgo.CanDial() {
		require.ErrorIs(t, err, ratmom.ErrUnsupported)
		require.ErrorContains(t, err, "http.Transport.DialContext")
		return
	}
	require.NoError(t, err)
	c, err := ratmom.New(opts...)
	require.NoError(t, err)
	defer c.Close()
	resp, err := c.Get("http://no.such.host.invalid/")
	require.NoError(t, err)
	got, err := resp.Text()
	require.NoError(t, err)
	assert.Equal(t, "no.such.host.invalid", got)
	assert.Contains(t, fmt.Sprint(opts), "connectTimeout{40s}")

	tr.Proxy = fixedProxy("https://p:1")
	_, err = ratmom.FromTransport(tr)
	assert.ErrorIs(t, err, ratmom.ErrUnsupported)
	assert.ErrorContains(t, err, "http.Transport.DialContext")
}

func TestFromTransport_makes_a_client_that_works_as_the_transport_does(t *testing.T) {
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, r.RequestURI+" "+r.Header.Get("Accept-Encoding"))
	}))
	defer proxy.Close()
	tr := &http.Transport{Proxy: fixedProxy(proxy.URL), DisableCompression: true}
	defer tr.CloseIdleConnections()
	opts, err := ratmom.FromTransport(tr)
	require.NoError(t, err)
	c, err := ratmom.New(opts...)
	require.NoError(t, err)
	defer c.Close()
	for _, rt := range []http.RoundTripper{tr, c.Transport()} {
		resp, err := (&http.Client{Transport: rt}).Get("http://site.example/a")
		require.NoError(t, err)
		b, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		assert.Equal(t, "http://site.example/a ", string(b))
	}
}
