package peer

import (
	"context"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom/config"
	"github.com/ratmom/ratmom/internal/testserver"
	"github.com/ratmom/ratmom/peer/health"
)

// ready waits until so many links of a peer are ready, and no other is there.
func ready(t *testing.T, p *Peer, n int) {
	t.Helper()
	want := strings.TrimSpace(strings.Repeat("ready ", n))
	eventually(t, "links are ready", func() bool { return strings.Join(states(p), " ") == want })
}

// standby has a server answer the first request of a map with standby links.
func standby(t *testing.T, s *server, opts ...Option) (*Map, *Peer) {
	t.Helper()
	m := openMap(t, opts...)
	_, err := m.Do(request(t, http.MethodGet, s.URL))
	require.NoError(t, err)
	p, err := m.Get(s.URL)
	require.NoError(t, err)
	return m, p
}

// slow answers GETs when it is told to.
func slow(t *testing.T) (s *server, began chan struct{}, let chan struct{}) {
	began, let = make(chan struct{}, 16), make(chan struct{})
	return plain(t, func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/slow" {
			began <- struct{}{}
			<-let
		}
	}), began, let
}

func TestStandby_links_are_there_before_they_are_asked_for(t *testing.T) {
	s, began, let := slow(t)
	m, p := standby(t, s, Standby(2), MaxLinks(5))
	ready(t, p, 2)
	var rs []*Request
	for range 2 {
		rs = append(rs, m.Go(request(t, http.MethodGet, s.URL+"/slow")))
		await(t, began)
	}
	eventually(t, "those that were taken are replaced", func() bool {
		all := states(p)
		return len(all) == 4 && strings.Count(strings.Join(all, " "), "ready") == 2
	})
	close(let)
	for _, r := range rs {
		res, err := r.Result()
		require.NoError(t, err)
		assert.True(t, res.Reused)
	}
	assert.EqualValues(t, 4, s.conns.Load())
}

func TestStandby_links_are_not_more_than_there_may_be(t *testing.T) {
	for name, limit := range map[string]Option{
		"links": MaxLinks(3), "breaker": Breaker(health.Limits{Links: 3, Pending: -1, Requests: -1, Retries: -1}),
	} {
		t.Run(name, func(t *testing.T) {
			s := plain(t, nil)
			_, p := standby(t, s, Standby(8), MaxLinks(8), limit)
			ready(t, p, 3)
			p.decide(func(now time.Time) { p.s.tick(now) })
			p.look(func(now time.Time) {
				assert.False(t, p.s.endpoints[0].spares.opening)
				assert.False(t, p.s.lacks(p.s.endpoints[0], now))
			})
			assert.EqualValues(t, 3, s.conns.Load())
		})
	}
}

func TestStandby_links_are_made_neither_by_default_nor_before_the_first_answer(t *testing.T) {
	s := plain(t, nil)
	_, p := standby(t, s)
	require.Equal(t, []string{"ready"}, states(p))
	assert.EqualValues(t, 1, s.hits.Load())
	m := openMap(t, Standby(2))
	p, err := m.Get(s.URL)
	require.NoError(t, err)
	require.Empty(t, states(p))
	require.NoError(t, p.Prelink())
	ready(t, p, 2)
	_, err = Open(m.client, Standby(-1))
	require.ErrorContains(t, err, "Standby is -1")
}

func TestStandby_links_that_the_server_or_the_time_closes_are_replaced(t *testing.T) {
	s := plain(t, nil)
	_, p := standby(t, s, Standby(2))
	ready(t, p, 2)
	s.breakAll()
	eventually(t, "they are replaced", func() bool { return s.conns.Load() == 4 })
	ready(t, p, 2)

	for name, limit := range map[string]Option{"idle": IdleTimeout(50 * time.Millisecond), "age": MaxLinkAge(50 * time.Millisecond)} {
		t.Run(name, func(t *testing.T) {
			s := plain(t, nil)
			_, p := standby(t, s, Standby(1), limit)
			eventually(t, "it is replaced, and again", func() bool { return s.conns.Load() >= 3 })
			ready(t, p, 1)
		})
	}
}

func TestStandby_links_wait_while_the_server_refuses_and_are_there_again_after_that(t *testing.T) {
	s := plain(t, nil)
	address := s.Listener.Addr().String()
	_, p := standby(t, s, Standby(2), MinLinks(0))
	ready(t, p, 2)
	s.Close()
	eventually(t, "some are refused", func() bool {
		var failed uint64
		p.look(func(time.Time) { failed = p.s.count.ends[EndFailed] })
		return failed >= 3
	})
	require.NoError(t, p.Err(), "the peer is not left alone for that")
	p.look(func(now time.Time) { assert.Positive(t, p.s.endpoints[0].spares.row) })
	l, err := new(net.ListenConfig).Listen(context.Background(), "tcp", address)
	require.NoError(t, err)
	again := newServer(t, nil)
	_ = again.Listener.Close()
	again.Listener = l
	again.Start()
	ready(t, p, 2)
}

func TestStandby_links_to_an_endpoint_that_rests_are_not_made(t *testing.T) {
	var rest atomic.Bool
	s := plain(t, func(w http.ResponseWriter, _ *http.Request) {
		if rest.Load() {
			w.Header().Set("Retry-After", "3600")
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	})
	m, p := standby(t, s, Standby(1))
	rest.Store(true)
	_, err := m.Do(request(t, http.MethodGet, s.URL))
	require.Error(t, err)
	eventually(t, "all are gone", func() bool { // one was on its way before it was known
		s.breakAll()
		return len(states(p)) == 0
	})
	p.decide(func(now time.Time) { p.s.tick(now) })
	p.look(func(time.Time) { assert.False(t, p.s.endpoints[0].spares.opening) })
	rest.Store(false)
	require.True(t, p.ClearError())
	ready(t, p, 1)
}

func TestStandby_over_HTTP2_is_one_link_with_room(t *testing.T) {
	s := newServer(t, nil)
	s.EnableHTTP2 = true
	s.StartTLS()
	_, p := standby(t, s, Standby(3), Requests(config.DangerAcceptInvalidCertificates(true)))
	ready(t, p, 1)
	p.look(func(time.Time) { assert.False(t, p.s.endpoints[0].spares.opening) })
	s.breakAll()
	eventually(t, "it is replaced", func() bool { return s.conns.Load() == 2 })
	ready(t, p, 1)
}

func TestStandby_links_are_closed_with_what_is_idle_and_with_the_map(t *testing.T) {
	s := plain(t, nil)
	m, p := standby(t, s, Standby(2))
	ready(t, p, 2)
	m.CloseIdle()
	require.Empty(t, states(p))
	none := func() bool { s.mu.Lock(); defer s.mu.Unlock(); return len(s.open) == 0 }
	eventually(t, "the connections close", none)
	require.Empty(t, states(p), "until the next request")
	_, err := m.Do(request(t, http.MethodGet, s.URL))
	require.NoError(t, err)
	ready(t, p, 2)
	m.Close()
	require.Empty(t, states(p))
	eventually(t, "the connections close", none)
}

func TestStandby_links_are_left_to_close_when_nobody_asks_for_the_peer(t *testing.T) {
	s := plain(t, nil)
	_, p := standby(t, s, Standby(2), ForgetAfter(100*time.Millisecond), IdleTimeout(30*time.Millisecond))
	eventually(t, "there are no more", func() bool {
		var standing bool
		p.look(func(time.Time) { standing = p.s.standing })
		return !standing && len(states(p)) <= 1 // MinLinks
	})
}

func TestStandby_links_are_made_at_who_does_not_take_an_asterisk(t *testing.T) {
	var refused atomic.Int64
	s := testserver.Raw(t, func(c *testserver.Conn) {
		for {
			r, err := c.ReadRequest()
			if err != nil {
				return
			}
			if r.Target == "*" { // as nginx does
				refused.Add(1)
				_ = c.Send("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
				return
			}
			if c.Send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n") != nil {
				return
			}
		}
	})
	m := openMap(t, Standby(3))
	_, err := m.Do(request(t, http.MethodGet, s.URL))
	require.NoError(t, err)
	p, err := m.Get(s.URL)
	require.NoError(t, err)
	ready(t, p, 3)
	assert.EqualValues(t, 1, refused.Load())
}
