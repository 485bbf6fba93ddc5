package resolve

import (
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/dns/dnsmessage"
)

func TestDNS_gives_what_SRV_records_name_with_priority_weight_and_port(t *testing.T) {
	s := newScripted(t)
	s.add("_matrix-fed._tcp.example.test", 600, srvRecord(10, 60, 8448, "a.test"), srvRecord(10, 0, 8449, "b.test"), srvRecord(20, 5, 443, "gone.test"), srvRecord(20, 5, 443, "c.test"))
	s.add("a.test", 300, ipv4("192.0.2.1"), ipv4("192.0.2.2"))
	s.add("a.test", 300, ipv6("2001:db8::1"))
	s.add("b.test", 200, ipv4("192.0.2.3"))
	s.add("c.test", 300, ipv4("192.0.2.4"))
	a, err := at(t, s.dns(), Name{Scheme: "https", Host: "example.test", Service: "_matrix-fed._tcp", Port: 1})
	require.NoError(t, err)
	assert.Equal(t, 200*time.Second, a.TTL)
	assert.Equal(t, []Endpoint{
		{Addr: netip.MustParseAddrPort("192.0.2.1:8448"), Priority: 10, Weight: 20, Target: "a.test"},
		{Addr: netip.MustParseAddrPort("192.0.2.2:8448"), Priority: 10, Weight: 20, Target: "a.test"},
		{Addr: netip.MustParseAddrPort("192.0.2.3:8449"), Priority: 10, Weight: 0, Target: "b.test"},
		{Addr: netip.MustParseAddrPort("[2001:db8::1]:8448"), Priority: 10, Weight: 20, Target: "a.test"},
		{Addr: netip.MustParseAddrPort("192.0.2.4:443"), Priority: 20, Weight: 5, Target: "c.test"},
	}, a.Endpoints)
	assert.Zero(t, s.count("example.test A")+s.count("example.test HTTPS"))
}

func TestDNS_takes_the_first_service_that_has_records_and_else_the_host(t *testing.T) {
	s := newScripted(t)
	s.add("_old._tcp.example.test", 600, srvRecord(1, 1, 8448, "a.test"))
	s.add("a.test", 300, ipv4("192.0.2.1"))
	s.add("example.test", 300, ipv4("192.0.2.9"))
	a, err := at(t, s.dns(), Name{Host: "example.test", Service: "_new._tcp _old._tcp"})
	require.NoError(t, err)
	assert.Equal(t, []string{"192.0.2.1:8448"}, addrsOf(a))
	a, err = at(t, s.dns(), Name{Host: "example.test", Service: "_new._tcp", Port: 8448})
	require.NoError(t, err)
	assert.Equal(t, []string{"192.0.2.9:8448"}, addrsOf(a))

	// What could not be found out is not "no records".
	s.set("_new._tcp.example.test SRV", zoneSet{rcode: dnsmessage.RCodeServerFailure})
	_, err = at(t, s.dns(), Name{Host: "example.test", Service: "_new._tcp _old._tcp"})
	require.ErrorIs(t, err, ServerFailure)
	// "." says no.
	s.set("_new._tcp.example.test SRV", zoneSet{records: []dnsmessage.Resource{resource("_new._tcp.example.test", 77, srvRecord(0, 0, 0, "."))}})
	_, err = at(t, s.dns(), Name{Host: "example.test", Service: "_new._tcp _old._tcp"})
	require.ErrorIs(t, err, NoData)
	var e *Error
	require.ErrorAs(t, err, &e)
	assert.Equal(t, 77*time.Second, e.TTL)
	// No target has an address.
	s.set("_new._tcp.example.test SRV", zoneSet{records: []dnsmessage.Resource{resource("_new._tcp.example.test", 77, srvRecord(0, 0, 1, "gone.test"))}})
	_, err = at(t, s.dns(), Name{Host: "example.test", Service: "_new._tcp"})
	require.ErrorIs(t, err, NotExist)
}

func TestDNS_looks_up_no_more_targets_than_it_says(t *testing.T) {
	s := newScripted(t)
	for i := range 100 {
		target := string(rune('a'+i%26)) + string(rune('a'+i/26)) + ".test"
		s.add("_x._tcp.many.test", 60, srvRecord(uint16(i), 1, 1, target))
		s.add(target, 60, ipv4("192.0.2.1"))
	}
	d := s.dns()
	d.Family = IPv4
	_, err := at(t, d, Name{Host: "many.test", Service: "_x._tcp"})
	require.NoError(t, err)
	addresses := 0
	for _, q := range s.queries() {
		if q.key != "_x._tcp.many.test SRV" {
			addresses++
		}
	}
	assert.Equal(t, maxTargets, addresses)
}

func TestOrder_draws_by_weight_within_a_priority(t *testing.T) {
	port := func(i int) netip.AddrPort { return netip.AddrPortFrom(netip.IPv6Loopback(), uint16(i)) }
	a := Answer{Endpoints: []Endpoint{
		{Addr: port(1), Priority: 2, Weight: 9}, {Addr: port(2), Priority: 1, Weight: 1}, {Addr: port(3), Priority: 1, Weight: 3}, {Addr: port(4), Priority: 1},
	}}
	random := rand.New(rand.NewPCG(1, 2))
	const n = 20_000
	first, second := map[uint16]int{}, map[uint16]int{}
	for range n {
		got := a.Order(random.Float64)
		require.Len(t, got, 4)
		require.Equal(t, port(1), got[3].Addr, "the higher number comes last")
		first[got[0].Addr.Port()]++
		second[got[1].Addr.Port()]++
	}
	assert.InDelta(t, n/4, first[2], n/40)
	assert.InDelta(t, 3*n/4, first[3], n/40)
	assert.Less(t, first[4], n/1000, "weight 0 comes hardly ever before others")
	assert.Less(t, second[4], n/500)
	assert.Equal(t, port(1), a.Endpoints[0].Addr, "the answer stays as it is")

	equal := Answer{Endpoints: []Endpoint{{Addr: port(1)}, {Addr: port(2)}}}
	ones := 0
	for range n {
		ones += int(equal.Order(random.Float64)[0].Addr.Port() & 1)
	}
	assert.InDelta(t, n/2, ones, n/40)
	assert.Len(t, equal.Order(func() float64 { return 1 }), 2)
	assert.Empty(t, Answer{}.Order(random.Float64))
}
