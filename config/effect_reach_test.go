package config_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/http2"

	"github.com/ratmom/ratmom"
	"github.com/ratmom/ratmom/cgo"
	"github.com/ratmom/ratmom/config"
	"github.com/ratmom/ratmom/internal/testserver"
)

func TestEffect_PreProxy_stands_before_the_proxy(t *testing.T) {
	s := testserver.Start(t, testserver.H1, tell(host))
	secure := testserver.Start(t, testserver.HTTPS1, tell(host))
	p := testserver.StartProxy(t, testserver.Proxy{})
	socks := testserver.StartSOCKS(t, testserver.SOCKS{})
	c := newClient(t, config.CAFile(secure.CAFile), config.PreProxy("socks5h://"+socks.Addr), config.Proxy("http://"+p.Addr))
	assert.Equal(t, s.Addr, get(t, c, s.URL))
	assert.Equal(t, secure.Addr, get(t, c, secure.URL))
	require.Len(t, socks.Targets(), 2)
	assert.Equal(t, p.Addr, socks.Targets()[0].Target)
	assert.Equal(t, p.Addr, socks.Targets()[1].Target)
	assert.Len(t, p.Requests(), 2)

	assert.Equal(t, s.Addr, get(t, c, s.URL, config.NoProxy("127.0.0.0/8")))
	assert.Equal(t, s.Addr, get(t, c, s.URL, config.PreProxy("")))
	assert.Len(t, socks.Targets(), 2, "past both, and past the first")
	refused(t, ratmom.ErrInvalidOption, c, s.URL, config.Proxy("socks5://"+socks.Addr))
}

func TestEffect_PreProxy_of_daemons(t *testing.T) {
	s := testserver.Start(t, testserver.H1, tell(host))
	squid := testserver.Squid(t, "")
	for name, socks := range map[string]*testserver.SOCKSDaemon{
		"microsocks": testserver.MicroSOCKS(t, false), "danted": testserver.Danted(t),
	} {
		c := newClient(t, config.PreProxy("socks5://"+socks.Addr), config.Proxy(squid.URL))
		assert.Equal(t, s.Addr, get(t, c, s.URL), name)
	}
	assert.Eventually(t, func() bool {
		return strings.Count(strings.Join(squid.Requests(), "\n"), "GET http://") == 2
	}, 10*time.Second, 10*time.Millisecond, "its log has both")
}

func TestEffect_ProxyTunnel_hides_what_goes_through(t *testing.T) {
	s := testserver.Start(t, testserver.H1, tell(func(r *http.Request) any { return r.RequestURI }))
	p := testserver.StartProxy(t, testserver.Proxy{})
	c := newClient(t, config.Proxy(p.Addr), config.ProxyTunnel(true))
	assert.Equal(t, "/a?b", get(t, c, s.URL+"/a?b"))
	assert.Equal(t, "/a?", get(t, c, s.URL+"/a?"), "a target that libcurl's parser would change")
	require.Len(t, p.Requests(), 1)
	assert.Equal(t, http.MethodConnect, p.Requests()[0].Method)
	assert.Equal(t, "/a?", get(t, c, s.URL+"/a?", config.ProxyTunnel(false)))
	assert.Equal(t, http.MethodGet, p.Requests()[1].Method)
}

func TestEffect_ProxyHTTP2_tunnels_share_a_connection(t *testing.T) {
	f := cgo.Features()
	if !f.AtLeast(8, 2, 0) || !f.HTTP2 || !f.HTTPSProxy {
		t.Skip("libcurl without HTTP/2 to proxies")
	}
	s := testserver.Start(t, testserver.HTTPS1, tell(host))
	var proto atomic.Value
	p := testserver.StartFunc(t, testserver.H2, func(w http.ResponseWriter, r *http.Request) {
		proto.Store(r.Method + " " + r.Proto)
		server, err := net.Dial("tcp", r.Host)
		if err != nil {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		defer server.Close()
		defer context.AfterFunc(r.Context(), func() { _ = server.Close() })()
		w.WriteHeader(http.StatusOK)
		rc := http.NewResponseController(w)
		_ = rc.Flush()
		go func() { _, _ = io.Copy(server, r.Body) }()
		buf := make([]byte, 4096)
		for {
			n, err := server.Read(buf)
			if _, werr := w.Write(buf[:n]); err != nil || werr != nil || rc.Flush() != nil {
				return
			}
		}
	})
	c := newClient(t, config.CAFile(s.CAFile), config.Proxy("https://"+p.Addr), config.ProxyHTTP2(true))
	assert.Equal(t, s.Addr, get(t, c, s.URL))
	assert.Equal(t, "CONNECT HTTP/2.0", proto.Load())
}

func TestEffect_ProxyHTTP2_of_nghttpx(t *testing.T) {
	f := cgo.Features()
	if !f.AtLeast(8, 2, 0) || !f.HTTP2 || !f.HTTPSProxy {
		t.Skip("libcurl without HTTP/2 to proxies")
	}
	s := testserver.Start(t, testserver.HTTPS1, tell(host))
	clear := testserver.Start(t, testserver.H1, tell(host))
	squid := testserver.Squid(t, "")
	p := testserver.Nghttpx(t, squid.Addr)
	log := func() string {
		b, _ := os.ReadFile(filepath.Join(p.Dir, "access.log"))
		return string(b)
	}
	c := newClient(t, config.CAFile(p.CAFile), config.Proxy(p.URL), config.ProxyHTTP2(true))
	assert.Equal(t, s.Addr, get(t, c, s.URL))
	assert.Equal(t, clear.Addr, get(t, c, clear.URL, config.ProxyTunnel(true)))
	assert.Equal(t, clear.Addr, get(t, c, clear.URL))
	assert.Equal(t, s.Addr, get(t, c, s.URL, config.ProxyHTTP2(false)))
	require.NoError(t, c.Close()) // tunnels are in the log when they end
	assert.Eventually(t, func() bool { return strings.Count(log(), "\n") == 4 }, 10*time.Second, 10*time.Millisecond)
	assert.Equal(t, 2, strings.Count(log(), "h2 CONNECT 200"), log())
	assert.Equal(t, 1, strings.Count(log(), "http/1.1 CONNECT 200"), log())
	assert.Equal(t, 1, strings.Count(log(), "h2 GET 200"), log())
}

// behindPROXY is an nginx that wants the line of HAProxy's protocol and tells what it says.
func behindPROXY(t *testing.T) string {
	t.Helper()
	// An address on which nobody else listens: the port stays free.
	l, err := net.Listen("tcp", "127.0.0.77:0")
	require.NoError(t, err)
	addr := l.Addr().String()
	require.NoError(t, l.Close())
	testserver.Nginx(t, testserver.NginxHTTP(fmt.Sprintf(
		`server { listen %s proxy_protocol; location / { return 200 "$proxy_protocol_addr $proxy_protocol_port $remote_port $connection"; } }`, addr)))
	return "http://" + addr + "/"
}

func TestEffect_HAProxyProtocol_says_who_connects(t *testing.T) {
	u := behindPROXY(t)
	c := newClient(t, config.HAProxyProtocol(true))
	first := strings.Fields(get(t, c, u))
	assert.Equal(t, "127.0.0.1", first[0])
	assert.Equal(t, first[2], first[1], "the connection's own port")
	assert.Equal(t, first, strings.Fields(get(t, c, u)), "one connection")
	resp, err := c.Get(u, config.HAProxyProtocol(false))
	if err == nil {
		_ = resp.Discard()
	}
	assert.Error(t, err, "nginx wants the line, on a connection of this request's own")
}

func TestEffect_HAProxyClientIP_names_somebody_else(t *testing.T) {
	if !cgo.Features().HAProxyClientIP {
		t.Skip("libcurl before 8.2")
	}
	u := behindPROXY(t)
	c := newClient(t, config.HAProxyClientIP(netip.MustParseAddr("192.0.2.1")))
	conns := map[string]bool{}
	for _, x := range []struct{ ip, want string }{
		{"", "192.0.2.1"}, {"192.0.2.2", "192.0.2.2"}, {"", "192.0.2.1"}, {"192.0.2.2", "192.0.2.2"},
	} {
		var opts []config.RequestOption
		if x.ip != "" {
			opts = append(opts, config.HAProxyClientIP(netip.MustParseAddr(x.ip)))
		}
		got := strings.Fields(get(t, c, u, opts...))
		assert.Equal(t, x.want, got[0])
		conns[got[3]] = true
	}
	assert.Len(t, conns, 3)
}

// A request with a mark of its own must not get company, over HTTP/2 neither.
func TestEffect_connections_of_their_own_are_shared_with_nobody(t *testing.T) {
	gate := testserver.NewGate()
	s := testserver.StartFunc(t, testserver.H2, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/held" {
			w.WriteHeader(http.StatusOK)
			_ = http.NewResponseController(w).Flush()
			_ = gate.Wait(r.Context())
		}
		_, _ = fmt.Fprint(w, testserver.ConnNumber(r))
	})
	c := newClient(t, config.CAFile(s.CAFile))
	held, err := c.Get(s.URL+"/held", config.TypeOfService(0x20))
	require.NoError(t, err)
	first := get(t, c, s.URL)
	assert.Equal(t, first, get(t, c, s.URL))
	own := get(t, c, s.URL, config.TypeOfService(0x40))
	gate.Open()
	text, err := held.Text()
	require.NoError(t, err)
	assert.NotEqual(t, text, first)
	assert.NotContains(t, []string{text, first}, own)
}

// sockopt is an option of this process's socket with the local address.
func sockopt(t *testing.T, local string, level, option int) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	require.NoError(t, err)
	want := netip.MustParseAddrPort(local)
	for _, e := range entries {
		fd, _ := strconv.Atoi(e.Name())
		name, err := syscall.Getsockname(fd)
		if err != nil {
			continue
		}
		port := 0
		switch a := name.(type) {
		case *syscall.SockaddrInet4:
			port = a.Port
		case *syscall.SockaddrInet6:
			port = a.Port
		}
		if port != int(want.Port()) {
			continue
		}
		v, err := syscall.GetsockoptInt(fd, level, option)
		require.NoError(t, err)
		return v
	}
	require.FailNow(t, "no socket with the address "+local)
	return 0
}

func TestEffect_TypeOfService_marks_the_socket(t *testing.T) {
	s := testserver.Start(t, testserver.H1, tell(remote))
	c := newClient(t, config.TypeOfService(0x10))
	local := get(t, c, s.URL)
	assert.Equal(t, 0x10, sockopt(t, local, syscall.IPPROTO_IP, syscall.IP_TOS))
	assert.Equal(t, local, get(t, c, s.URL), "used again")
	assert.NotEqual(t, local, get(t, c, s.URL, config.TypeOfService(0xb8)))
	assert.NotEqual(t, local, get(t, c, s.URL, config.TypeOfService(0)))
	assert.Equal(t, local, get(t, c, s.URL))
	plain := get(t, newClient(t), s.URL)
	assert.Zero(t, sockopt(t, plain, syscall.IPPROTO_IP, syscall.IP_TOS))

	six := testserver.Start(t, testserver.H1, tell(remote), testserver.OnIPv6())
	assert.Equal(t, 0x10, sockopt(t, get(t, c, six.URL), syscall.IPPROTO_IPV6, syscall.IPV6_TCLASS))
}

func TestEffect_TCP_options_are_those_of_the_socket(t *testing.T) {
	s := testserver.Start(t, testserver.H1, tell(remote))
	const fastOpenConnect = 30 // TCP_FASTOPEN_CONNECT
	if cgo.Features().TCPFastOpen {
		c := newClient(t, config.TCPFastOpen(true))
		assert.Equal(t, 1, sockopt(t, get(t, c, s.URL), syscall.IPPROTO_TCP, fastOpenConnect))
	}
	assert.Zero(t, sockopt(t, get(t, newClient(t), s.URL), syscall.IPPROTO_TCP, fastOpenConnect))
	if !cgo.Features().TCPKeepAliveCount {
		return
	}
	c := newClient(t, config.TCPKeepAlive(time.Minute, time.Second), config.TCPKeepAliveCount(5))
	local := get(t, c, s.URL)
	assert.Equal(t, 5, sockopt(t, local, syscall.IPPROTO_TCP, syscall.TCP_KEEPCNT))
	assert.NotEqual(t, local, get(t, c, s.URL, config.TCPKeepAliveCount(6)))
}

func TestEffect_AbstractUnixSocket(t *testing.T) {
	name := fmt.Sprintf("ratmom-%d-%s", os.Getpid(), t.Name())
	l, err := net.Listen("unix", "@"+name)
	require.NoError(t, err)
	server := &http.Server{Handler: tell(host)}
	var serving sync.WaitGroup
	serving.Go(func() { _ = server.Serve(l) })
	t.Cleanup(func() { _ = server.Close(); serving.Wait() })
	c := newClient(t, config.Proxy("http://127.0.0.1:9"))
	for range 2 {
		assert.Equal(t, "a.test", get(t, c, "http://a.test/", config.AbstractUnixSocket(name)))
	}
	s := testserver.Start(t, testserver.H1, tell(remote), testserver.OnUnix())
	get(t, c, "http://a.test/", config.UnixSocket(s.Addr))
	assert.Equal(t, "a.test", get(t, c, "http://a.test/", config.AbstractUnixSocket(name)), "connections are kept apart")
}

func TestEffect_AddressScope_reaches_addresses_of_a_link(t *testing.T) {
	interfaces, err := net.Interfaces()
	require.NoError(t, err)
	for _, i := range interfaces {
		addrs, _ := i.Addrs()
		for _, a := range addrs {
			ip, ok := netip.AddrFromSlice(a.(*net.IPNet).IP)
			if !ok || !ip.Is6() || !ip.IsLinkLocalUnicast() {
				continue
			}
			s := testserver.Start(t, testserver.H1, tell(remote), testserver.OnAddress(fmt.Sprintf("[%v%%%s]:0", ip, i.Name)))
			u := fmt.Sprintf("http://[%v]:%d/", ip, s.Port())
			c := newClient(t)
			assert.Contains(t, get(t, c, u, config.AddressScope(uint32(i.Index))), ip.String())
			refused(t, ratmom.ErrConnect, c, u)
			return
		}
	}
	t.Skip("no interface has a link-local address")
}

func TestEffect_HappyEyeballsDelay(t *testing.T) {
	s := testserver.Start(t, testserver.H1, tell(host))
	fd, err := syscall.Socket(syscall.AF_INET6, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	require.NoError(t, err)
	defer func() { _ = syscall.Close(fd) }()
	addr := &syscall.SockaddrInet6{Port: s.Port()}
	addr.Addr[15] = 1
	require.NoError(t, syscall.Bind(fd, addr))
	require.NoError(t, syscall.Listen(fd, 0))
	six := fmt.Sprintf("[::1]:%d", s.Port())
	for full := false; !full; {
		conn, err := net.DialTimeout("tcp", six, 200*time.Millisecond)
		if full = err != nil; !full {
			defer conn.Close()
		}
	}
	key := fmt.Sprintf("a.test:%d", s.Port())
	c := newClient(t, config.Resolve(map[string][]netip.Addr{key: {netip.IPv6Loopback(), netip.MustParseAddr("127.0.0.1")}}))
	took := func(d time.Duration) time.Duration {
		began := time.Now()
		get(t, c, "http://"+key, config.HappyEyeballsDelay(d), config.FreshConnection())
		return time.Since(began)
	}
	assert.GreaterOrEqual(t, took(700*time.Millisecond), 700*time.Millisecond)
	assert.Less(t, took(0), 600*time.Millisecond)
}

func TestEffect_DNSShuffle(t *testing.T) {
	s := testserver.Start(t, testserver.H1, tell(func(r *http.Request) any {
		return r.Context().Value(http.LocalAddrContextKey)
	}), testserver.OnAddress("0.0.0.0:0"))
	key := fmt.Sprintf("a.test:%d", s.Port())
	var addrs []netip.Addr
	for i := range byte(8) {
		addrs = append(addrs, netip.AddrFrom4([4]byte{127, 0, 0, i + 1}))
	}
	c := newClient(t, config.Resolve(map[string][]netip.Addr{key: addrs}))
	seen := func(opts ...config.RequestOption) map[string]bool {
		m := map[string]bool{}
		for range 20 {
			m[get(t, c, "http://"+key, append(opts, config.FreshConnection(), config.ForbidReuse())...)] = true
		}
		return m
	}
	assert.Len(t, seen(), 1)
	assert.Greater(t, len(seen(config.DNSShuffle(true))), 1, "the odds against are 8 to the 19th")
}

func TestEffect_PipeWait_decides_who_shares(t *testing.T) {
	for _, c := range []struct {
		opts        []config.RequestOption
		connections int
	}{
		{nil, 1},
		{[]config.RequestOption{config.PipeWait(true)}, 1},
		{[]config.RequestOption{config.PipeWait(false)}, 4},
	} {
		shake := make(chan struct{})
		s := testserver.Start(t, testserver.H2, testserver.Blob(1), testserver.WithTLSConfig(func(c *tls.Config) {
			c.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) {
				<-shake // nobody knows before what the server speaks
				return nil, nil
			}
		}))
		client := newClient(t, config.CAFile(s.CAFile))
		var futures []*ratmom.Future
		for range 4 {
			futures = append(futures, client.SendAsync(mustRequest(t, s.URL), c.opts...))
		}
		assert.True(t, s.WaitAccepted(c.connections, 10*time.Second), "%v", c.opts)
		close(shake)
		for _, f := range futures {
			resp, err := f.Result()
			require.NoError(t, err)
			require.NoError(t, resp.Discard())
		}
		assert.Equal(t, c.connections, s.Accepted(), "%v", c.opts)
	}
}

func TestEffect_StreamWeight_is_in_the_frame(t *testing.T) {
	if !cgo.Features().HTTP2 {
		t.Skip("libcurl without HTTP/2")
	}
	weights := make(chan uint8, 10)
	s := testserver.Frames(t, func(c *testserver.FrameConn) {
		for {
			frame, err := c.ReadFrame()
			if err != nil {
				return
			}
			switch f := frame.(type) {
			case *http2.SettingsFrame:
				if !f.IsAck() {
					_ = c.WriteSettingsAck()
				}
			case *http2.MetaHeadersFrame:
				if f.HasPriority() {
					weights <- f.Priority.Weight
				}
				_ = c.Reply(&testserver.Stream{ID: f.StreamID}, 200, "")
			}
		}
	}, testserver.WithTLS())
	c := newClient(t, config.CAFile(s.CAFile), config.StreamWeight(200))
	get(t, c, s.URL)
	assert.EqualValues(t, 199, <-weights)
	get(t, c, s.URL, config.StreamWeight(1))
	assert.EqualValues(t, 0, <-weights)
}
