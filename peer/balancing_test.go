package peer

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom"
	"github.com/ratmom/ratmom/config"
	"github.com/ratmom/ratmom/peer/balance"
	"github.com/ratmom/ratmom/peer/health"
)

func TestOptions_out_of_range_are_refused(t *testing.T) {
	client, err := ratmom.New()
	require.NoError(t, err)
	defer client.Close()
	for name, o := range map[string]Option{
		"Panic": Panic(1.1), "ZoneSpare": ZoneSpare(0.9), "SlowStart": SlowStart(-1), "CheckWorkers": CheckWorkers(0),
	} {
		_, err := Open(client, o)
		assert.ErrorContains(t, err, name)
	}
	m := openMap(t, EachPeer(func(ID) []Option { return []Option{Panic(2)} }))
	_, err = m.Get("http://some.peer.invalid/")
	assert.ErrorContains(t, err, "Panic")
}

func TestEachPeer_has_options_of_its_own(t *testing.T) {
	m := openMap(t, MaxLinks(3), Zone("here"), ErrorTTL(health.KindTLS, health.TTL{First: 1}),
		Requests(config.UserAgent("all")), Profile("p"),
		EachPeer(func(id ID) []Option {
			if id.Host != "special.invalid" {
				return nil
			}
			return []Option{
				MaxLinks(7), Panic(-1), ZoneSpare(2), SlowStart(time.Minute), ErrorTTL(health.KindTLS, health.TTL{First: 2}),
				Outliers(health.OutlierPolicy{Consecutive: 2}), Breaker(health.Limits{Links: 5}), Requests(config.UserAgent("special")),
				Profile("p", config.UserAgent("profile")),
			}
		}))
	special, err := m.Get("http://special.invalid/")
	require.NoError(t, err)
	assert.Equal(t, 7, special.s.limits.maxLinks)
	assert.Equal(t, balance.Usable{Panic: -1, Zone: "here", Spare: 2}, special.s.among)
	assert.Equal(t, 2, special.s.outliers.Policy.Consecutive)
	assert.Equal(t, 5, special.s.breaker.Limits.Links)
	assert.EqualValues(t, 2, special.faults.errs.TTL[health.KindTLS].First)
	assert.Equal(t, "special", special.plan.UserAgent)
	slow, ok := special.s.policy.(*balance.SlowStart)
	require.True(t, ok)
	assert.Equal(t, time.Minute, slow.Window)
	assert.IsType(t, new(balance.PeakEWMA), slow.Policy)

	other, err := m.Get("http://other.invalid/")
	require.NoError(t, err)
	assert.Equal(t, 3, other.s.limits.maxLinks)
	assert.Equal(t, balance.Usable{Zone: "here"}, other.s.among)
	assert.Zero(t, other.s.outliers.Policy)
	assert.EqualValues(t, 1, other.faults.errs.TTL[health.KindTLS].First)
	assert.Equal(t, "all", other.plan.UserAgent)
	assert.IsType(t, new(balance.PeakEWMA), other.s.policy)
}

func TestOutliers_are_ejected_when_it_is_said(t *testing.T) {
	for _, c := range []struct {
		consecutive, hits int
	}{{2, 2}, {-1, 10}} {
		good := plain(t, nil)
		bad := plain(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) })
		m := openMap(t, among(t, good, bad), turns(), Outliers(health.OutlierPolicy{Consecutive: c.consecutive}))
		for range 20 {
			_, err := m.Do(request(t, http.MethodPost, "http://some.peer.invalid/"), AnyStatus())
			require.NoError(t, err)
		}
		assert.EqualValues(t, c.hits, bad.hits.Load())
	}
}

func TestSlowStart_gives_one_that_is_new_little_at_first(t *testing.T) {
	old, fresh := plain(t, nil), plain(t, nil)
	m := openMap(t, among(t, old), SlowStart(time.Hour), turns())
	const url = "http://some.peer.invalid/"
	p, err := m.Get(url)
	require.NoError(t, err)
	_, err = m.Do(request(t, http.MethodGet, url))
	require.NoError(t, err)
	p.decide(func(now time.Time) {
		p.s.endpoints[0].Since = now.Add(-2 * time.Hour)
		p.update([]Address{{Addr: hostPort(t, old.URL)}, {Addr: hostPort(t, fresh.URL)}}, now)
	})
	for range 110 {
		_, err := m.Do(request(t, http.MethodGet, url))
		require.NoError(t, err)
	}
	assert.EqualValues(t, 10, fresh.hits.Load(), "a tenth of what the other gets")
}

func TestZoneSpare_keeps_requests_in_the_zone(t *testing.T) {
	near, far := plain(t, nil), plain(t, nil)
	m := openMap(t, Zone("near"), ZoneSpare(2), WithResolver(ResolverFunc(func(context.Context, string, string, string) ([]Address, time.Duration, error) {
		return []Address{{Addr: hostPort(t, near.URL), Zone: "near"}, {Addr: "127.0.0.1:1", Zone: "near"}, {Addr: hostPort(t, far.URL), Zone: "far"}}, 0, nil
	})))
	const url = "http://some.peer.invalid/"
	p, err := m.Get(url)
	require.NoError(t, err)
	p.decide(p.refresh)
	eventually(t, "it has endpoints", func() bool { return len(endpointsOf(p)) == 3 })
	p.decide(func(now time.Time) { p.s.checked(p.s.endpoints[1], false, now) })
	for range 50 {
		_, err := m.Do(request(t, http.MethodGet, url))
		require.NoError(t, err)
	}
	assert.EqualValues(t, 50, near.hits.Load(), "half of the zone is up, and can carry it")
	assert.Zero(t, far.hits.Load())
}
