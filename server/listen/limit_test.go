package listen

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom/server/listen/proxyproto"
)

func limit(t testing.TB, c Limits) net.Listener {
	t.Helper()
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	l, err := Limit(tcp, c)
	require.NoError(t, err)
	t.Cleanup(func() { _ = l.Close() })
	return l
}

func dialFrom(t testing.TB, l net.Listener, from string) net.Conn {
	t.Helper()
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}, Timeout: patience}
	c, err := d.Dial("tcp", l.Addr().String())
	require.NoError(t, err)
	t.Cleanup(func() { _ = c.Close() })
	require.NoError(t, c.SetDeadline(time.Now().Add(patience)))
	return c
}

func accepted(t testing.TB, l net.Listener) net.Conn {
	t.Helper()
	c, err := l.Accept()
	require.NoError(t, err)
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func TestLimit_accepts_no_more_than_Max_at_a_time(t *testing.T) {
	l := limit(t, Limits{Max: 2})
	for range 3 {
		dialFrom(t, l, "127.0.0.1")
	}
	first, second := accepted(t, l), accepted(t, l)
	third := make(chan net.Conn)
	go func() {
		c, err := l.Accept()
		assert.NoError(t, err)
		third <- c
	}()
	select {
	case <-third:
		assert.Fail(t, "a third was accepted")
	case <-time.After(50 * time.Millisecond):
	}
	require.NoError(t, first.Close())
	assert.Error(t, first.Close(), "which frees nothing more")
	c := <-third
	assert.Len(t, l.(*limited).slots, 2)
	require.NoError(t, c.Close())
	require.NoError(t, second.Close())
	assert.Empty(t, l.(*limited).slots)
}

func TestLimit_ends_an_Accept_that_waits_for_room_when_it_closes(t *testing.T) {
	l := limit(t, Limits{Max: 1})
	dialFrom(t, l, "127.0.0.1")
	accepted(t, l)
	ended := make(chan error)
	go func() {
		_, err := l.Accept()
		ended <- err
	}()
	require.NoError(t, l.Close())
	assert.ErrorIs(t, <-ended, net.ErrClosed)
}

func TestLimit_closes_what_is_too_much_for_one_source(t *testing.T) {
	type report struct {
		from string
		err  error
	}
	reports := make(chan report, 10)
	l := limit(t, Limits{Max: 3, PerSource: 2, Report: func(from net.Addr, err error) { reports <- report{from.String(), err} }})
	dialFrom(t, l, "127.0.0.1")
	dialFrom(t, l, "127.0.0.1")
	first := accepted(t, l)
	accepted(t, l)
	refused := dialFrom(t, l, "127.0.0.1")
	other := dialFrom(t, l, "127.0.0.2")
	assert.Equal(t, other.LocalAddr().String(), accepted(t, l).RemoteAddr().String())
	_, err := refused.Read(make([]byte, 1))
	assert.True(t, errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET), "%v", err)
	assert.Equal(t, report{refused.LocalAddr().String(), ErrTooMany}, <-reports)

	require.NoError(t, first.Close())
	again := dialFrom(t, l, "127.0.0.1")
	assert.Equal(t, again.LocalAddr().String(), accepted(t, l).RemoteAddr().String())
}

func TestLimit_counts_an_IPv6_network_as_one_source(t *testing.T) {
	l, err := Limit(nil, Limits{PerSource: 1})
	require.NoError(t, err)
	source := func(address string) string {
		a, err := net.ResolveTCPAddr("tcp", address)
		require.NoError(t, err)
		p, ok := l.(*limited).source(a)
		require.True(t, ok)
		return p.String()
	}
	assert.Equal(t, "2001:db8:1:2::/64", source("[2001:db8:1:2:3:4:5:6]:1"))
	assert.Equal(t, "192.0.2.1/32", source("192.0.2.1:1"))
	assert.Equal(t, "192.0.2.1/32", source("[::ffff:192.0.2.1]:1"))
	assert.Equal(t, "fe80::/64", source("[fe80::1%lo]:1"))
	_, ok := l.(*limited).source(&net.UnixAddr{})
	assert.False(t, ok)
}

func TestLimit_forgets_sources_that_have_gone(t *testing.T) {
	l := limit(t, Limits{PerSource: 5})
	for range 3 {
		c := dialFrom(t, l, "127.0.0.3")
		a := accepted(t, l)
		require.NoError(t, a.Close())
		require.NoError(t, c.Close())
	}
	assert.Empty(t, l.(*limited).open)
}

func TestLimit_keeps_what_a_connection_can_do(t *testing.T) {
	l := limit(t, Limits{Max: 1})
	client := dialFrom(t, l, "127.0.0.1")
	c := accepted(t, l)
	_, err := io.Copy(c, strings.NewReader("hello"))
	require.NoError(t, err)
	_, err = c.(syscall.Conn).SyscallConn()
	require.NoError(t, err)
	require.NoError(t, c.(interface{ CloseWrite() error }).CloseWrite())
	said, err := io.ReadAll(client)
	require.NoError(t, err)
	assert.Equal(t, "hello", string(said))
}

func TestLimit_is_seen_through_for_the_PROXY_header(t *testing.T) {
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	proxied, err := proxyproto.Listen(tcp, proxyproto.Config{Trusted: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}})
	require.NoError(t, err)
	l, err := Limit(proxied, Limits{PerSource: 1})
	require.NoError(t, err)
	defer l.Close()
	_, err = io.WriteString(dialFrom(t, l, "127.0.0.1"), "PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n")
	require.NoError(t, err)
	c := accepted(t, l)
	require.NotNil(t, proxyproto.FromConn(c))
	assert.Equal(t, "192.0.2.1:1", c.RemoteAddr().String())
	assert.Contains(t, l.(*limited).open, netip.MustParsePrefix("192.0.2.1/32"))
	_, err = c.(syscall.Conn).SyscallConn()
	assert.ErrorIs(t, err, errors.ErrUnsupported, "bytes may wait above the socket")
	_, shown := c.(interface{ NetConn() net.Conn })
	assert.False(t, shown, "a server that closes what is within would keep the place taken")
	require.NotNil(t, proxyproto.FromConn(tls.Server(c, &tls.Config{})))
}

func TestLimit_names_what_is_wrong(t *testing.T) {
	for want, c := range map[string]Limits{
		"Max -1": {Max: -1}, "PerSource -1": {PerSource: -1}, "IPv4Bits 33": {IPv4Bits: 33}, "IPv6Bits 129": {IPv6Bits: 129},
	} {
		_, err := Limit(nil, c)
		assert.ErrorContains(t, err, want)
	}
}

// scripted is a listener whose Accept gives these errors in turn, then nothing.
type scripted struct {
	net.Listener
	errs []error
}

func (s *scripted) Accept() (net.Conn, error) {
	err := s.errs[0]
	if len(s.errs) > 1 {
		s.errs = s.errs[1:]
	}
	return nil, err
}
func (s *scripted) Close() error   { return nil }
func (s *scripted) Addr() net.Addr { return &net.TCPAddr{} }

func TestPatient_pauses_longer_each_time_and_ends_at_other_errors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var pauses []time.Duration
		errs := []error{}
		for range 10 {
			errs = append(errs, &net.OpError{Op: "accept", Err: syscall.EMFILE})
		}
		p := Patient(&scripted{errs: append(errs, io.ErrUnexpectedEOF)}, func(_ error, pause time.Duration) { pauses = append(pauses, pause) })
		begin := time.Now()
		_, err := p.Accept()
		assert.ErrorIs(t, err, io.ErrUnexpectedEOF)
		ms := time.Millisecond
		assert.Equal(t, []time.Duration{5 * ms, 10 * ms, 20 * ms, 40 * ms, 80 * ms, 160 * ms, 320 * ms, 640 * ms, time.Second, time.Second}, pauses)
		assert.Equal(t, 3275*ms, time.Since(begin))
	})
}

func TestPatient_ends_at_once_when_it_closes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := Patient(&scripted{errs: []error{syscall.ENFILE}}, nil)
		time.AfterFunc(7*time.Millisecond, func() { _ = p.Close() })
		begin := time.Now()
		_, err := p.Accept()
		assert.ErrorIs(t, err, net.ErrClosed)
		assert.Equal(t, 7*time.Millisecond, time.Since(begin))
	})
}
