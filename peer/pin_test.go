package peer

import (
	"io"
	"net/http"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestPins_keep_owners_apart(t *testing.T) {
	const owners, each = 1000, 10
	s := plain(t, nil)
	m := openMap(t)
	p, err := m.Get(s.URL)
	require.NoError(t, err)
	var wg sync.WaitGroup
	remotes := make([]string, owners)
	pins := make([]*Pin, owners)
	for i := range owners {
		pins[i], err = p.Pin()
		require.NoError(t, err)
		wg.Go(func() {
			var rs []*Request
			for range each {
				rs = append(rs, pins[i].Go(request(t, http.MethodGet, s.URL)))
			}
			for _, r := range rs {
				res, err := r.Result()
				if !assert.NoError(t, err) {
					return
				}
				if remotes[i] == "" {
					remotes[i] = string(res.Content)
				}
				assert.Equal(t, remotes[i], string(res.Content), "one connection")
			}
		})
	}
	wg.Wait()
	assert.EqualValues(t, owners, s.conns.Load())
	distinct := make(map[string]bool)
	for _, r := range remotes {
		distinct[r] = true
	}
	assert.Len(t, distinct, owners)
	_, err = m.Do(request(t, http.MethodGet, s.URL))
	require.NoError(t, err)
	assert.EqualValues(t, owners+1, s.conns.Load(), "others have none of them")

	hits := s.hits.Load()
	s.breakAll()
	for _, pin := range pins {
		_, err := pin.Do(request(t, http.MethodGet, s.URL))
		require.ErrorIs(t, err, ErrPinLost)
	}
	assert.Equal(t, hits, s.hits.Load())
	pins[0].Release()
	_, err = pins[0].Do(request(t, http.MethodGet, s.URL))
	require.ErrorIs(t, err, ErrPinReleased)
	again, err := p.Pin()
	require.NoError(t, err)
	_, err = again.Do(request(t, http.MethodGet, s.URL))
	require.NoError(t, err)
	_, err = again.Do(request(t, http.MethodGet, "http://127.0.0.2/"))
	require.ErrorIs(t, err, errOtherPeer)
	resp, err := again.RoundTrip(request(t, http.MethodGet, s.URL))
	require.NoError(t, err)
	_, _ = io.Copy(io.Discard, resp.Body)
	require.NoError(t, resp.Body.Close())
	again.Release()
}

func TestPins_have_a_limit(t *testing.T) {
	m := openMap(t, MaxPins(1))
	p, err := m.Get("http://127.0.0.1:1")
	require.NoError(t, err)
	one, err := p.Pin()
	require.NoError(t, err)
	_, err = p.Pin()
	require.ErrorIs(t, err, ErrTooManyPins)
	one.Release()
	_, err = p.Pin()
	require.NoError(t, err)
	m.Close()
	_, err = p.Pin()
	require.ErrorIs(t, err, ErrClosed)
}

func TestPin_over_HTTP2_has_what_is_too_much_at_once_wait(t *testing.T) {
	s := secure(t, nil, 3)
	m := openMap(t, trusting())
	p, err := m.Get(s.URL)
	require.NoError(t, err)
	pin, err := p.Pin()
	require.NoError(t, err)
	defer pin.Release()
	_, err = pin.Do(request(t, http.MethodGet, s.URL))
	require.NoError(t, err)
	var rs []*Request
	for range 40 {
		rs = append(rs, pin.Go(request(t, http.MethodPost, s.URL)))
	}
	for _, r := range rs {
		_, err := r.Result()
		require.NoError(t, err)
	}
	require.EqualValues(t, 41, s.hits.Load())
	require.EqualValues(t, 1, s.conns.Load())
}
