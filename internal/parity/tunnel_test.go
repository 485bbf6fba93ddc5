package parity

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/nettest"

	"github.com/ratmom/ratmom"
	"github.com/ratmom/ratmom/config"
	"github.com/ratmom/ratmom/internal/testserver"
)

// listener accepts connections on a loopback port; each is given to serve, which
// closes it.
func listener(t testing.TB, serve func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			serving.Go(func() { serve(c) })
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		serving.Wait()
	})
	return l.Addr().String()
}

// echo speaks first, sends back what it gets, and says goodbye at the end of it.
func echo(c net.Conn) {
	defer func() { _ = c.Close() }()
	if _, err := io.WriteString(c, "hello\n"); err != nil {
		return
	}
	if _, err := io.Copy(c, c); err != nil {
		return
	}
	_, _ = io.WriteString(c, "goodbye\n")
}

// trusting is an option that every TLS library has.
func trusting(t testing.TB, pem []byte) config.Option {
	t.Helper()
	file := filepath.Join(t.TempDir(), "ca.pem")
	require.NoError(t, os.WriteFile(file, pem, 0o600))
	return config.CAFile(file)
}

func tunnel(t testing.TB, c *ratmom.Client, addr string, opts ...config.RequestOption) net.Conn {
	t.Helper()
	conn, err := c.Tunnel(t.Context(), addr, opts...)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	require.NoError(t, conn.SetDeadline(time.Now().Add(4*soon)))
	return conn
}

func closeWrite(t testing.TB, c net.Conn) {
	t.Helper()
	require.NoError(t, c.(interface{ CloseWrite() error }).CloseWrite())
}

// way is a way to a server.
type way struct {
	name string
	opts func(testing.TB) []config.Option
	half bool // the end of one half is passed on; Squid and microsocks then close both
}

func ways() []way {
	one := func(o func(testing.TB) string) func(testing.TB) []config.Option {
		return func(t testing.TB) []config.Option { return []config.Option{config.Proxy(o(t))} }
	}
	return []way{
		{"direct", one(func(testing.TB) string { return "" }), true},
		{"http proxy", one(func(t testing.TB) string { return testserver.StartProxy(t, testserver.Proxy{}).URL }), true},
		{"https proxy", func(t testing.TB) []config.Option {
			p := testserver.StartProxy(t, testserver.Proxy{}, testserver.WithTLS())
			return []config.Option{config.Proxy(p.URL), trusting(t, p.CAPEM)}
		}, true},
		{"squid", one(func(t testing.TB) string { return testserver.Squid(t, testserver.NoAuth).URL }), false},
		{"squid over TLS", func(t testing.TB) []config.Option {
			s := testserver.Squid(t, testserver.NoAuth)
			return []config.Option{config.Proxy(s.TLSURL), config.CAFile(s.CAFile)}
		}, false},
		{"socks4", one(func(t testing.TB) string { return "socks4://" + testserver.Danted(t).Addr }), true},
		{"socks5h", one(func(t testing.TB) string { return "socks5h://" + testserver.MicroSOCKS(t, false).Addr }), false},
	}
}

// client makes one that goes this way.
func (w way) client(t testing.TB) *ratmom.Client {
	t.Helper()
	var opts []config.ClientOption
	for _, o := range w.opts(t) {
		opts = append(opts, o)
	}
	return newClient(t, opts...)
}

// talk sends text and checks what echo says, to the end if that can be asked for.
func (w way) talk(t testing.TB, conn net.Conn, text string) {
	t.Helper()
	var writing sync.WaitGroup
	defer writing.Wait()
	writing.Go(func() {
		_, err := io.WriteString(conn, text)
		assert.NoError(t, err)
		if w.half {
			closeWrite(t, conn)
		}
	})
	want := "hello\n" + text
	from := io.LimitReader(conn, int64(len(want)))
	if w.half {
		want += "goodbye\n"
		from = conn
	}
	got, err := io.ReadAll(from)
	if assert.NoError(t, err) && assert.Len(t, got, len(want)) {
		assert.Equal(t, want, string(got))
	}
}

func eachWay(t *testing.T, test func(t *testing.T, w way)) {
	for _, w := range ways() {
		t.Run(w.name, func(t *testing.T) { test(t, w) })
	}
}

func TestTunnel_carries_bytes_both_ways_and_ends_one_half(t *testing.T) {
	eachWay(t, func(t *testing.T, w way) {
		conn := tunnel(t, w.client(t), listener(t, echo))
		w.talk(t, conn, strings.Repeat("some bytes that come back again\n", 20000))
		require.NoError(t, conn.Close())
		require.Error(t, conn.Close(), "closed already")
		_, err := conn.Read(make([]byte, 1))
		require.ErrorIs(t, err, net.ErrClosed)
	})
}

func TestTunnel_is_a_net_Conn(t *testing.T) {
	for _, name := range []string{"direct", "https proxy"} {
		for _, w := range ways() {
			if w.name != name {
				continue
			}
			t.Run(name, func(t *testing.T) {
				c := w.client(t)
				nettest.TestConn(t, func() (c1, c2 net.Conn, stop func(), err error) {
					l, err := net.Listen("tcp", "127.0.0.1:0")
					if err != nil {
						return nil, nil, nil, err
					}
					defer func() { _ = l.Close() }()
					if c1, err = c.Tunnel(context.Background(), l.Addr().String()); err != nil {
						return nil, nil, nil, err
					}
					if c2, err = l.Accept(); err != nil {
						return nil, nil, nil, err
					}
					return c1, c2, func() { _, _ = c1.Close(), c2.Close() }, nil
				})
			})
		}
	}
}

func TestTunnel_many_at_once(t *testing.T) {
	const n = 100
	eachWay(t, func(t *testing.T, w way) {
		c, addr := w.client(t), listener(t, echo)
		var all sync.WaitGroup
		for range n {
			all.Go(func() {
				conn, err := c.Tunnel(t.Context(), addr)
				if !assert.NoError(t, err) {
					return
				}
				defer func() { _ = conn.Close() }()
				assert.NoError(t, conn.SetDeadline(time.Now().Add(6*soon)))
				w.talk(t, conn, "mine\n")
			})
		}
		all.Wait()
		require.Eventually(t, func() bool { return c.Stats().Requests == 0 }, soon, time.Millisecond)
	})
}

// flood writes until the other side is gone or stop is closed and counts the bytes.
func flood(w io.Writer) (n int64) {
	p := make([]byte, 64<<10)
	for {
		m, err := w.Write(p)
		n += int64(m)
		if err != nil {
			return n
		}
	}
}

func TestTunnel_that_is_not_read_stops_the_server(t *testing.T) {
	for _, w := range ways()[:3] {
		t.Run(w.name, func(t *testing.T) {
			blocked := make(chan int64, 1)
			addr := listener(t, func(c net.Conn) {
				defer func() { _ = c.Close() }()
				_ = c.SetWriteDeadline(time.Now().Add(time.Second))
				blocked <- flood(c)
			})
			c := w.client(t)
			conn := tunnel(t, c, addr)
			n := done(t, blocked, "the server is stopped")
			assert.Less(t, n, int64(64<<20))
			got, err := io.Copy(io.Discard, conn)
			require.NoError(t, err)
			assert.Equal(t, n, got)
		})
	}
}

func TestTunnel_write_that_nobody_reads_waits_until_its_deadline(t *testing.T) {
	for _, w := range ways()[:3] {
		t.Run(w.name, func(t *testing.T) {
			stop := make(chan struct{})
			addr := listener(t, func(c net.Conn) {
				<-stop
				_ = c.Close()
			})
			defer close(stop)
			conn := tunnel(t, w.client(t), addr)
			require.NoError(t, conn.SetWriteDeadline(time.Now().Add(300*time.Millisecond)))
			n := flood(conn)
			assert.Less(t, n, int64(64<<20))
			_, err := conn.Write(make([]byte, 1))
			require.ErrorIs(t, err, os.ErrDeadlineExceeded)
			var timeout net.Error
			require.ErrorAs(t, err, &timeout)
			assert.True(t, timeout.Timeout())
		})
	}
}

func TestTunnel_bytes_written_before_Close_arrive(t *testing.T) {
	for _, w := range ways()[:3] {
		t.Run(w.name, func(t *testing.T) {
			got := make(chan int, 1)
			addr := listener(t, func(c net.Conn) {
				p, _ := io.ReadAll(c)
				got <- len(p)
				_ = c.Close()
			})
			c := w.client(t)
			conn := tunnel(t, c, addr)
			_, err := conn.Write(make([]byte, 100<<10))
			require.NoError(t, err)
			require.NoError(t, conn.Close())
			assert.Equal(t, 100<<10, done(t, got, "the server got the bytes"))
			require.Eventually(t, func() bool { return c.Stats().Requests == 0 }, soon, time.Millisecond)
		})
	}
}

func TestTunnel_tells_its_addresses(t *testing.T) {
	seen := make(chan string, 1)
	addr := listener(t, func(c net.Conn) {
		seen <- c.RemoteAddr().String()
		_ = c.Close()
	})
	conn := tunnel(t, newClient(t), addr)
	assert.Equal(t, addr, conn.RemoteAddr().String())
	assert.Equal(t, done(t, seen, "the server sees it"), conn.LocalAddr().String())
	assert.Equal(t, "tcp", conn.RemoteAddr().Network())

	p := testserver.StartProxy(t, testserver.Proxy{}, testserver.WithTLS())
	conn = tunnel(t, newClient(t, trusting(t, p.CAPEM)), addr, config.Proxy(p.URL))
	assert.Equal(t, p.Addr, conn.RemoteAddr().String())
}

func TestTunnel_goes_through_a_proxy_with_credentials(t *testing.T) {
	addr := listener(t, echo)
	for _, auth := range []testserver.Auth{testserver.BasicAuth, testserver.DigestAuth, testserver.NTLMAuth} {
		t.Run(string(auth), func(t *testing.T) {
			p := testserver.StartProxy(t, testserver.Proxy{Auth: auth})
			credentials := map[testserver.Auth]func(user, password string) config.Option{
				testserver.BasicAuth: config.ProxyBasicAuth, testserver.DigestAuth: config.ProxyDigestAuth, testserver.NTLMAuth: config.ProxyNTLMAuth,
			}[auth]
			c := newClient(t, config.Proxy(p.URL), credentials(testserver.User, testserver.Password))
			conn := tunnel(t, c, addr)
			p5 := make([]byte, 6)
			_, err := io.ReadFull(conn, p5)
			require.NoError(t, err)
			assert.Equal(t, "hello\n", string(p5))

			_, err = c.Tunnel(t.Context(), addr, credentials(testserver.User, "wrong"))
			if auth == testserver.NTLMAuth {
				return // takes any password
			}
			require.ErrorIs(t, err, ratmom.ErrProxy)
			var e *ratmom.Error
			require.ErrorAs(t, err, &e)
			assert.Equal(t, http.StatusProxyAuthRequired, e.ProxyStatus)
		})
	}
}

func TestTunnel_failures_have_their_kinds(t *testing.T) {
	refusing := testserver.StartProxy(t, testserver.Proxy{Refuse: func(*http.Request) int { return http.StatusForbidden }})
	refusingTLS := testserver.StartProxy(t, testserver.Proxy{Refuse: func(*http.Request) int { return http.StatusForbidden }}, testserver.WithTLS())
	silent := testserver.StartProxy(t, testserver.Proxy{ConnectHang: true})
	closing := testserver.Raw(t, testserver.CloseAtOnce())
	dead := deadProxy(t)
	c := newClient(t)
	for _, f := range []struct {
		name   string
		addr   string
		kind   error
		status int
		opts   []config.RequestOption
	}{
		{"refused by the server", dead, ratmom.ErrConnect, 0, nil},
		{"no such host", "no-such-host.invalid:80", ratmom.ErrNameResolution, 0, nil},
		{"refused by the proxy", dead, ratmom.ErrProxy, 403, []config.RequestOption{config.Proxy(refusing.URL)}},
		{"refused over TLS", dead, ratmom.ErrProxy, 403, []config.RequestOption{config.Proxy(refusingTLS.URL), trusting(t, refusingTLS.CAPEM)}},
		{"TLS not trusted", dead, ratmom.ErrCertificateVerification, 0, []config.RequestOption{config.Proxy(refusingTLS.URL)}},
		{"no TLS", dead, ratmom.ErrTLS, 0, []config.RequestOption{config.Proxy("https://" + refusing.Addr)}},
		{"proxy that hangs up", dead, ratmom.ErrProxy, 0, []config.RequestOption{config.Proxy("http://" + closing.Addr)}},
		{"no proxy there", dead, ratmom.ErrConnect, 0, []config.RequestOption{config.Proxy("http://" + dead)}},
		{"socks server refuses", dead, ratmom.ErrProxy, 0, []config.RequestOption{config.Proxy("socks5://" + testserver.MicroSOCKS(t, true).Addr)}},
		{"silent proxy, total time", dead, ratmom.ErrTimeout, 0, []config.RequestOption{config.Proxy(silent.URL), config.Timeout(50 * time.Millisecond)}},
		{"silent proxy, time to connect", dead, ratmom.ErrTimeout, 0, []config.RequestOption{config.Proxy(silent.URL), config.ConnectTimeout(50 * time.Millisecond)}},
		{"no port", "localhost", ratmom.ErrInvalidRequest, 0, nil},
		{"named port", "localhost:http", ratmom.ErrInvalidRequest, 0, nil},
		{"port 0", "localhost:0", ratmom.ErrInvalidRequest, 0, nil},
		{"no host", ":80", ratmom.ErrInvalidRequest, 0, nil},
		{"line break", "local\r\nhost:80", ratmom.ErrInvalidRequest, 0, nil},
		{"slash", "local/host:80", ratmom.ErrInvalidRequest, 0, nil},
		{"userinfo", "me@localhost:80", ratmom.ErrInvalidRequest, 0, nil},
	} {
		t.Run(f.name, func(t *testing.T) {
			conn, err := c.Tunnel(t.Context(), f.addr, f.opts...)
			if err == nil {
				_ = conn.Close()
			}
			require.ErrorIs(t, err, f.kind)
			var e *ratmom.Error
			require.ErrorAs(t, err, &e)
			assert.Equal(t, f.status, e.ProxyStatus)
		})
	}
}

func TestTunnel_is_given_up_with_its_context(t *testing.T) {
	silent := testserver.StartProxy(t, testserver.Proxy{ConnectHang: true})
	c := newClient(t, config.Proxy(silent.URL))
	ctx, cancel := context.WithCancel(t.Context())
	failed := make(chan error, 1)
	go func() {
		_, err := c.Tunnel(ctx, "127.0.0.1:9")
		failed <- err
	}()
	require.Eventually(t, func() bool { return len(silent.Requests()) > 0 }, soon, time.Millisecond)
	cancel()
	require.ErrorIs(t, done(t, failed, "it is given up"), context.Canceled)
	require.Eventually(t, func() bool { return c.Stats().Requests == 0 }, soon, time.Millisecond)

	_, err := c.Tunnel(ctx, "127.0.0.1:9")
	require.ErrorIs(t, err, context.Canceled)
}

func TestTunnel_outlives_its_context_and_its_time_limit(t *testing.T) {
	for _, w := range ways()[:3] {
		t.Run(w.name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), soon)
			conn, err := w.client(t).Tunnel(ctx, listener(t, echo), config.Timeout(300*time.Millisecond))
			require.NoError(t, err)
			defer func() { _ = conn.Close() }()
			cancel()
			require.NoError(t, conn.SetReadDeadline(time.Now().Add(600*time.Millisecond)))
			got, err := io.ReadAll(conn)
			require.ErrorIs(t, err, os.ErrDeadlineExceeded)
			assert.Equal(t, "hello\n", string(got))
			require.NoError(t, conn.SetReadDeadline(time.Time{}))
			closeWrite(t, conn)
			got, err = io.ReadAll(conn)
			require.NoError(t, err)
			assert.Equal(t, "goodbye\n", string(got))
		})
	}
}

func TestTunnel_ends_with_its_client(t *testing.T) {
	for _, w := range ways()[:3] {
		t.Run(w.name, func(t *testing.T) {
			c := w.client(t)
			conn := tunnel(t, c, listener(t, echo))
			_, err := io.ReadFull(conn, make([]byte, 6))
			require.NoError(t, err)
			reading := make(chan error, 1)
			go func() {
				_, err := conn.Read(make([]byte, 1))
				reading <- err
			}()
			require.NoError(t, c.Close())
			require.ErrorIs(t, done(t, reading, "the read ends"), ratmom.ErrClosed)
			_, err = conn.Write([]byte("x"))
			require.ErrorIs(t, err, ratmom.ErrClosed)
			require.ErrorIs(t, conn.SetDeadline(time.Now()), ratmom.ErrClosed)
			_, err = c.Tunnel(t.Context(), "127.0.0.1:9")
			require.ErrorIs(t, err, ratmom.ErrClosed)
		})
	}
}

func TestTunnel_lives_through_CloseIdleConnections_and_other_requests(t *testing.T) {
	s := testserver.Start(t, testserver.H1, testserver.Blob(10))
	eachWay(t, func(t *testing.T, w way) {
		c := w.client(t)
		conn := tunnel(t, c, listener(t, echo))
		for range 3 {
			get(t, c, s.URL)
			c.CloseIdleConnections()
		}
		w.talk(t, conn, "and more")
	})
}

func TestTunnel_that_breaks_says_so(t *testing.T) {
	addr := listener(t, func(c net.Conn) {
		_, _ = io.Copy(io.Discard, io.LimitReader(c, 1))
		_, _ = c.Write(make([]byte, 1<<20))
		_ = c.Close()
	})
	for _, options := range [][]testserver.Option{nil, {testserver.WithTLS()}} {
		p := testserver.StartProxy(t, testserver.Proxy{CutAfter: 1000}, options...)
		opts := []config.ClientOption{config.Proxy(p.URL)}
		if options != nil {
			opts = append(opts, trusting(t, p.CAPEM))
		}
		conn := tunnel(t, newClient(t, opts...), addr)
		_, err := conn.Write([]byte("x"))
		require.NoError(t, err)
		_, err = io.Copy(io.Discard, conn)
		require.Error(t, err)
		require.False(t, errors.Is(err, os.ErrDeadlineExceeded), err)
	}
}

func TestTunnel_that_nobody_holds_ends(t *testing.T) {
	for _, w := range ways()[:3] {
		t.Run(w.name, func(t *testing.T) {
			ended := make(chan struct{})
			addr := listener(t, func(c net.Conn) {
				_, _ = io.Copy(io.Discard, c)
				_ = c.Close()
				close(ended)
			})
			c := w.client(t)
			_, err := c.Tunnel(t.Context(), addr)
			require.NoError(t, err)
			require.Eventually(t, func() bool {
				collect()
				select {
				case <-ended:
					return true
				default:
					return false
				}
			}, 2*soon, 10*time.Millisecond)
			require.Eventually(t, func() bool { return c.Stats().Requests == 0 }, soon, time.Millisecond)
		})
	}
}
