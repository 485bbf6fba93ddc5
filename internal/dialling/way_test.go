package dialling

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/websocket"

	"github.com/ratmom/ratmom"
	"github.com/ratmom/ratmom/config"
	"github.com/ratmom/ratmom/internal/testserver"
)

// redirected tells the address that it was asked for and connects to another.
func redirected(dial dialFunc, to string, asked chan<- string) dialFunc {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		asked <- address
		return dial(ctx, network, to)
	}
}

func TestDial_makes_the_connection_to_a_proxy(t *testing.T) {
	kinds(t, func(t *testing.T, dial dialFunc) {
		plain := testserver.StartFunc(t, testserver.H1, func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.Host) })
		secure := testserver.Start(t, testserver.HTTPS1, testserver.Blob(5))
		proxy := testserver.StartProxy(t, testserver.Proxy{})
		socks := testserver.StartSOCKS(t, testserver.SOCKS{})
		asked := make(chan string, 9)
		for name, x := range map[string]struct{ to, option string }{
			"http":   {proxy.Addr, "http://proxy.invalid:3128"},
			"socks5": {socks.Addr, "socks5h://proxy.invalid:3128"},
		} {
			t.Run(name, func(t *testing.T) {
				c := newClient(t, config.Proxy(x.option), config.CAFile(secure.CAFile), config.IPVersion(config.IPv4), config.DialContext(redirected(dial, x.to, asked)))
				for i := range 3 {
					assert.Equal(t, plain.Addr, get(t, c, plain.URL))
					get(t, c, secure.URL)
					if i == 0 {
						assert.Equal(t, "proxy.invalid:3128", done(t, asked, "dial"))
						assert.Equal(t, "proxy.invalid:3128", done(t, asked, "dial"))
					}
				}
				assert.Empty(t, asked)
				// What would be for a socket of libcurl's does no harm.
				own := newClient(t, config.Proxy(x.option), config.LocalPort(1, 1), config.LocalAddress(netip.MustParseAddr("192.0.2.1")), config.DialContext(redirected(dial, x.to, asked)))
				assert.Equal(t, plain.Addr, get(t, own, plain.URL))
				assert.Equal(t, "proxy.invalid:3128", done(t, asked, "dial"))
				// Another function, or none, does not use these connections.
				get(t, c, plain.URL, config.DialContext(redirected(dial, x.to, asked)))
				assert.Equal(t, "proxy.invalid:3128", done(t, asked, "dial"))
				get(t, c, plain.URL, config.DialContext(nil), config.Proxy(""))
				assert.Empty(t, asked)
				// Nor does another proxy.
				get(t, c, plain.URL, config.Proxy(strings.Replace(x.option, "proxy", "second", 1)))
				assert.Equal(t, "second.invalid:3128", done(t, asked, "dial"))
			})
		}
		t.Run("http behind socks5", func(t *testing.T) {
			c := newClient(t, config.Proxy(proxy.URL), config.PreProxy("socks5h://proxy.invalid:1"), config.DialContext(redirected(dial, socks.Addr, asked)))
			assert.Equal(t, plain.Addr, get(t, c, plain.URL))
			assert.Equal(t, "proxy.invalid:1", done(t, asked, "dial"))
		})
	})
}

func TestDial_makes_the_connection_of_a_tunnel(t *testing.T) {
	address := listen(t, func(c net.Conn) {
		_, _ = io.WriteString(c, "hello\n") // speaks first
		_, _ = io.Copy(c, c)
		_, _ = io.WriteString(c, "goodbye\n")
	})
	proxy := testserver.StartProxy(t, testserver.Proxy{})
	kinds(t, func(t *testing.T, dial dialFunc) {
		asked := make(chan string, 9)
		c := newClient(t)
		for name, x := range map[string]struct {
			opts  []config.RequestOption
			asked string
		}{
			"straight": {[]config.RequestOption{config.DialContext(redirected(dial, address, asked))}, "far.invalid:7"},
			"by proxy": {[]config.RequestOption{config.DialContext(redirected(dial, proxy.Addr, asked)), config.Proxy("proxy.invalid:1")}, "proxy.invalid:1"},
		} {
			t.Run(name, func(t *testing.T) {
				to := address
				if name == "straight" {
					to = "far.invalid:7"
				}
				conn, err := c.Tunnel(t.Context(), to, x.opts...)
				require.NoError(t, err)
				assert.Equal(t, x.asked, done(t, asked, "dial"))
				require.NoError(t, conn.SetDeadline(time.Now().Add(soon)))
				_, err = io.WriteString(conn, "ping\n")
				require.NoError(t, err)
				if _, hides := conn.(interface{ CloseWrite() error }); assert.True(t, hides) {
					b := make([]byte, len("hello\nping\n"))
					_, err = io.ReadFull(conn, b)
					require.NoError(t, err)
					assert.Equal(t, "hello\nping\n", string(b))
				}
				require.NoError(t, conn.Close())
			})
		}
	})
	t.Run("half-closed", func(t *testing.T) {
		c := newClient(t, config.DialContext(func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := direct(ctx, network, address)
			if err != nil {
				return nil, err
			}
			return struct{ *net.TCPConn }{conn.(*net.TCPConn)}, nil
		}))
		conn, err := c.Tunnel(t.Context(), address)
		require.NoError(t, err)
		require.NoError(t, conn.SetDeadline(time.Now().Add(soon)))
		require.NoError(t, conn.(interface{ CloseWrite() error }).CloseWrite())
		all, err := io.ReadAll(conn)
		require.NoError(t, err)
		assert.Equal(t, "hello\ngoodbye\n", string(all))
		require.NoError(t, conn.Close())
	})
	t.Run("failed", func(t *testing.T) {
		c := newClient(t, config.DialContext(func(context.Context, string, string) (net.Conn, error) { return nil, errNoWay }))
		_, err := c.Tunnel(t.Context(), address)
		assert.ErrorIs(t, err, errNoWay)
		assert.ErrorIs(t, err, ratmom.ErrConnect)
	})
	t.Run("given up", func(t *testing.T) {
		ended := make(chan struct{})
		c := newClient(t, config.DialContext(func(ctx context.Context, _, _ string) (net.Conn, error) {
			<-ctx.Done()
			close(ended)
			return nil, ctx.Err()
		}))
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		_, err := c.Tunnel(ctx, address)
		assert.ErrorIs(t, err, context.DeadlineExceeded)
		done(t, ended, "the dial")
	})
}

func TestDial_makes_the_connection_of_a_WebSocket(t *testing.T) {
	testserver.Modes(t, func(t *testing.T, mode testserver.Mode) {
		s := testserver.Start(t, mode, websocket.Server{Handler: func(c *websocket.Conn) { _, _ = io.Copy(c, c) }})
		kinds(t, func(t *testing.T, dial dialFunc) {
			d := &counted{dial: dial}
			c := newClient(t, append(trust(s), d.option())...)
			w, err := c.WebSocket(t.Context(), "ws"+strings.TrimPrefix(s.URL, "http"))
			require.NoError(t, err)
			require.NoError(t, w.SetReadDeadline(time.Now().Add(soon)))
			require.NoError(t, w.Write(ratmom.TextMessage, []byte("hello")))
			_, got, err := w.Read()
			require.NoError(t, err)
			assert.Equal(t, "hello", string(got))
			assert.NoError(t, w.Close(1000, ""))
			assert.EqualValues(t, 1, d.calls.Load())
		})
	}, testserver.H1, testserver.HTTPS1)
}
