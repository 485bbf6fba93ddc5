package resolve

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/dns/dnsmessage"
)

func TestDNS_gives_the_addresses_of_both_families_with_the_shortest_TTL(t *testing.T) {
	s := newScripted(t)
	s.add("both.test", 300, ipv4("192.0.2.2"), ipv4("192.0.2.1"))
	s.add("both.test", 60, ipv6("2001:db8::1"))
	a, err := at(t, s.dns(), Name{Host: "Both.Test.", Port: 8080})
	require.NoError(t, err)
	assert.Equal(t, []string{"192.0.2.1:8080", "192.0.2.2:8080", "[2001:db8::1]:8080"}, addrsOf(a))
	assert.Equal(t, time.Minute, a.TTL)
	assert.Equal(t, Endpoint{Addr: netip.MustParseAddrPort("192.0.2.1:8080"), Weight: 1, Target: "both.test"}, a.Endpoints[0])
	assert.False(t, a.Stale)

	d := s.dns()
	d.Family = IPv4
	a, err = at(t, d, Name{Scheme: "http", Host: "both.test"})
	require.NoError(t, err)
	assert.Equal(t, []string{"192.0.2.1:80", "192.0.2.2:80"}, addrsOf(a))
	d.Family = IPv6
	a, err = at(t, d, Name{Host: "both.test"})
	require.NoError(t, err)
	assert.Equal(t, []string{"[2001:db8::1]:443"}, addrsOf(a))
}

func TestDNS_asks_both_families_at_once(t *testing.T) {
	s := newScripted(t)
	s.add("both.test", 300, ipv4("192.0.2.1"))
	s.add("both.test", 300, ipv6("2001:db8::1"))
	second := make(chan struct{})
	n := 0
	s.script(func(q asked) [][]byte { // one query after the other
		if n++; n == 2 {
			close(second)
			return [][]byte{q.reply(s.zone["both.test A"]), q.reply(s.zone["both.test AAAA"])}
		}
		return [][]byte{}
	})
	d := s.dns()
	// The first query is not answered at all: only one that comes beside it shows up here.
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = d.Resolve(ctx, Name{Host: "both.test"})
	}()
	select {
	case <-second:
	case <-time.After(4 * time.Second):
		t.Error("the second family waits for the first")
	}
	cancel()
	<-done
}

func TestDNS_tells_failures_apart(t *testing.T) {
	s := newScripted(t)
	s.add("v4only.test", 300, ipv4("192.0.2.1"))
	s.set("gone.test A", zoneSet{rcode: dnsmessage.RCodeNameError, authority: []dnsmessage.Resource{soa(900, 120)}})
	s.set("gone.test AAAA", s.zone["gone.test A"])
	s.set("empty.test A", zoneSet{authority: []dnsmessage.Resource{soa(60, 600)}})
	s.set("empty.test AAAA", zoneSet{authority: []dnsmessage.Resource{soa(50, 600)}})
	for name, code := range map[string]dnsmessage.RCode{
		"fail.test": dnsmessage.RCodeServerFailure, "refused.test": dnsmessage.RCodeRefused, "notimp.test": dnsmessage.RCodeNotImplemented,
	} {
		s.set(name+" A", zoneSet{rcode: code})
		s.set(name+" AAAA", zoneSet{rcode: code})
	}
	ns := []dnsmessage.Resource{resource("test", 60, &dnsmessage.NSResource{NS: dnsName("ns.test")})}
	s.set("lame.test A", zoneSet{authority: ns, referral: true})
	s.set("lame.test AAAA", zoneSet{authority: ns, referral: true})
	s.set("half.test A", zoneSet{authority: []dnsmessage.Resource{soa(60, 60)}})
	s.set("half.test AAAA", zoneSet{rcode: dnsmessage.RCodeServerFailure})

	for _, c := range []struct {
		host string
		kind Kind
		ttl  time.Duration
	}{
		{"gone.test", NotExist, 2 * time.Minute},
		{"nowhere.test", NotExist, 0},
		{"empty.test", NoData, 50 * time.Second},
		{"fail.test", ServerFailure, 0},
		{"lame.test", ServerFailure, 0},
		{"notimp.test", ServerFailure, 0},
		{"refused.test", Refused, 0},
		{"half.test", ServerFailure, 0},
	} {
		_, err := at(t, s.dns(), Name{Host: c.host})
		require.ErrorIs(t, err, c.kind, c.host)
		assert.Equal(t, c.kind, KindOf(err))
		var e *Error
		require.ErrorAs(t, err, &e)
		assert.Equal(t, c.ttl, e.TTL, c.host)
		assert.Equal(t, c.host, e.Name)
		assert.Equal(t, s.addr.String(), e.Server)
		assert.ErrorContains(t, err, c.host)
	}
	_, err := at(t, s.dns(), Name{Host: "v4only.test"})
	require.NoError(t, err, "one family is enough")
}

func TestDNS_shortens_the_time_of_an_answer_from_which_something_is_missing(t *testing.T) {
	s := newScripted(t)
	s.add("half.test", 3600, ipv4("192.0.2.1"))
	s.set("half.test AAAA", zoneSet{rcode: dnsmessage.RCodeServerFailure})
	a, err := at(t, s.dns(), Name{Host: "half.test"})
	require.NoError(t, err)
	assert.Equal(t, unsureTTL, a.TTL)
}

func TestDNS_does_not_wait_long_for_one_kind_of_record(t *testing.T) {
	for _, silent := range []string{"host.test HTTPS", "host.test AAAA"} {
		s := newScripted(t)
		s.add("host.test", 300, ipv4("192.0.2.1"))
		s.add("host.test", 300, ipv6("2001:db8::1"))
		s.add("host.test", 300, httpsRecord(1, ".", kPort, "\x00\x51"))
		s.script(func(q asked) [][]byte {
			if q.key == silent {
				return [][]byte{}
			}
			return nil
		})
		start := time.Now()
		a, err := at(t, s.dns(), Name{Scheme: "https", Host: "host.test"})
		require.NoError(t, err)
		assert.Less(t, time.Since(start), 4*time.Second, silent)
		assert.Contains(t, addrsOf(a), "192.0.2.1:443")
		assert.Equal(t, silent == "host.test AAAA", a.Endpoints[0].Addr.Port() == 81)
		assert.Equal(t, unsureTTL, a.TTL)
	}
}

func TestDNS_has_few_questions_of_a_call_on_the_way(t *testing.T) {
	s := newScripted(t)
	for i := range maxTargets {
		s.add("_x._tcp.many.test", 60, srvRecord(1, 1, 1, fmt.Sprintf("t%d.test", i)))
		s.add(fmt.Sprintf("t%d.test", i), 60, ipv4("192.0.2.1"))
	}
	d := s.dns()
	var now, most atomic.Int64
	d.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
		for n := now.Add(1); n > most.Load(); {
			most.Store(n)
		}
		conn, err := new(net.Dialer).DialContext(ctx, network, address)
		return &closing{conn, func() { now.Add(-1) }}, err
	}
	_, err := at(t, d, Name{Host: "many.test", Service: "_x._tcp"})
	require.NoError(t, err)
	assert.LessOrEqual(t, most.Load(), int64(maxQuestions))
	assert.Greater(t, most.Load(), int64(1))
	assert.Zero(t, now.Load())
}

// closing tells that it was closed.
type closing struct {
	net.Conn
	tell func()
}

func (c *closing) Close() error {
	c.tell()
	return c.Conn.Close()
}

func TestDNS_says_Timeout_when_nobody_replies_and_asks_as_often_as_told(t *testing.T) {
	s := newScripted(t)
	s.script(func(asked) [][]byte { return [][]byte{} })
	d := s.dns()
	d.Family, d.Timeout, d.Attempts = IPv4, 100*time.Millisecond, 3
	_, err := at(t, d, Name{Host: "silent.test"})
	require.ErrorIs(t, err, Timeout)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	var n net.Error
	require.ErrorAs(t, err, &n)
	assert.True(t, n.Timeout())
	assert.Eventually(t, func() bool { return s.count("silent.test A") == 3 }, 10*time.Second, time.Millisecond)
}

func TestDNS_says_Refused_when_nobody_is_there(t *testing.T) {
	l, err := net.ListenPacket("udp", "127.0.0.1:0")
	require.NoError(t, err)
	free := l.LocalAddr().(*net.UDPAddr).AddrPort()
	require.NoError(t, l.Close())
	d := &DNS{Servers: []netip.AddrPort{free}}
	_, err = at(t, d, Name{Host: "host.test"})
	require.ErrorIs(t, err, Refused)
}

func TestDNS_ends_with_its_context(t *testing.T) {
	s := newScripted(t)
	ctx, cancel := context.WithCancel(t.Context())
	s.script(func(asked) [][]byte { cancel(); return [][]byte{} })
	_, err := s.dns().Resolve(ctx, Name{Host: "silent.test"})
	require.ErrorIs(t, err, context.Canceled)
	require.NotErrorIs(t, err, Timeout)

	s.script(func(asked) [][]byte { return [][]byte{} })
	short, done := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer done()
	_, err = s.dns().Resolve(short, Name{Host: "silent.test"})
	require.ErrorIs(t, err, Timeout)
}

func TestDNS_asks_the_next_server_when_one_does_not_help(t *testing.T) {
	bad, good := newScripted(t), newScripted(t)
	good.add("host.test", 300, ipv4("192.0.2.1"))
	for name, set := range map[string]zoneSet{
		"SERVFAIL": {rcode: dnsmessage.RCodeServerFailure}, "REFUSED": {rcode: dnsmessage.RCodeRefused}, "referral": {referral: true},
	} {
		bad.set("host.test A", set)
		d := &DNS{Servers: []netip.AddrPort{bad.addr, good.addr}, Family: IPv4}
		a, err := at(t, d, Name{Host: "host.test"})
		require.NoError(t, err, name)
		assert.Equal(t, []string{"192.0.2.1:443"}, addrsOf(a))
	}
	// One that refuses is not asked again; one that fails is.
	bad.set("other.test A", zoneSet{rcode: dnsmessage.RCodeRefused})
	good.set("other.test A", zoneSet{rcode: dnsmessage.RCodeServerFailure})
	_, err := at(t, &DNS{Servers: []netip.AddrPort{bad.addr, good.addr}, Family: IPv4, Attempts: 3}, Name{Host: "other.test"})
	require.ErrorIs(t, err, ServerFailure)
	assert.Equal(t, 1, bad.count("other.test A"))
	assert.Equal(t, 3, good.count("other.test A"))
}

func TestDNS_goes_on_without_EDNS_when_a_server_does_not_know_it(t *testing.T) {
	s := newScripted(t)
	s.add("host.test", 300, ipv4("192.0.2.1"))
	s.script(func(q asked) [][]byte {
		if q.edns {
			return [][]byte{q.reply(zoneSet{rcode: dnsmessage.RCodeFormatError})}
		}
		return nil
	})
	d := s.dns()
	d.Family = IPv4
	_, err := at(t, d, Name{Host: "host.test"})
	require.NoError(t, err)
	assert.Equal(t, 2, s.count("host.test A"))
}

func TestDNS_asks_nobody_for_addresses_and_names_that_are_not_of_DNS(t *testing.T) {
	d := &DNS{Dial: func(context.Context, string, string) (net.Conn, error) {
		t.Error("a server is asked")
		return nil, net.ErrClosed
	}}
	for host, want := range map[string][]string{
		"192.0.2.7": {"192.0.2.7:443"}, "::ffff:192.0.2.7": {"192.0.2.7:443"}, "2001:db8::7": {"[2001:db8::7]:443"},
		"fe80::1%eth0": {"[fe80::1%eth0]:443"}, "localhost": {"127.0.0.1:443", "[::1]:443"}, "a.LocalHost.": {"127.0.0.1:443", "[::1]:443"},
	} {
		a, err := at(t, d, Name{Host: host, Scheme: "https"})
		require.NoError(t, err, host)
		assert.Equal(t, want, addrsOf(a), host)
		assert.Equal(t, Forever, a.TTL)
	}
	for _, host := range []string{"name.invalid", "abc.onion"} {
		_, err := at(t, d, Name{Host: host})
		assert.ErrorIs(t, err, NotExist, host)
	}
	long := "a"
	for len(long) < 260 {
		long += ".a"
	}
	for _, host := range []string{"", ".", "a..b", ".a", "a b", "a\n.test", "ä.test", "[::1]", "1.2.3.4:5", "x/y", long, "a.test.."} {
		_, err := at(t, d, Name{Host: host})
		require.ErrorIs(t, err, InvalidName, "%q", host)
		assert.NotContains(t, err.Error(), "\n")
	}
	for _, service := range []string{"_a", "a._tcp", "_a.tcp", "_a._tcp.x", "_a._tcp b"} {
		_, err := at(t, d, Name{Host: "host.test", Service: service})
		assert.ErrorIs(t, err, InvalidName, service)
	}
}

func TestDNS_follows_aliases_within_a_reply_and_beyond_it(t *testing.T) {
	s := newScripted(t)
	// As a resolver says it: the chain, in any order, and what does not belong to it.
	s.set("www.test A", zoneSet{records: []dnsmessage.Resource{
		resource("host.test", 300, ipv4("192.0.2.1")),
		resource("EVIL.test", 300, ipv4("203.0.113.66")),
		resource("b.test", 40, cname("host.test")),
		resource("WWW.test", 50, cname("B.Test")),
	}})
	// A server that leaves the rest to us.
	s.add("one.test", 70, cname("two.test"))
	s.add("two.test", 80, cname("host.test"))
	s.add("host.test", 300, ipv4("192.0.2.1"))
	d := s.dns()
	d.Family = IPv4
	a, err := at(t, d, Name{Host: "www.test"})
	require.NoError(t, err)
	assert.Equal(t, []string{"192.0.2.1:443"}, addrsOf(a))
	assert.Equal(t, 40*time.Second, a.TTL)
	a, err = at(t, d, Name{Host: "one.test"})
	require.NoError(t, err)
	assert.Equal(t, []string{"192.0.2.1:443"}, addrsOf(a))
	assert.Equal(t, 70*time.Second, a.TTL)

	s.set("dangling.test A", zoneSet{rcode: dnsmessage.RCodeNameError, records: []dnsmessage.Resource{
		resource("dangling.test", 30, cname("gone.test")),
	}, authority: []dnsmessage.Resource{soa(900, 900)}})
	_, err = at(t, d, Name{Host: "dangling.test"})
	require.ErrorIs(t, err, NotExist)
	var e *Error
	require.ErrorAs(t, err, &e)
	assert.Equal(t, "gone.test", e.Name)
	assert.Equal(t, 30*time.Second, e.TTL, "not longer than the alias")

	s.set("nodata.test A", zoneSet{records: []dnsmessage.Resource{resource("nodata.test", 30, cname("host.test"))}, authority: []dnsmessage.Resource{soa(9, 9)}})
	_, err = at(t, d, Name{Host: "nodata.test"})
	require.ErrorIs(t, err, NoData)
	assert.Equal(t, 2, s.count("host.test A")+s.count("two.test A"), "an SOA record says no, and nothing is left to ask")
}

func TestDNS_reads_a_changed_resolv_conf_again(t *testing.T) {
	path := t.TempDir() + "/resolv.conf"
	write(t, path, "nameserver 192.0.2.1\noptions timeout:3 attempts:4\n")
	synctest.Test(t, func(t *testing.T) {
		d := &DNS{ResolvConf: path}
		c := d.config()
		assert.Equal(t, []netip.AddrPort{netip.MustParseAddrPort("192.0.2.1:53")}, c.servers)
		assert.Equal(t, 3*time.Second, c.timeout)
		assert.Equal(t, 4, c.attempts)
		write(t, path, "nameserver 192.0.2.22\n")
		assert.Equal(t, c, d.config(), "not before some seconds have passed")
		time.Sleep(confEvery)
		c = d.config()
		assert.Equal(t, []netip.AddrPort{netip.MustParseAddrPort("192.0.2.22:53")}, c.servers)
		assert.Equal(t, 2, c.attempts)
		remove(t, path)
		time.Sleep(confEvery)
		assert.Equal(t, c, d.config(), "a file that is being replaced")
		d.Timeout, d.Attempts = time.Second, 1
		c = d.config()
		assert.Equal(t, time.Second, c.timeout)
		assert.Equal(t, 1, c.attempts)
	})
	_, err := at(t, &DNS{Timeout: -1}, Name{Host: "host.test"})
	assert.ErrorContains(t, err, "-1ns")
	_, err = at(t, &DNS{Attempts: -2}, Name{Host: "host.test"})
	assert.ErrorContains(t, err, "-2")
}
