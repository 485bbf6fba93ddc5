package resolve

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/dns/dnsmessage"
)

// params are keys with their values, in turn.
func params(kv ...any) (all []dnsmessage.SVCParam) {
	for i := 0; i < len(kv); i += 2 {
		all = append(all, dnsmessage.SVCParam{Key: kv[i].(dnsmessage.SVCParamKey), Value: []byte(kv[i+1].(string))})
	}
	return all
}

func httpsRecord(priority uint16, target string, p ...any) *dnsmessage.HTTPSResource {
	return &dnsmessage.HTTPSResource{SVCBResource: dnsmessage.SVCBResource{Priority: priority, Target: dnsName(target), Params: params(p...)}}
}

const (
	kMandatory = dnsmessage.SVCParamMandatory
	kALPN      = dnsmessage.SVCParamALPN
	kNoDefault = dnsmessage.SVCParamNoDefaultALPN
	kPort      = dnsmessage.SVCParamPort
	kHint4     = dnsmessage.SVCParamIPv4Hint
	kHint6     = dnsmessage.SVCParamIPv6Hint
	kECH       = dnsmessage.SVCParamECH
)

func TestDNS_gives_what_HTTPS_records_name_and_the_own_addresses_last(t *testing.T) {
	s := newScripted(t)
	s.add("www.test", 500, httpsRecord(1, ".", kALPN, "\x02h3\x02h2", kPort, "\x20\xfb", kECH, "config"), httpsRecord(2, "b.test", kALPN, "\x02h2"))
	s.add("www.test", 400, ipv4("192.0.2.1"))
	s.add("b.test", 300, ipv4("192.0.2.2"))
	a, err := at(t, s.dns(), Name{Scheme: "https", Host: "www.test"})
	require.NoError(t, err)
	assert.Equal(t, 300*time.Second, a.TTL)
	assert.Equal(t, []Endpoint{
		{Addr: netip.MustParseAddrPort("192.0.2.1:8443"), Priority: 1, Weight: 1, Target: "www.test", ALPN: []string{"h2", "http/1.1"}, ECH: []byte("config")},
		{Addr: netip.MustParseAddrPort("192.0.2.2:443"), Priority: 2, Weight: 1, Target: "b.test", ALPN: []string{"h2", "http/1.1"}},
		{Addr: netip.MustParseAddrPort("192.0.2.1:443"), Priority: 3, Weight: 1, Target: "www.test"},
	}, a.Endpoints)
	assert.Equal(t, 1, s.count("www.test A"), "the addresses of one host are asked for once")

	d := s.dns()
	d.ALPN = []string{"h3"}
	a, err = at(t, d, Name{Scheme: "https", Host: "www.test"})
	require.NoError(t, err)
	assert.Equal(t, []string{"192.0.2.1:8443"}, addrsOf(a), "records for others are passed over; with ECH in all there is no way without")
	assert.Equal(t, []string{"h3"}, a.Endpoints[0].ALPN)

	d = s.dns()
	d.NoHTTPS = true
	for _, name := range []Name{{Scheme: "http", Host: "www.test", Port: 443}, {Host: "www.test"}, {Scheme: "https", Host: "www.test"}} {
		before := s.count("www.test HTTPS")
		a, err = at(t, d, name)
		require.NoError(t, err)
		assert.Equal(t, []string{"192.0.2.1:443"}, addrsOf(a))
		assert.Equal(t, before, s.count("www.test HTTPS"))
	}
}

func TestDNS_asks_for_HTTPS_records_of_another_port_under_its_name(t *testing.T) {
	s := newScripted(t)
	s.add("_8443._https.www.test", 500, httpsRecord(1, "b.test"))
	s.add("b.test", 300, ipv4("192.0.2.2"))
	a, err := at(t, s.dns(), Name{Scheme: "https", Host: "www.test", Port: 8443})
	require.NoError(t, err)
	assert.Equal(t, []string{"192.0.2.2:8443"}, addrsOf(a))
}

func TestDNS_follows_HTTPS_aliases_so_far_and_no_further(t *testing.T) {
	s := newScripted(t)
	s.add("apex.test", 500, httpsRecord(0, "cdn.test"))
	s.add("cdn.test", 100, ipv4("192.0.2.5"))
	a, err := at(t, s.dns(), Name{Scheme: "https", Host: "apex.test"})
	require.NoError(t, err)
	assert.Equal(t, []string{"192.0.2.5:443"}, addrsOf(a))
	assert.Equal(t, "cdn.test", a.Endpoints[0].Target)
	assert.Equal(t, 100*time.Second, a.TTL)

	s.add("apex2.test", 500, httpsRecord(0, "svc.test"))
	s.add("apex2.test", 500, ipv4("192.0.2.9"))
	s.add("svc.test", 100, httpsRecord(1, ".", kPort, "\x00\x50"))
	s.add("svc.test", 100, ipv4("192.0.2.6"))
	a, err = at(t, s.dns(), Name{Scheme: "https", Host: "apex2.test"})
	require.NoError(t, err)
	assert.Equal(t, []string{"192.0.2.6:80", "192.0.2.9:443"}, addrsOf(a))

	s.add("loop.test", 500, httpsRecord(0, "pool.test"))
	s.add("pool.test", 500, httpsRecord(0, "loop.test"))
	_, err = at(t, s.dns(), Name{Scheme: "https", Host: "loop.test"})
	require.ErrorIs(t, err, NoData)
	assert.LessOrEqual(t, s.count("loop.test HTTPS")+s.count("pool.test HTTPS"), maxChain)

	s.add("off.test", 500, httpsRecord(0, "."))
	s.add("off.test", 500, ipv4("192.0.2.7"))
	a, err = at(t, s.dns(), Name{Scheme: "https", Host: "off.test"})
	require.NoError(t, err)
	assert.Equal(t, []string{"192.0.2.7:443"}, addrsOf(a))
}

func TestDNS_takes_hints_only_where_there_are_no_addresses(t *testing.T) {
	s := newScripted(t)
	hints := []any{kHint4, "\xc0\x00\x02\x21", kHint6, "\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x21"}
	s.add("www.test", 500, httpsRecord(1, "b.test", hints...), httpsRecord(2, "c.test", hints...))
	s.add("b.test", 500, ipv4("192.0.2.2"))
	a, err := at(t, s.dns(), Name{Scheme: "https", Host: "www.test"})
	require.NoError(t, err)
	assert.Equal(t, []string{"192.0.2.2:443", "192.0.2.33:443", "[2001:db8::21]:443"}, addrsOf(a))
	assert.Equal(t, unsureTTL, a.TTL)
}

func TestDNS_does_without_HTTPS_records_that_fail_or_are_malformed(t *testing.T) {
	s := newScripted(t)
	s.add("www.test", 500, ipv4("192.0.2.1"))
	good := resource("www.test", 500, httpsRecord(1, ".", kPort, "\x00\x51"))
	s.set("www.test HTTPS", zoneSet{rcode: dnsmessage.RCodeServerFailure})
	a, err := at(t, s.dns(), Name{Scheme: "https", Host: "www.test"})
	require.NoError(t, err)
	assert.Equal(t, []string{"192.0.2.1:443"}, addrsOf(a))
	assert.Equal(t, unsureTTL, a.TTL)

	for i, bad := range [][]any{
		{kPort, "\x01"}, {kPort, "\x00\x00"}, {kALPN, ""}, {kALPN, "\x05h2"}, {kALPN, "\x00"}, {kNoDefault, ""}, {kALPN, "\x02h2", kNoDefault, "x"},
		{kHint4, "abc"}, {kHint4, ""}, {kHint6, "abcd"}, {kECH, ""}, {kMandatory, "\x00"}, {kMandatory, ""},
		{kMandatory, "\x00\x03"}, {kMandatory, "\x00\x00"}, {kMandatory, "\x00\x03\x00\x01", kALPN, "\x02h2", kPort, "\x00\x50"},
	} {
		s.set("www.test HTTPS", zoneSet{records: []dnsmessage.Resource{good, resource("www.test", 500, httpsRecord(2, ".", bad...))}})
		a, err = at(t, s.dns(), Name{Scheme: "https", Host: "www.test"})
		require.NoError(t, err)
		assert.Equal(t, []string{"192.0.2.1:443"}, addrsOf(a), "one bad record makes the set void: %d", i)
	}
	s.add("b.test", 500, ipv4("192.0.2.2"))
	// A key that must be understood and is not makes its record void, and only that.
	s.set("www.test HTTPS", zoneSet{records: []dnsmessage.Resource{
		good, resource("www.test", 500, httpsRecord(2, "b.test", kMandatory, "\xff\x01", dnsmessage.SVCParamKey(0xff01), "x")),
	}})
	a, err = at(t, s.dns(), Name{Scheme: "https", Host: "www.test"})
	require.NoError(t, err)
	assert.Equal(t, []string{"192.0.2.1:81", "192.0.2.1:443"}, addrsOf(a))
}

func TestReply_voids_a_set_with_keys_out_of_order_and_goes_on(t *testing.T) {
	s := newScripted(t)
	s.add("www.test", 500, ipv4("192.0.2.1"))
	s.script(func(q asked) [][]byte {
		if q.key != "www.test HTTPS" {
			return nil
		}
		b := q.reply(zoneSet{records: []dnsmessage.Resource{resource("www.test", 500, httpsRecord(1, ".", kPort, "\x00\x51", kHint4, "\x00\x00\x00\x00"))}})
		b[len(b)-7] = 2 // the key of the hint: now below that of the port
		return [][]byte{b}
	})
	a, err := at(t, s.dns(), Name{Scheme: "https", Host: "www.test"})
	require.NoError(t, err)
	assert.Equal(t, []string{"192.0.2.1:443"}, addrsOf(a))
	assert.Equal(t, 500*time.Second, a.TTL)
	assert.Len(t, s.queries(), 3, "and it is no alias")
}

func TestDNS_looks_up_no_more_HTTPS_targets_than_it_says(t *testing.T) {
	s := newScripted(t)
	for i := range 60 {
		s.add("www.test", 60, httpsRecord(uint16(i+1), fmt.Sprintf("t%d.test", i)))
	}
	d := s.dns()
	d.Family = IPv4
	_, err := at(t, d, Name{Scheme: "https", Host: "www.test"})
	require.Error(t, err)
	assert.LessOrEqual(t, len(s.queries()), maxTargets+2)
}

func TestDNS_keeps_little_of_an_HTTPS_record_that_is_large(t *testing.T) {
	s := newScripted(t)
	s.add("www.test", 60, httpsRecord(1, ".", kALPN, strings.Repeat("\x02h2", 5000), kECH, strings.Repeat("e", 20_000)))
	for i := range 60 {
		s.add("www.test", 60, ipv4(fmt.Sprintf("192.0.2.%d", i+1)))
	}
	d := s.dns()
	d.Family = IPv4
	a, err := at(t, d, Name{Scheme: "https", Host: "www.test"})
	require.NoError(t, err)
	require.Len(t, a.Endpoints, 60)
	for _, e := range a.Endpoints {
		require.Equal(t, []string{"h2", "http/1.1"}, e.ALPN)
		require.Len(t, e.ECH, 20_000)
		require.Same(t, &a.Endpoints[0].ECH[0], &e.ECH[0], "one for all addresses")
	}
}
