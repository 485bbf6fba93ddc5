package peer

import (
	"context"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom"
)

func TestRequest_whose_time_is_over_is_not_sent(t *testing.T) {
	s := plain(t, nil)
	m := openMap(t)
	_, err := m.Do(request(t, http.MethodGet, s.URL)) // there is a connection that it could ride
	require.NoError(t, err)
	for range 20 {
		r := m.Go(request(t, http.MethodGet, s.URL), Timeout(-1))
		_, err = r.Result()
		require.ErrorIs(t, err, ratmom.ErrTimeout)
		assert.False(t, r.Revealed())

		ctx, stop := context.WithCancel(t.Context())
		stop()
		r = m.Go(request(t, http.MethodGet, s.URL).WithContext(ctx))
		_, err = r.Result()
		require.ErrorIs(t, err, context.Canceled)
		require.ErrorIs(t, err, ratmom.ErrCanceled)
		assert.False(t, r.Revealed())
	}
	assert.EqualValues(t, 1, s.hits.Load())
}

func TestGetProfile_has_a_peer_whose_pins_and_links_work(t *testing.T) {
	s := plain(t, nil)
	m := openMap(t, Profile("special"))
	p, err := m.GetProfile(s.URL, "special")
	require.NoError(t, err)
	other, err := m.Get(s.URL)
	require.NoError(t, err)
	assert.NotSame(t, other, p)
	assert.Equal(t, "special", p.ID().Profile)
	_, err = m.GetProfile(s.URL, "unknown")
	require.ErrorIs(t, err, ratmom.ErrInvalidOption)
	_, err = m.GetProfile("no URL", "special")
	require.ErrorIs(t, err, ratmom.ErrInvalidRequest)

	require.NoError(t, p.Prelink())
	eventually(t, "it has a connection", func() bool { return p.Snapshot(0).Counters.Answered == 1 })
	link, err := p.Link()
	require.NoError(t, err)
	resp, err := link.RoundTrip(request(t, http.MethodGet, s.URL))
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	pin, err := p.Pin()
	require.NoError(t, err)
	_, err = pin.Do(request(t, http.MethodGet, s.URL))
	require.NoError(t, err)
	resp, err = pin.RoundTrip(request(t, http.MethodGet, s.URL))
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	pin, err = other.Pin()
	require.NoError(t, err)
	_, err = pin.Do(request(t, http.MethodGet, s.URL), WithProfile("special"))
	require.ErrorIs(t, err, errOtherPeer)
	assert.Zero(t, other.Snapshot(0).Counters.Requests)
}
