package peer

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom"
	"github.com/ratmom/ratmom/peer/balance"
	"github.com/ratmom/ratmom/peer/health"
	"github.com/ratmom/ratmom/peer/resolve"
)

// among resolves every name to the servers.
func among(t *testing.T, servers ...*server) Option {
	var answer resolve.Answer
	for _, s := range servers {
		at, err := netip.ParseAddrPort(s.Listener.Addr().String())
		require.NoError(t, err)
		answer.Endpoints = append(answer.Endpoints, resolve.Endpoint{Addr: at, Weight: 1})
	}
	answer.TTL = resolve.Forever
	return WithResolver(Names(resolve.Func(func(context.Context, resolve.Name) (resolve.Answer, error) { return answer, nil }), ""))
}

func TestPeer_leaves_an_endpoint_out_that_fails_more_than_the_others(t *testing.T) {
	good, better := plain(t, nil), plain(t, nil)
	bad := plain(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) })
	m := openMap(t, among(t, good, bad, better), WithPolicy(func() Policy { return new(balance.RoundRobin) }))
	for range 90 {
		_, err := m.Do(request(t, http.MethodPost, "http://some.peer.invalid/"), AnyStatus())
		require.NoError(t, err)
	}
	assert.EqualValues(t, health.DefaultConsecutive, bad.hits.Load())
	assert.EqualValues(t, 85, good.hits.Load()+better.hits.Load())
	eventually(t, "its links are closed", func() bool { bad.mu.Lock(); defer bad.mu.Unlock(); return len(bad.open) == 0 })
}

func TestPeer_that_failed_is_tried_again_by_one_request(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	addr := l.Addr().String()
	require.NoError(t, l.Close())
	m := openMap(t, ErrorTTL(health.KindRefused, health.TTL{First: 300 * time.Millisecond}))
	_, err = m.Do(request(t, http.MethodGet, "http://"+addr))
	require.ErrorIs(t, err, ratmom.ErrConnect)
	_, err = m.Do(request(t, http.MethodGet, "http://"+addr))
	var blocked *health.Blocked
	require.ErrorAs(t, err, &blocked)
	require.ErrorIs(t, err, ErrUnavailable)
	assert.Equal(t, health.KindRefused, blocked.Kind)

	l, err = net.Listen("tcp", addr)
	require.NoError(t, err)
	s := &http.Server{Handler: http.NotFoundHandler()}
	go func() { _ = s.Serve(l) }()
	defer func() { _ = s.Close() }()
	eventually(t, "it is tried again", func() bool {
		res, _ := m.Do(request(t, http.MethodGet, "http://"+addr))
		return res != nil
	})
	p, err := m.Get("http://" + addr)
	require.NoError(t, err)
	require.NoError(t, p.Err())
}

func TestPeer_without_a_name_is_left_alone_as_long_as_the_zone_says(t *testing.T) {
	asked := 0
	m := openMap(t, WithResolver(Names(resolve.Func(func(context.Context, resolve.Name) (resolve.Answer, error) {
		asked++
		return resolve.Answer{}, &resolve.Error{Kind: resolve.NotExist, Name: "some.peer.invalid", TTL: time.Hour}
	}), "")))
	_, err := m.Do(request(t, http.MethodGet, "http://some.peer.invalid/"))
	require.ErrorIs(t, err, ratmom.ErrNameResolution)
	require.ErrorIs(t, err, resolve.NotExist)
	_, err = m.Do(request(t, http.MethodGet, "http://some.peer.invalid/"))
	var blocked *health.Blocked
	require.ErrorAs(t, err, &blocked)
	assert.Equal(t, health.KindNameUnknown, blocked.Kind)
	assert.Greater(t, time.Until(blocked.Until), 30*time.Minute)
	assert.Equal(t, 1, asked)
}

func TestPeer_that_asks_for_it_is_left_alone(t *testing.T) {
	s := plain(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "60")
		w.WriteHeader(http.StatusServiceUnavailable)
	})
	m := openMap(t)
	_, err := m.Do(request(t, http.MethodGet, s.URL))
	var se *StatusError
	require.ErrorAs(t, err, &se)
	_, err = m.Do(request(t, http.MethodGet, s.URL))
	require.ErrorIs(t, err, ErrUnavailable)
	assert.EqualValues(t, 1, s.hits.Load())
	require.Equal(t, 1, m.ClearError())
	_, err = m.Do(request(t, http.MethodGet, s.URL))
	require.ErrorAs(t, err, &se)
}
