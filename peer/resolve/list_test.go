package resolve

import (
	"context"
	"math"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// hosts is a resolver with a table.
type hosts map[string]Answer

func (h hosts) Resolve(_ context.Context, name Name) (Answer, error) {
	if a, ok := h[name.Host]; ok {
		return a, nil
	}
	return Answer{}, &Error{Kind: NotExist, Name: name.Host}
}

func endpoint(addr string, priority uint16) Endpoint {
	return Endpoint{Addr: netip.MustParseAddrPort(addr), Priority: priority, Weight: 1}
}

func TestList_gives_the_endpoints_of_all_its_hosts(t *testing.T) {
	table := hosts{
		"a.test": {Endpoints: []Endpoint{endpoint(one, 7), endpoint(two, 7), endpoint("192.0.2.8:1", 8)}, TTL: time.Hour},
		"b.test": {Endpoints: []Endpoint{endpoint(three, 0), endpoint(one, 0)}, TTL: 2 * time.Hour, Stale: true},
	}
	targets := []Target{
		{Name: Name{Host: "b.test"}, Priority: 5, Weight: 1, Zone: "east"},
		{Name: Name{Host: "a.test"}, Priority: 1, Weight: 3, Zone: "west"},
	}
	l, err := List(table, targets...)
	require.NoError(t, err)
	targets[0].Name.Host = "changed.test"
	a, err := at(t, l, Name{Host: "any.test"})
	require.NoError(t, err)
	assert.Equal(t, []Endpoint{
		{Addr: netip.MustParseAddrPort(one), Priority: 1, Weight: 1.5, Zone: "west"},
		{Addr: netip.MustParseAddrPort(two), Priority: 1, Weight: 1.5, Zone: "west"},
		{Addr: netip.MustParseAddrPort(three), Priority: 5, Weight: 0.5, Zone: "east"},
	}, a.Endpoints)
	assert.Equal(t, time.Hour, a.TTL)
	assert.True(t, a.Stale)
	assert.EqualValues(t, 7, table["a.test"].Endpoints[0].Priority, "the answers of others stay as they are")

	delete(table, "a.test")
	a, err = at(t, l, Name{Host: "any.test"})
	require.NoError(t, err)
	assert.Equal(t, []string{one, three}, addrsOf(a))
	assert.Equal(t, unsureTTL, a.TTL)
	delete(table, "b.test")
	_, err = at(t, l, Name{Host: "any.test"})
	require.ErrorIs(t, err, NotExist)
	assert.ErrorContains(t, err, "b.test", "the first")
}

func TestList_asks_for_all_hosts_at_once(t *testing.T) {
	var both sync.WaitGroup
	both.Add(2)
	l, err := List(Func(func(ctx context.Context, name Name) (Answer, error) {
		both.Done()
		both.Wait()
		return Literal.Resolve(ctx, name)
	}), Target{Name: Name{Host: "192.0.2.1"}}, Target{Name: Name{Host: "192.0.2.2"}})
	require.NoError(t, err)
	a, err := at(t, l, Name{})
	require.NoError(t, err)
	assert.Equal(t, []string{one, two}, addrsOf(a))
	assert.Equal(t, Forever, a.TTL)
}

func TestList_refuses_what_is_no_list(t *testing.T) {
	for name, targets := range map[string][]Target{
		"none": nil, "too many": make([]Target, MaxEndpoints+1), "negative": {{Weight: -1}}, "NaN": {{Weight: math.NaN()}}, "inf": {{Weight: math.Inf(1)}},
	} {
		_, err := List(Literal, targets...)
		assert.Error(t, err, name)
	}
	_, err := List(nil, Target{})
	require.Error(t, err)
	l, err := List(Func(func(context.Context, Name) (Answer, error) { return Answer{}, nil }), Target{})
	require.NoError(t, err)
	_, err = at(t, l, Name{})
	require.ErrorIs(t, err, NoData)
}
