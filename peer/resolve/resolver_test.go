package resolve

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net"
	"net/netip"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestLiteral_knows_addresses_and_nothing_else(t *testing.T) {
	a, err := at(t, Literal, Name{Host: "2001:db8::1", Port: 8448})
	require.NoError(t, err)
	assert.Equal(t, []string{"[2001:db8::1]:8448"}, addrsOf(a))
	assert.Equal(t, Forever, a.TTL)
	_, err = at(t, Literal, Name{Host: "localhost"})
	require.ErrorIs(t, err, InvalidName)
}

func TestStatic_gives_its_list_for_every_name(t *testing.T) {
	one := Endpoint{Addr: netip.MustParseAddrPort("192.0.2.2:80"), Priority: 1, Weight: 2, Zone: "west"}
	two := Endpoint{Addr: netip.MustParseAddrPort("[::ffff:192.0.2.1]:80"), Zone: "east", Weight: 0.5}
	s, err := Static(one, two)
	require.NoError(t, err)
	two.Addr = netip.MustParseAddrPort("192.0.2.1:80")
	for _, host := range []string{"a.test", "192.0.2.99"} {
		a, err := at(t, s, Name{Host: host})
		require.NoError(t, err)
		assert.Equal(t, []Endpoint{two, one}, a.Endpoints)
		assert.Equal(t, Forever, a.TTL)
		a.Endpoints[0] = Endpoint{} // the caller's own
	}
	for name, eps := range map[string][]Endpoint{
		"none": nil, "no address": {{}}, "no port": {{Addr: netip.MustParseAddrPort("192.0.2.1:0")}},
		"negative": {{Addr: one.Addr, Weight: -1}}, "NaN": {{Addr: one.Addr, Weight: math.NaN()}}, "inf": {{Addr: one.Addr, Weight: math.Inf(1)}},
		"twice": {one, one}, "too many": make([]Endpoint, MaxEndpoints+1),
	} {
		_, err := Static(eps...)
		assert.Error(t, err, name)
	}
}

func TestSystem_looks_names_up_and_tells_failures_apart(t *testing.T) {
	a, err := at(t, &System{}, Name{Host: "localhost", Port: 99})
	require.NoError(t, err)
	assert.Contains(t, addrsOf(a), "127.0.0.1:99")
	assert.Equal(t, systemTTL, a.TTL)
	a, err = at(t, &System{TTL: time.Minute, Family: IPv4}, Name{Host: "192.0.2.1"})
	require.NoError(t, err)
	assert.Equal(t, Forever, a.TTL)

	s := newScripted(t)
	s.add("host.test", 300, ipv4("192.0.2.1"))
	s.add("_x._tcp.host.test", 300, srvRecord(3, 4, 8448, "host.test"))
	s.add("_off._tcp.host.test", 300, srvRecord(0, 0, 0, "."))
	sys := &System{TTL: time.Minute, Resolver: &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, s.addr.String())
	}}}
	a, err = at(t, sys, Name{Host: "host.test."})
	require.NoError(t, err)
	assert.Equal(t, []string{"192.0.2.1:443"}, addrsOf(a))
	assert.Equal(t, time.Minute, a.TTL)
	a, err = at(t, sys, Name{Host: "host.test", Service: "_none._tcp _x._tcp"})
	require.NoError(t, err)
	assert.Equal(t, []Endpoint{{Addr: netip.MustParseAddrPort("192.0.2.1:8448"), Priority: 3, Weight: 4, Target: "host.test"}}, a.Endpoints)
	_, err = at(t, sys, Name{Host: "host.test", Service: "_off._tcp"})
	require.Error(t, err)
	_, err = at(t, sys, Name{Host: "gone.test"})
	require.ErrorIs(t, err, NotExist)
	_, err = at(t, sys, Name{Host: "a b"})
	require.ErrorIs(t, err, InvalidName)
	_, err = at(t, &System{TTL: -1}, Name{Host: "host.test"})
	require.Error(t, err)

	ctx, cancel := context.WithCancel(t.Context())
	s.script(func(asked) [][]byte { cancel(); return [][]byte{} })
	_, err = sys.Resolve(ctx, Name{Host: "other.test"})
	require.ErrorIs(t, err, context.Canceled)
}

func TestKindOf_knows_the_errors_of_net_and_context(t *testing.T) {
	for kind, err := range map[Kind]error{
		NotExist: &net.DNSError{IsNotFound: true}, Timeout: context.DeadlineExceeded, ServerFailure: &net.DNSError{IsTemporary: true},
		Unknown: errors.New("x"), Delegation: errors.Join(errors.New("x"), &Error{Kind: Delegation}),
	} {
		assert.Equal(t, kind, KindOf(err))
	}
	assert.Equal(t, Timeout, KindOf(&net.DNSError{IsTimeout: true}))
	assert.Equal(t, Timeout, KindOf(os.ErrDeadlineExceeded))
	var dns *net.DNSError
	require.ErrorAs(t, fmt.Errorf("wrapped: %w", &Error{Kind: NoData, Name: "a.test", Server: "192.0.2.1:53"}), &dns)
	assert.Equal(t, &net.DNSError{Err: "no such record", Name: "a.test", Server: "192.0.2.1:53", IsNotFound: true}, dns)
	assert.False(t, errors.As(&Error{Err: context.Canceled}, &dns))
	require.ErrorAs(t, &Error{Kind: Timeout}, &dns)
	assert.True(t, dns.IsTimeout && dns.IsTemporary && !dns.IsNotFound)
	assert.True(t, (&Error{Kind: ServerFailure}).Temporary())
	assert.False(t, (&Error{Kind: NotExist}).Temporary())
	assert.Equal(t, kindTexts[Unknown], Kind(200).Error())
	for k := range kindTexts {
		assert.NotEmpty(t, kindTexts[k])
	}
}
