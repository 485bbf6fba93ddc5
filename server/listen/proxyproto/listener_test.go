package proxyproto

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom/internal/testserver"
)

const patience = 20 * time.Second

var loopback = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}

// listen wraps a TCP listener on the loopback interface that closes with the test.
func listen(t testing.TB, c Config) *Listener {
	t.Helper()
	if c.Trusted == nil {
		c.Trusted = loopback
	}
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	l, err := Listen(tcp, c)
	require.NoError(t, err)
	t.Cleanup(func() { _ = l.Close() })
	return l
}

// dial connects and sends; the connection closes with the test.
func dial(t testing.TB, l net.Listener, bytes string) net.Conn {
	t.Helper()
	c, err := net.Dial(l.Addr().Network(), l.Addr().String())
	require.NoError(t, err)
	t.Cleanup(func() { _ = c.Close() })
	require.NoError(t, c.SetDeadline(time.Now().Add(patience)))
	_, err = io.WriteString(c, bytes)
	require.NoError(t, err)
	return c
}

func accept(t testing.TB, l net.Listener) net.Conn {
	t.Helper()
	c, err := l.Accept()
	require.NoError(t, err)
	t.Cleanup(func() { _ = c.Close() })
	require.NoError(t, c.SetDeadline(time.Now().Add(patience)))
	return c
}

// accepting accepts until the listener closes.
func accepting(t testing.TB, l net.Listener) <-chan net.Conn {
	conns := make(chan net.Conn, 100)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			conns <- c
		}
	}()
	t.Cleanup(func() {
		_ = l.Close()
		<-done
		close(conns)
		for c := range conns {
			_ = c.Close()
		}
	})
	return conns
}

func assertClosed(t testing.TB, c net.Conn) {
	t.Helper()
	_, err := c.Read(make([]byte, 1))
	assert.True(t, errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET), "%v", err)
}

func TestListener_gives_the_addresses_and_the_bytes_behind_the_header(t *testing.T) {
	l := listen(t, Config{})
	for _, header := range []string{"PROXY TCP4 1.2.3.4 5.6.7.8 4096 443\r\n", v2(1, 0x11, in4, tlv(TypeAuthority, "a.test"))} {
		client := dial(t, l, header+"hello ")
		c := accept(t, l)
		assert.Equal(t, "1.2.3.4:4096", c.RemoteAddr().String())
		assert.Equal(t, "5.6.7.8:443", c.LocalAddr().String())
		_, err := io.WriteString(client, "world")
		require.NoError(t, err)
		require.NoError(t, client.(*net.TCPConn).CloseWrite())
		said, err := io.ReadAll(c)
		require.NoError(t, err)
		assert.Equal(t, "hello world", string(said))
		require.NotNil(t, FromConn(c))
		assert.Equal(t, client.LocalAddr(), c.(*Conn).NetConn().RemoteAddr())

		// What the connection within can do is still there.
		n, err := io.Copy(c, strings.NewReader("answer"))
		require.NoError(t, err)
		assert.EqualValues(t, 6, n)
		require.NoError(t, c.(interface{ CloseWrite() error }).CloseWrite())
		answer, err := io.ReadAll(client)
		require.NoError(t, err)
		assert.Equal(t, "answer", string(answer))
	}
}

func TestListener_takes_a_header_that_comes_byte_by_byte(t *testing.T) {
	l := listen(t, Config{})
	conns := accepting(t, l)
	for _, header := range []string{
		"PROXY TCP4 1.2.3.4 5.6.7.8 4096 443\r\n",
		v2(1, 0x11, in4, tlv(0xe0, strings.Repeat("x", 3000))),
	} {
		client := dial(t, l, "")
		for i := range len(header) {
			_, err := io.WriteString(client, header[i:i+1])
			require.NoError(t, err)
		}
		c := <-conns
		assert.Equal(t, "1.2.3.4:4096", c.RemoteAddr().String())
		_ = c.Close()
	}
}

func TestListener_keeps_the_own_addresses_when_the_proxy_names_none(t *testing.T) {
	l := listen(t, Config{})
	for _, header := range []string{"PROXY UNKNOWN\r\n", v2(0, 0), v2(1, 0)} {
		client := dial(t, l, header)
		c := accept(t, l)
		assert.Equal(t, client.LocalAddr().String(), c.RemoteAddr().String())
		assert.Equal(t, l.Addr().String(), c.LocalAddr().String())
		assert.True(t, FromConn(c).Local)
	}
}

func TestListener_believes_trusted_networks_only(t *testing.T) {
	others := []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}
	const header = "PROXY TCP4 1.2.3.4 5.6.7.8 4096 443\r\n"
	t.Run("others pass and their bytes are their own", func(t *testing.T) {
		l := listen(t, Config{Trusted: others})
		client := dial(t, l, header)
		c := accept(t, l)
		assert.Equal(t, client.LocalAddr().String(), c.RemoteAddr().String())
		assert.Nil(t, FromConn(c))
		b := make([]byte, len(header))
		_, err := io.ReadFull(c, b)
		require.NoError(t, err)
		assert.Equal(t, header, string(b))
	})
	t.Run("others are refused", func(t *testing.T) {
		reports := make(chan error, 1)
		l := listen(t, Config{Trusted: others, RefuseOthers: true, Report: func(_ net.Addr, err error) { reports <- err }})
		accepting(t, l)
		assertClosed(t, dial(t, l, ""))
		assert.ErrorIs(t, <-reports, ErrUntrusted)
	})
	t.Run("unix sockets", func(t *testing.T) {
		for _, trust := range []bool{false, true} {
			u, err := net.Listen("unix", filepath.Join(t.TempDir(), "s"))
			require.NoError(t, err)
			l, err := Listen(u, Config{TrustUnix: trust, Trusted: others})
			require.NoError(t, err)
			dial(t, l, header)
			c := accept(t, l)
			assert.Equal(t, trust, FromConn(c) != nil)
			require.NoError(t, l.Close())
		}
	})
}

func TestListener_refuses_a_connection_without_a_good_header(t *testing.T) {
	type report struct {
		from net.Addr
		err  error
	}
	for name, c := range map[string]struct {
		bytes    string
		optional bool
		want     error
	}{
		"none":                      {"GET / HTTP/1.1\r\n\r\n", false, ErrNoHeader},
		"malformed":                 {"PROXY TCP4 x\r\n", false, ErrMalformed},
		"malformed though optional": {"PROXY TCP4 x\r\n", true, ErrMalformed},
		"too long":                  {string(signature2) + "\x21\x11\xff\xff", true, ErrMalformed},
	} {
		t.Run(name, func(t *testing.T) {
			reports := make(chan report, 1)
			l := listen(t, Config{HeaderOptional: c.optional, Report: func(from net.Addr, err error) { reports <- report{from, err} }})
			accepting(t, l)
			client := dial(t, l, c.bytes)
			assertClosed(t, client)
			r := <-reports
			assert.ErrorIs(t, r.err, c.want)
			assert.Equal(t, client.LocalAddr().String(), r.from.String())
		})
	}
	t.Run("half a header, then the end", func(t *testing.T) {
		reports := make(chan error, 1)
		l := listen(t, Config{Report: func(_ net.Addr, err error) { reports <- err }})
		accepting(t, l)
		client := dial(t, l, "PROXY TCP4")
		require.NoError(t, client.(*net.TCPConn).CloseWrite())
		assertClosed(t, client)
		assert.ErrorIs(t, <-reports, ErrShort)
	})
	t.Run("half a header, then silence", func(t *testing.T) {
		reports := make(chan error, 1)
		l := listen(t, Config{Timeout: 50 * time.Millisecond, HeaderOptional: true, Report: func(_ net.Addr, err error) { reports <- err }})
		accepting(t, l)
		assertClosed(t, dial(t, l, "PROXY TCP4"))
		assert.ErrorIs(t, <-reports, ErrShort)
	})
	t.Run("silence", func(t *testing.T) {
		l := listen(t, Config{Timeout: 50 * time.Millisecond})
		accepting(t, l)
		assertClosed(t, dial(t, l, ""))
	})
}

func TestListener_leaves_no_deadline_behind(t *testing.T) {
	const timeout = 200 * time.Millisecond
	l := listen(t, Config{Timeout: timeout})
	client := dial(t, l, "PROXY UNKNOWN\r\n")
	c, err := l.Accept()
	require.NoError(t, err)
	defer c.Close()
	time.AfterFunc(2*timeout, func() { _, _ = io.WriteString(client, "x") })
	_, err = c.Read(make([]byte, 1))
	assert.NoError(t, err)
}

func TestListener_lets_a_connection_without_header_through_when_told(t *testing.T) {
	l := listen(t, Config{HeaderOptional: true, Timeout: 50 * time.Millisecond})
	for _, bytes := range []string{"GET / HTTP/1.1\r\n\r\n", "PROPFIND / HTTP/1.1\r\n", ""} {
		client := dial(t, l, bytes)
		c := accept(t, l)
		_, err := io.WriteString(client, "more")
		require.NoError(t, err)
		b := make([]byte, len(bytes)+4)
		_, err = io.ReadFull(c, b)
		require.NoError(t, err)
		assert.Equal(t, bytes+"more", string(b))
		assert.Nil(t, FromConn(c))
	}
}

func TestListener_accepts_others_while_headers_are_awaited(t *testing.T) {
	reports := make(chan error, 10)
	l := listen(t, Config{MaxPending: 3, Timeout: patience, Report: func(_ net.Addr, err error) { reports <- err }})
	conns := accepting(t, l)
	for range 2 {
		dial(t, l, "PROXY")
	}
	dial(t, l, "PROXY UNKNOWN\r\n")
	_ = (<-conns).Close()
	// No more than so many wait.
	dial(t, l, "PROXY")
	refused := dial(t, l, "")
	assertClosed(t, refused)
	assert.ErrorIs(t, <-reports, ErrBusy)
}

func TestListener_loses_no_connection_whose_header_is_under_way_when_it_closes(t *testing.T) {
	l := listen(t, Config{})
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.RemoteAddr) })}
	served := make(chan error, 1)
	go func() { served <- server.Serve(l) }()
	var clients []net.Conn
	for range 10 {
		clients = append(clients, dial(t, l, "PROXY TCP4 1.2.3.4"))
	}
	require.Eventually(t, func() bool {
		l.mu.Lock()
		defer l.mu.Unlock()
		return len(l.pending) == 10
	}, patience, time.Millisecond)
	require.NoError(t, l.Close())
	for _, c := range clients {
		_, err := io.WriteString(c, " 5.6.7.8 4096 443\r\nGET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
		require.NoError(t, err)
	}
	for _, c := range clients {
		answer, err := io.ReadAll(c)
		require.NoError(t, err)
		assert.True(t, strings.HasSuffix(string(answer), "\r\n\r\n1.2.3.4:4096"), "%q", answer)
	}
	assert.ErrorIs(t, <-served, net.ErrClosed)
	require.NoError(t, server.Close())
	_, err := l.Accept()
	assert.ErrorIs(t, err, net.ErrClosed)
}

func TestListener_closes_what_nobody_accepts_any_more(t *testing.T) {
	l := listen(t, Config{})
	first, second := dial(t, l, "PROXY UNKNOWN\r\n"), dial(t, l, "PROXY UNKNOWN\r\n")
	accept(t, l)
	require.NoError(t, l.Close())
	assert.Error(t, l.Close(), "a second time")
	// One of both was taken, the other is closed.
	ended := make(chan struct{}, 2)
	for _, c := range []net.Conn{first, second} {
		go func() { _, _ = c.Read(make([]byte, 1)); ended <- struct{}{} }()
	}
	<-ended
}

// failing is a listener whose Accept fails once.
type failing struct {
	net.Listener
	once sync.Once
}

func (f *failing) Accept() (c net.Conn, err error) {
	f.once.Do(func() { err = syscall.EMFILE })
	if err != nil {
		return nil, err
	}
	return f.Listener.Accept()
}

func TestListener_hands_an_error_of_Accept_up_and_goes_on(t *testing.T) {
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	l, err := Listen(&failing{Listener: tcp}, Config{Trusted: loopback})
	require.NoError(t, err)
	defer l.Close()
	_, err = l.Accept()
	require.ErrorIs(t, err, syscall.EMFILE)
	dial(t, l, "PROXY UNKNOWN\r\n")
	accept(t, l)
}

func TestListen_names_what_is_wrong(t *testing.T) {
	for want, c := range map[string]Config{
		"Trusted is empty": {},
		"no network":       {Trusted: []netip.Prefix{{}}},
		"::ffff:10.0.0.0":  {Trusted: []netip.Prefix{netip.MustParsePrefix("::ffff:10.0.0.0/104")}},
		"Timeout":          {TrustUnix: true, Timeout: -1},
		"MaxPending":       {TrustUnix: true, MaxPending: -1},
		"MaxHeader":        {TrustUnix: true, MaxHeader: 231},
	} {
		_, err := Listen(nil, c)
		assert.ErrorContains(t, err, want)
	}
}

func TestListener_stands_behind_HAProxy(t *testing.T) {
	for _, c := range []struct {
		name, options string
		tls           bool
		version       int
	}{
		{"v1", "send-proxy", false, 1},
		{"v2", "send-proxy-v2 proxy-v2-options crc32c,unique-id,authority,ssl", false, 2},
		{"v2 of a TLS client", "send-proxy-v2 proxy-v2-options crc32c,unique-id,authority,ssl,cert-cn", true, 2},
		{"v1, then TLS", "send-proxy ssl verify none", false, 1},
		{"v2, then TLS", "send-proxy-v2 ssl verify none", false, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := listen(t, Config{})
			server := &http.Server{
				ConnContext: ConnContext,
				Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					h := FromContext(r.Context())
					if h == nil {
						http.Error(w, "no header", http.StatusInternalServerError)
						return
					}
					ssl, _ := h.SSL()
					fmt.Fprintf(w, "%s %d %v %s", r.RemoteAddr, h.Version, ssl.Client, ssl.Version)
				}),
			}
			var plain net.Listener = l
			if strings.Contains(c.options, " ssl verify") {
				certificate := testserver.LocalAuthority(t).Localhost(t)
				plain = tls.NewListener(l, &tls.Config{Certificates: []tls.Certificate{certificate.TLS}})
			}
			served := make(chan error, 1)
			go func() { served <- server.Serve(plain) }()
			defer func() {
				require.NoError(t, server.Close())
				assert.ErrorIs(t, <-served, http.ErrServerClosed)
			}()
			proxy := testserver.HAProxy(t, l.Addr().String()+" "+c.options)

			var from net.Addr
			dialer := &net.Dialer{}
			transport := &http.Transport{
				TLSClientConfig: &tls.Config{RootCAs: testserver.LocalAuthority(t).Pool},
				DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
					conn, err := dialer.DialContext(ctx, network, address)
					if err == nil {
						from = conn.LocalAddr()
					}
					return conn, err
				},
			}
			defer transport.CloseIdleConnections()
			url := proxy.URL
			if c.tls {
				url = proxy.TLSURL
			}
			resp, err := (&http.Client{Transport: transport}).Get(url)
			require.NoError(t, err)
			said, err := io.ReadAll(resp.Body)
			require.NoError(t, err)
			require.NoError(t, resp.Body.Close())
			want := fmt.Sprintf("%s %d %v ", from, c.version, c.tls)
			if c.tls {
				want += "TLSv1.3"
			}
			assert.Equal(t, want, string(said))
		})
	}
}
