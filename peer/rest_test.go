package peer

import (
	"context"
	"errors"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom/peer/health"
	"github.com/ratmom/ratmom/retry"
)

// mooded is a server that answers with a status, and asks to be left alone for an hour if that is bad.
func mooded(t *testing.T, status int) (*server, *atomic.Int64) {
	mood := new(atomic.Int64)
	mood.Store(int64(status))
	return plain(t, func(w http.ResponseWriter, _ *http.Request) {
		if mood.Load() != 200 {
			w.Header().Set("Retry-After", "3600")
		}
		w.WriteHeader(int(mood.Load()))
	}), mood
}

func TestRest_by_a_503_is_that_of_its_endpoint_as_long_as_there_are_others(t *testing.T) {
	for name, ask := range map[string]func(t *testing.T, m *Map, p *Peer) int{
		"Do": func(t *testing.T, m *Map, _ *Peer) int {
			r, err := m.Do(request(t, http.MethodGet, peerURL), AnyStatus())
			require.NoError(t, err)
			return r.Status
		},
		"RoundTrip": func(t *testing.T, m *Map, _ *Peer) int {
			resp, err := m.RoundTrip(request(t, http.MethodGet, peerURL))
			require.NoError(t, err)
			require.NoError(t, resp.Body.Close())
			return resp.StatusCode
		},
		"a pin": func(t *testing.T, _ *Map, p *Peer) int {
			pin, err := p.Pin()
			require.NoError(t, err)
			defer pin.Release()
			r, err := pin.Do(request(t, http.MethodGet, peerURL), AnyStatus())
			require.NoError(t, err)
			return r.Status
		},
		"a pipeline": func(t *testing.T, _ *Map, p *Peer) int {
			l, err := p.Pipeline(t.Context(), 1)
			require.NoError(t, err)
			defer l.Close()
			a := send(l, request(t, http.MethodGet, peerURL))
			require.NoError(t, a.err)
			return a.status
		},
	} {
		t.Run(name, func(t *testing.T) {
			bad, _ := mooded(t, 503)
			good, mood := mooded(t, 200)
			m := openMap(t, of(bad, good), inOrder())
			p, err := m.Get(peerURL)
			require.NoError(t, err)
			require.Equal(t, 503, ask(t, m, p))
			for range 3 {
				require.Equal(t, 200, ask(t, m, p), "it goes to the other one")
			}
			assert.EqualValues(t, 1, bad.hits.Load())
			require.NoError(t, p.Err())
			shown := p.Snapshot(0).Endpoints
			assert.InDelta(t, 3600, float64(shown[0].Rests), 60)
			assert.Zero(t, shown[1].Rests)

			mood.Store(503)
			require.Equal(t, 503, ask(t, m, p))
			_, err = m.Do(request(t, http.MethodGet, peerURL))
			require.ErrorIs(t, err, ErrUnavailable)
			var blocked *health.Blocked
			require.ErrorAs(t, err, &blocked)
			assert.Equal(t, health.KindBusy, blocked.Kind)
			assert.InDelta(t, 3600, time.Until(blocked.Until).Seconds(), 60)

			require.True(t, p.ClearError())
			require.False(t, p.ClearError())
			require.Equal(t, 503, ask(t, m, p))
			assert.EqualValues(t, 2, bad.hits.Load(), "it is the first again")
			require.True(t, p.ClearError(), "one rests")
		})
	}
}

func TestRest_by_a_429_is_that_of_the_peer(t *testing.T) {
	bad, _ := mooded(t, 429)
	good, _ := mooded(t, 200)
	m := openMap(t, of(bad, good), inOrder())
	_, err := m.Do(request(t, http.MethodGet, peerURL))
	var status *StatusError
	require.ErrorAs(t, err, &status)
	_, err = m.Do(request(t, http.MethodGet, peerURL))
	require.ErrorIs(t, err, ErrUnavailable)
	assert.Zero(t, good.hits.Load())
}

func TestRest_does_not_hold_up_a_repeat_elsewhere(t *testing.T) {
	bad, _ := mooded(t, 503)
	good, _ := mooded(t, 200)
	m := openMap(t, of(bad, good), inOrder(), Requests(soon(retry.Policy{MaxRetryAfter: 10 * time.Hour})))
	_, err := m.Do(request(t, http.MethodGet, peerURL), Timeout(patience))
	require.NoError(t, err)
	assert.EqualValues(t, 1, bad.hits.Load())
	assert.EqualValues(t, 1, good.hits.Load())
}

func TestRest_is_as_long_as_the_errors_of_its_kind_may_be(t *testing.T) {
	bad, _ := mooded(t, 503)
	good, _ := mooded(t, 200)
	for longest, hits := range map[time.Duration]int64{0: 3, time.Hour: 1} {
		m := openMap(t, of(bad, good), inOrder(), ErrorTTL(health.KindBusy, health.TTL{Max: longest}))
		for range 3 {
			_, err := m.Do(request(t, http.MethodGet, peerURL), AnyStatus())
			require.NoError(t, err)
		}
		assert.Equal(t, hits, bad.hits.Swap(0), longest)
	}
}

func TestRest_ends_by_time_for_what_waits(t *testing.T) {
	tr := new(noted)
	s := newScheduler(limits{maxLinks: 1, maxPins: 1, maxStreams: 1, maxQueue: 10, maxAttempts: 8}, first{}, tr)
	s.breaker.Limits = health.Limits{Links: -1, Pending: -1, Requests: -1, Retries: -1}
	now := time.Unix(0, 0)
	s.update([]Address{{Addr: "a:1"}, {Addr: "b:1"}, {Addr: "c:1"}}, now)
	a, b, c := s.endpoints[0], s.endpoints[1], s.endpoints[2]
	s.update([]Address{{Addr: "a:1"}, {Addr: "b:1"}}, now) // c has gone
	require.NotContains(t, s.endpoints, c)

	all, _ := s.rest(a, 10*time.Second, now)
	require.False(t, all)
	all, _ = s.rest(a, time.Second, now) // it stays the longer one
	require.False(t, all)
	submit := func() { s.submit(&tag{}, now) }
	submit()
	require.Len(t, tr.runs, 1)
	require.Same(t, b, tr.runs[0].link.ep)
	submit()
	pinned := &tag{pin: s.newPin()}
	s.submit(pinned, now)
	require.Len(t, tr.runs, 2)
	require.Same(t, b, pinned.run.link.ep, "a new pin keeps off as well")
	require.Equal(t, now.Add(10*time.Second), s.next())
	now = now.Add(10*time.Second - 1)
	s.tick(now)
	require.Len(t, tr.runs, 2)
	now = s.next()
	s.tick(now)
	require.Len(t, tr.runs, 3)
	require.Same(t, a, tr.runs[2].link.ep)

	all, _ = s.rest(a, 3*time.Second, now)
	require.False(t, all)
	all, until := s.rest(b, 2*time.Second, now)
	require.True(t, all, "then it is the peer that is left alone")
	require.Equal(t, now.Add(2*time.Second), until)
	require.False(t, a.off || b.off, "what waits already goes on")
	now = until
	s.tick(now)
	require.True(t, a.off)
	require.False(t, b.off)
	s.update([]Address{{Addr: "a:1"}}, now)
	require.False(t, a.off, "the other one has gone")
}

func TestRest_of_an_endpoint_does_not_hurry_what_the_peer_asks_for(t *testing.T) {
	tr := new(noted)
	s := newScheduler(limits{maxLinks: 2, maxStreams: 1, maxQueue: 10, maxAttempts: 8}, first{}, tr)
	s.breaker.Limits = health.Limits{Links: -1, Pending: -1, Requests: -1, Retries: -1}
	now := time.Unix(0, 0)
	s.update([]Address{{Addr: "a:1"}, {Addr: "b:1"}}, now)
	p := retry.Policy{Tries: 2}.Full()
	var tags []*tag
	for range 2 {
		asked := &tag{tries: tries{ask: retry.Request{Method: http.MethodGet, Replayable: true}, run: retry.Begin(&p, nil, now)}}
		s.submit(asked, now)
		tags = append(tags, asked)
	}
	require.Same(t, s.endpoints[0], tr.runs[1].link.ep)
	all, _ := s.rest(s.endpoints[0], time.Hour, now)
	require.False(t, all)
	after := http.Header{"Retry-After": {"9"}}
	require.False(t, s.head(tr.runs[0], false, http.StatusServiceUnavailable, after, now))
	require.False(t, s.head(tr.runs[1], false, http.StatusTooManyRequests, after, now))
	assert.True(t, tags[0].due.Before(now.Add(9*time.Second)), "a 503 is about that server")
	assert.False(t, tags[1].due.Before(now.Add(9*time.Second)), "a 429 is about all")
}

func TestRest_leads_what_waits_to_where_there_is_room_now(t *testing.T) {
	tr := new(noted)
	s := newScheduler(limits{maxLinks: 1, maxStreams: 1, maxQueue: 10, maxAttempts: 8}, first{}, tr)
	s.breaker.Limits = health.Limits{Links: -1, Pending: -1, Requests: -1, Retries: -1}
	now := time.Unix(0, 0)
	s.update([]Address{{Addr: "a:1"}, {Addr: "b:1", Priority: 1}}, now)
	s.submit(&tag{}, now)
	s.submit(&tag{}, now)
	require.Len(t, tr.runs, 1, "one waits for the first")
	_, _ = s.rest(s.endpoints[0], time.Hour, now)
	require.Len(t, tr.runs, 2, "there is the next priority")
	assert.Same(t, s.endpoints[1], tr.runs[1].link.ep)
}

func TestRest_of_all_ends_for_the_first_request_that_comes_then(t *testing.T) {
	for _, pinned := range []bool{false, true} {
		tr := new(noted)
		s := newScheduler(limits{maxLinks: 1, maxPins: 1, maxStreams: 1, maxQueue: 10, maxAttempts: 8}, first{}, tr)
		s.breaker.Limits = health.Limits{Links: -1, Pending: -1, Requests: -1, Retries: -1}
		now := time.Unix(0, 0)
		s.update([]Address{{Addr: "a:1"}, {Addr: "b:1"}}, now)
		_, _ = s.rest(s.endpoints[0], time.Hour, now)
		all, until := s.rest(s.endpoints[1], time.Second, now)
		require.True(t, all)
		probe := &tag{}
		if pinned {
			probe.pin = s.newPin()
		}
		s.submit(probe, until) // before the timer
		require.Len(t, tr.runs, 1)
		assert.Same(t, s.endpoints[1], tr.runs[0].link.ep, "the other one rests on")
	}
}

func TestRest_of_an_endpoint_that_has_gone_is_not_that_of_the_others(t *testing.T) {
	bad, mood := mooded(t, 200)
	good, _ := mooded(t, 200)
	m := openMap(t, of(bad))
	p, err := m.Get(peerURL)
	require.NoError(t, err)
	l, err := p.Pipeline(t.Context(), 1)
	require.NoError(t, err)
	defer l.Close()
	p.decide(func(now time.Time) { p.update([]Address{{Addr: good.Listener.Addr().String()}}, now) })
	mood.Store(503)
	a := send(l, request(t, http.MethodGet, peerURL))
	require.NoError(t, a.err)
	require.Equal(t, 503, a.status)
	require.NoError(t, p.Err())
}

func TestRest_is_that_of_the_peer_when_the_resolver_names_no_other_any_more(t *testing.T) {
	bad, _ := mooded(t, 503)
	good, _ := mooded(t, 200)
	m := openMap(t, of(bad, good), inOrder())
	p, err := m.Get(peerURL)
	require.NoError(t, err)
	_, err = m.Do(request(t, http.MethodGet, peerURL), AnyStatus())
	require.NoError(t, err)
	require.NoError(t, p.Err())
	for range 2 { // it may be told so again
		p.decide(func(now time.Time) { p.update([]Address{{Addr: bad.Listener.Addr().String()}}, now) })
		_, err = m.Do(request(t, http.MethodGet, peerURL))
		require.ErrorIs(t, err, ErrUnavailable)
	}
	assert.EqualValues(t, 1, bad.hits.Load())
	require.True(t, p.ClearError())
	_, err = m.Do(request(t, http.MethodGet, peerURL), AnyStatus())
	require.NoError(t, err)
}

func TestRest_of_all_ends_when_the_resolver_names_another(t *testing.T) {
	bad, _ := mooded(t, 503)
	good, _ := mooded(t, 200)
	var lookups atomic.Int64
	m := openMap(t, WithResolver(ResolverFunc(func(context.Context, string, string, string) ([]Address, time.Duration, error) {
		s := good
		if lookups.Add(1) == 1 {
			s = bad
		}
		return []Address{{Addr: s.Listener.Addr().String()}}, time.Nanosecond, nil
	})))
	p, err := m.Get(peerURL)
	require.NoError(t, err)
	_, err = m.Do(request(t, http.MethodGet, peerURL), AnyStatus())
	require.NoError(t, err)
	require.Error(t, p.Err())
	eventually(t, "there is another", func() bool {
		_, err := m.Do(request(t, http.MethodGet, peerURL))
		if err != nil {
			require.ErrorIs(t, err, ErrUnavailable)
		}
		return err == nil
	})
	assert.EqualValues(t, 1, bad.hits.Load())
	assert.EqualValues(t, 1, good.hits.Load())
}

func TestRest_by_a_429_does_not_end_when_the_resolver_names_another(t *testing.T) {
	m := openMap(t, WithResolver(ResolverFunc(func(context.Context, string, string, string) ([]Address, time.Duration, error) {
		return nil, 0, errors.New("nobody asks")
	})))
	p, err := m.Get(peerURL)
	require.NoError(t, err)
	p.decide(func(now time.Time) {
		p.update([]Address{{Addr: "127.0.0.1:1"}}, now)
		p.leavePeer(http.StatusTooManyRequests, time.Minute, now)
		_, until := p.s.rest(p.s.endpoints[0], time.Hour, now)
		p.leavePeer(http.StatusServiceUnavailable, until.Sub(now), now)
		require.True(t, p.faults.allRest(now))
		p.update([]Address{{Addr: "127.0.0.1:2"}}, now)
		require.False(t, p.faults.allRest(now))
		var b *health.Blocked
		require.ErrorAs(t, p.faults.err(now), &b)
		assert.Equal(t, now.Add(time.Minute), b.Until)
	})
}

func TestRest_that_is_asked_for_again_is_the_longer_one(t *testing.T) {
	for _, status := range []int{http.StatusTooManyRequests, http.StatusServiceUnavailable} {
		m := openMap(t)
		p, err := m.Get("http://127.0.0.1:1/")
		require.NoError(t, err)
		p.decide(func(now time.Time) {
			p.update([]Address{{Addr: "127.0.0.1:1"}}, now)
			e := p.s.endpoints[0]
			asks := func(seconds string) { p.leaveAlone(e, status, http.Header{"Retry-After": {seconds}}, now) }
			until := func() time.Duration {
				var b *health.Blocked
				require.ErrorAs(t, p.faults.err(now), &b, status)
				return b.Until.Sub(now)
			}
			asks("10")
			asks("5")
			assert.Equal(t, 10*time.Second, until())
			asks("20")
			assert.Equal(t, 20*time.Second, until())
			now = now.Add(30 * time.Second)
			require.NoError(t, p.faults.err(now), "nobody has tried yet")
			asks("7")
			assert.Equal(t, 7*time.Second, until(), "it was under way")
		})
	}
}

func TestClearError_forgets_what_a_429_has_asked_for(t *testing.T) {
	m := openMap(t)
	p, err := m.Get("http://127.0.0.1:1/")
	require.NoError(t, err)
	asks := func(status int, seconds string) {
		p.decide(func(now time.Time) {
			p.leaveAlone(p.s.endpoints[0], status, http.Header{"Retry-After": {seconds}}, now)
		})
	}
	p.decide(func(now time.Time) { p.update([]Address{{Addr: "127.0.0.1:1"}}, now) })
	asks(http.StatusTooManyRequests, "60")
	require.True(t, p.ClearError())
	require.NoError(t, p.Err())
	asks(http.StatusServiceUnavailable, "10")
	require.Error(t, p.Err())
	p.decide(func(now time.Time) { p.update([]Address{{Addr: "127.0.0.1:2"}}, now) })
	require.NoError(t, p.Err(), "there is another")
}
