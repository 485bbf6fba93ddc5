package parity

import (
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom"
	"github.com/ratmom/ratmom/config"
	"github.com/ratmom/ratmom/internal/testserver"
)

func TestHole_many_requests_at_once(t *testing.T) {
	testserver.Modes(t, func(t *testing.T, mode testserver.Mode) {
		s := testserver.StartFunc(t, mode, func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.WriteString(w, r.URL.Path)
		})
		c := modeClient(t, s)
		var all sync.WaitGroup
		for i := range 100 {
			path := fmt.Sprintf("/%d", i)
			f := c.SendAsync(newRequest(t, "GET", s.URL+path, nil))
			all.Go(func() {
				resp, err := f.Result()
				if assert.NoError(t, err) {
					text, err := resp.Text()
					assert.NoError(t, err)
					assert.Equal(t, path, text)
				}
				resp, err = c.Get(s.URL + path)
				if assert.NoError(t, err) {
					text, err := resp.Text()
					assert.NoError(t, err)
					assert.Equal(t, path, text)
				}
			})
		}
		all.Wait()
	})
}

func TestHole_connections_are_used_again(t *testing.T) {
	testserver.Modes(t, func(t *testing.T, mode testserver.Mode) {
		s := testserver.StartFunc(t, mode, func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(w, r.Body)
		})
		c := modeClient(t, s)
		for range 5 {
			get(t, c, s.URL)
			send(t, c, newRequest(t, "POST", s.URL, strings.NewReader("hello")))
		}
		if mode == testserver.H2C && strings.HasPrefix(libcurl(), "7.") {
			return // there each request gets a connection, see config.HTTPVersion
		}
		assert.Equal(t, 1, s.Accepted())
	})
}

func TestHole_a_cache_of_size_0_keeps_no_connection(t *testing.T) {
	m := testserver.MockReply(t)
	c := newClient(t, config.ConnectionCacheSize(0))
	for i := range 3 {
		get(t, c, m.URL)
		closed(t, m.Endpoint)
		assert.Equal(t, i+1, m.Accepted())
	}
}

func TestHole_connections_are_limited(t *testing.T) {
	for name, opts := range map[string][]config.ClientOption{
		"per host":                      {config.MaxConnectionsPerHost(2)},
		"in all":                        {config.MaxConnections(2)},
		"per host, over several agents": {config.MaxConnectionsPerHost(2), config.Agents(4)},
		"in all, over several agents":   {config.MaxConnections(2), config.Agents(4)},
	} {
		t.Run(name, func(t *testing.T) {
			hold := make(chan struct{})
			m := testserver.MockReply(t, testserver.Reply{Hold: hold})
			c := newClient(t, opts...)
			futures := make([]*ratmom.Future, 20)
			for i := range futures {
				futures[i] = c.SendAsync(newRequest(t, "GET", m.URL, nil))
			}
			require.True(t, m.WaitAccepted(1, soon))
			c.Stats() // every agent has seen its share
			close(hold)
			for _, f := range futures {
				resp, err := f.Wait(t.Context())
				require.NoError(t, err)
				require.NoError(t, resp.Discard())
			}
			assert.LessOrEqual(t, m.Accepted(), 2)
			assert.Len(t, m.Requests(), 20)
		})
	}
}

func TestHole_names_are_mapped(t *testing.T) {
	m := testserver.MockReply(t)
	port := m.Port()
	hosts := map[string][]netip.Addr{
		fmt.Sprintf("one.test:%d", port): {netip.MustParseAddr("127.0.0.1")},
		fmt.Sprintf("two.test:%d", port): {netip.IPv6Loopback(), netip.MustParseAddr("127.0.0.1")},
	}
	// Not even a cache that keeps nothing forgets them.
	for _, cache := range []config.ClientOption{nil, config.DNSCacheTimeout(0), config.DNSCacheTimeout(1), config.DNSCacheForever()} {
		c := newClient(t, config.Resolve(hosts), cache)
		for _, name := range []string{"one.test", "two.test"} {
			for range 2 {
				resp, _ := get(t, c, fmt.Sprintf("http://%s:%d/", name, port))
				assert.Equal(t, m.AddrPort(), resp.RemoteAddr())
			}
		}
	}
	assert.Equal(t, fmt.Sprintf("one.test:%d", port), m.Requests()[0].Get("Host"))
}

func TestHole_connections_leave_from_the_address_or_interface_asked_for(t *testing.T) {
	m := testserver.MockReply(t)
	resp, _ := get(t, newClient(t), m.URL, config.LocalAddress(netip.MustParseAddr("127.0.0.2")))
	assert.Equal(t, "127.0.0.2", resp.LocalAddr().Addr().String())
	assert.Equal(t, resp.LocalAddr(), m.Request().RemoteAddr)
	get(t, newClient(t), m.URL, config.Interface("lo"))
	err := failed(t, newClient(t), newRequest(t, "GET", m.URL, nil), config.Interface("nope0"))
	assert.ErrorIs(t, err, ratmom.ErrLocal)
}

func TestHole_keep_alive_probes_are_the_systems(t *testing.T) {
	m := testserver.MockReply(t)
	for _, on := range []bool{true, false} {
		opts := []config.RequestOption{config.FreshConnection()}
		if on {
			opts = append(opts, config.TCPKeepAlive(50*time.Second, 10*time.Second))
		}
		resp, _ := get(t, newClient(t), m.URL, opts...)
		port, to := resp.LocalAddr().Port(), resp.RemoteAddr().Port()
		if !on {
			assert.False(t, probed(t, port, to))
			continue
		}
		// Until the last segment is acknowledged, the kernel shows that timer.
		for deadline := after(soon); !probed(t, port, to); runtime.Gosched() {
			select {
			case <-deadline:
				require.FailNow(t, "no keep-alive timer")
			default:
			}
		}
	}
}

// probed reports whether the kernel has a keep-alive timer on our end of a
// connection: timer 2 in its table.
func probed(t *testing.T, port, to uint16) bool {
	t.Helper()
	table, err := os.ReadFile("/proc/self/net/tcp")
	require.NoError(t, err)
	for line := range strings.Lines(string(table)) {
		// Others may have or have had the same port, to elsewhere: established is 01.
		f := strings.Fields(line)
		if len(f) > 5 && f[3] == "01" && strings.HasSuffix(f[1], fmt.Sprintf(":%04X", port)) && strings.HasSuffix(f[2], fmt.Sprintf(":%04X", to)) {
			return strings.HasPrefix(f[5], "02:")
		}
	}
	require.FailNow(t, "the connection is not there")
	return false
}

func TestHole_speeds_are_limited(t *testing.T) {
	const size, speed = 384 << 10, 512 << 10
	s := testserver.Start(t, testserver.H1, testserver.Blob(size))
	sink := testserver.Start(t, testserver.H1, testserver.Sink())
	t.Run("down", func(t *testing.T) {
		start := time.Now()
		_, text := get(t, newClient(t), s.URL, config.MaxDownloadSpeed(speed))
		assert.Len(t, text, size)
		assert.Greater(t, time.Since(start), 300*time.Millisecond)
	})
	t.Run("up", func(t *testing.T) {
		start := time.Now()
		_, text := send(t, newClient(t), newRequest(t, "POST", sink.URL, unknownLength{testserver.Pattern(size)}), config.MaxUploadSpeed(speed))
		assert.Equal(t, fmt.Sprint(size), text)
		assert.Greater(t, time.Since(start), 300*time.Millisecond)
	})
}

func TestHole_a_slow_server_is_given_up(t *testing.T) {
	s := testserver.Raw(t, testserver.HeadThenNothing())
	start := time.Now()
	resp := open(t, newClient(t), newRequest(t, "GET", s.URL, nil), config.LowSpeed(1000, time.Second))
	_, err := io.ReadAll(resp.Body)
	timedOut(t, err, start, time.Second)
}

func TestHole_HTTP2_is_spoken(t *testing.T) {
	t.Run("with Go, many streams on one connection", func(t *testing.T) {
		gate := testserver.NewGate()
		s := testserver.Start(t, testserver.H2, testserver.Hold(gate, testserver.Echo()))
		c := modeClient(t, s)
		futures := make([]*ratmom.Future, 50)
		for i := range futures {
			futures[i] = c.SendAsync(newRequest(t, "POST", s.URL, strings.NewReader(fmt.Sprint(i))))
		}
		require.True(t, gate.WaitArrived(50, soon))
		gate.Open()
		for i, f := range futures {
			resp, err := f.Wait(t.Context())
			require.NoError(t, err)
			assert.Equal(t, "HTTP/2.0", resp.Proto)
			text, err := resp.Text()
			require.NoError(t, err)
			assert.Equal(t, fmt.Sprint(i), text)
		}
		assert.Equal(t, 1, s.Accepted())
	})
	t.Run("with nginx", func(t *testing.T) {
		n := testserver.Nginx(t)
		resp, text := get(t, newClient(t, config.CAFile(n.CAFile)), n.TLSURL+"/hello.txt")
		assert.Equal(t, "HTTP/2.0", resp.Proto)
		assert.Equal(t, testserver.Hello, text)
		resp, text = get(t, newClient(t, config.HTTPVersion(config.HTTP2PriorKnowledge)), n.H2CURL+"/hello.txt")
		assert.Equal(t, "HTTP/2.0", resp.Proto)
		assert.Equal(t, testserver.Hello, text)
		resp, _ = get(t, newClient(t, config.CAFile(n.CAFile), config.HTTPVersion(config.HTTP11)), n.TLSURL+"/hello.txt")
		assert.Equal(t, "HTTP/1.1", resp.Proto)
	})
	t.Run("but not with who does not", func(t *testing.T) {
		s := testserver.Start(t, testserver.HTTPS1, testserver.Echo())
		resp, _ := get(t, modeClient(t, s, config.HTTPVersion(config.HTTP2)), s.URL)
		assert.Equal(t, "HTTP/1.1", resp.Proto)
	})
}

func TestHole_client_certificates(t *testing.T) {
	a := testserver.LocalAuthority(t)
	cert := a.Client(t, "me")
	certFile, keyFile := cert.Files(t)
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		m := tlsMock(t, testserver.WithClientCertificates(a), testserver.WithTLSVersions(version, version))
		c := newClient(t, config.CAFile(m.CAFile))
		resp, err := c.Send(newRequest(t, "GET", m.URL, nil))
		if err == nil {
			err = resp.Discard()
		}
		require.Error(t, err)
		for _, opt := range []config.RequestOption{
			config.ClientCertificate(certFile, keyFile), config.ClientCertificateBytes(cert.CertPEM, cert.KeyPEM),
		} {
			get(t, newClient(t, config.CAFile(m.CAFile)), m.URL, opt)
		}
		require.NotEmpty(t, m.Requests())
		assert.Equal(t, "me", m.Requests()[0].TLS.PeerCertificates[0].Subject.CommonName)
	}
}

func TestHole_trust_is_in_whom_it_is_put(t *testing.T) {
	m := tlsMock(t)
	other := testserver.NewAuthority(t)
	for name, opt := range map[string]config.ClientOption{"a file": config.CAFile(m.CAFile), "bytes": config.CABytes(m.CAPEM)} {
		t.Run(name, func(t *testing.T) { get(t, newClient(t, opt), m.URL) })
	}
	for name, opt := range map[string]config.ClientOption{"another's file": config.CAFile(other.File(t)), "another's bytes": config.CABytes(other.PEM)} {
		t.Run(name, func(t *testing.T) {
			c := newClient(t, opt)
			err := failed(t, c, newRequest(t, "GET", m.URL, nil))
			assert.ErrorIs(t, err, ratmom.ErrCertificateVerification)
			// Nor does a connection that others trust serve who does not.
			get(t, c, m.URL, config.CAFile(m.CAFile))
			err = failed(t, c, newRequest(t, "GET", m.URL, nil))
			assert.ErrorIs(t, err, ratmom.ErrCertificateVerification)
		})
	}
}

func TestHole_proxies_of_all_kinds(t *testing.T) {
	plain := testserver.MockReply(t, testserver.Text(200, "ok"))
	secure := testserver.NewMock(t, func(*testserver.Request) testserver.Reply { return testserver.Text(200, "ok") }, testserver.WithTLS())
	userinfo := strings.NewReplacer(" ", "%20", "ä", "%C3%A4").Replace("alice:open sesame: ä@")
	squid := testserver.Squid(t, testserver.NoAuth)
	for name, opts := range map[string][]config.ClientOption{
		"http":                     {config.Proxy(squid.URL)},
		"https":                    {config.Proxy(squid.TLSURL)},
		"socks5":                   {config.Proxy("socks5://" + testserver.Danted(t).Addr)},
		"socks5h":                  {config.Proxy("socks5h://" + testserver.MicroSOCKS(t, false).Addr)},
		"socks5 with credentials":  {config.Proxy("socks5://" + userinfo + testserver.MicroSOCKS(t, true).Addr)},
		"http with Basic":          {config.Proxy(strings.Replace(testserver.Squid(t, testserver.BasicAuth).URL, "://", "://"+userinfo, 1))},
		"http with Basic, options": {config.Proxy(testserver.Squid(t, testserver.BasicAuth).URL), config.ProxyBasicAuth(testserver.User, testserver.Password)},
		"http with Digest":         {config.Proxy(testserver.Squid(t, testserver.DigestAuth).URL), config.ProxyDigestAuth(testserver.User, testserver.Password)},
		"http with any auth":       {config.Proxy(testserver.Squid(t, testserver.DigestAuth).URL), config.ProxyAnyAuth(testserver.User, testserver.Password)},
		"http with NTLM":           {config.Proxy(testserver.StartProxy(t, testserver.Proxy{Auth: testserver.NTLMAuth}).URL), config.ProxyNTLMAuth(testserver.User, testserver.Password)},
	} {
		t.Run(name, func(t *testing.T) {
			c := newClient(t, append([]config.ClientOption{config.CAFile(secure.CAFile)}, opts...)...)
			for _, url := range []string{plain.URL, secure.URL} {
				resp, text := get(t, c, url)
				assert.Equal(t, 200, resp.StatusCode)
				assert.Equal(t, "ok", text)
			}
		})
	}
}

func TestHole_digest_answers_a_challenge(t *testing.T) {
	apache := testserver.Apache(t)
	c := newClient(t, config.DigestAuth(testserver.User, testserver.Password))
	for range 2 {
		resp, text := get(t, c, apache.URL+"/digest/hello.txt")
		assert.Equal(t, 200, resp.StatusCode)
		assert.Equal(t, testserver.Hello, text)
	}
	resp, _ := get(t, c, apache.URL+"/digest/hello.txt", config.DigestAuth(testserver.User, "wrong"))
	assert.Equal(t, 401, resp.StatusCode)
	resp, _ = get(t, c, apache.URL+"/digest/hello.txt", config.NoAuth())
	assert.Equal(t, 401, resp.StatusCode)
}

// libcurl is the version of the library.
func libcurl() string { return cgoVersion() }
