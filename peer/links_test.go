package peer

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom"
	"github.com/ratmom/ratmom/config"
	"github.com/ratmom/ratmom/internal/testserver"
	"github.com/ratmom/ratmom/peer/resolve"
)

func TestLink_that_the_server_closes_is_gone_at_once(t *testing.T) {
	s, m := plain(t, nil), openMap(t)
	p, err := m.Get(s.URL)
	require.NoError(t, err)
	var took []time.Duration
	for range 11 {
		_, err := m.Do(request(t, http.MethodGet, s.URL))
		require.NoError(t, err)
		require.Equal(t, []string{"ready"}, states(p))
		at := time.Now()
		s.breakAll()
		eventually(t, "it is gone", func() bool { return len(states(p)) == 0 })
		took = append(took, time.Since(at))
	}
	slices.Sort(took)
	require.Less(t, took[len(took)/2], noticed, "mostly; the machine may have something else to do: %v", took)
}

func TestLink_on_which_a_408_came_is_not_used(t *testing.T) {
	var posts atomic.Int64
	s := testserver.Raw(t, func(c *testserver.Conn) {
		for range 2 {
			r, err := c.ReadRequest()
			if err != nil {
				return
			}
			if r.Method == http.MethodPost {
				posts.Add(1)
			}
			if c.Send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok") != nil {
				return
			}
		}
		_ = c.Send("HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
	})
	m := openMap(t)
	sent := 0
	for i := range 600 {
		method := []string{http.MethodGet, http.MethodPost}[i%2]
		res, err := m.Do(request(t, method, s.URL))
		if method == http.MethodPost {
			sent++
		}
		if err != nil {
			require.ErrorIs(t, err, ratmom.ErrConnectionClosed, "never a 408")
			continue
		}
		require.Equal(t, 200, res.Status)
	}
	assert.LessOrEqual(t, posts.Load(), int64(sent))
	t.Logf("%d of %d POSTs were answered", posts.Load(), sent)
}

func TestPOST_on_a_link_that_dies_is_sent_once(t *testing.T) {
	var mu sync.Mutex
	seen := make(map[string]int)
	s := testserver.Raw(t, func(c *testserver.Conn) {
		for i := 0; ; i++ {
			r, err := c.ReadRequest()
			if err != nil {
				return
			}
			mu.Lock()
			seen[r.Target]++
			mu.Unlock()
			if i == 1 {
				return // closes without an answer
			}
			if c.Send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok") != nil {
				return
			}
		}
	})
	m := openMap(t, MaxLinks(1))
	failed := 0
	for i := range 200 {
		r := m.Go(request(t, http.MethodPost, fmt.Sprintf("%s/%d", s.URL, i)))
		if _, err := r.Result(); err != nil {
			failed++
			assert.True(t, r.Revealed())
		}
	}
	assert.Equal(t, 100, failed)
	mu.Lock()
	for i := range 200 {
		assert.Equal(t, 1, seen[fmt.Sprint("/", i)])
	}
	mu.Unlock()
	_, err := m.Do(request(t, http.MethodGet, s.URL+"/get"))
	require.NoError(t, err)
	_, err = m.Do(request(t, http.MethodGet, s.URL+"/get"))
	require.NoError(t, err, "what may be repeated is, over another connection")
	mu.Lock()
	defer mu.Unlock()
	assert.Equal(t, 3, seen["/get"])
}

func TestPOSTs_race_a_server_that_closes_idle_connections(t *testing.T) {
	var mu sync.Mutex
	seen := make(map[string]int)
	s := testserver.Raw(t, func(c *testserver.Conn) {
		r, err := c.ReadRequest()
		if err != nil {
			return
		}
		mu.Lock()
		seen[r.Target]++
		mu.Unlock()
		_ = c.Send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok") // and closes
	})
	m := openMap(t)
	good := 0
	for i := range 1000 {
		_, err := m.Do(request(t, http.MethodPost, fmt.Sprintf("%s/%d", s.URL, i)))
		if err == nil {
			good++
		}
		if i%3 == 0 {
			time.Sleep(time.Duration(i%7) * 20 * time.Microsecond)
		}
	}
	mu.Lock()
	defer mu.Unlock()
	for path, n := range seen {
		assert.Equal(t, 1, n, path)
	}
	assert.GreaterOrEqual(t, len(seen), good)
	t.Logf("%d of 1000 were answered", good)
	assert.Greater(t, good, 500)
}

// secure starts a server that speaks HTTP/2 over TLS.
func secure(t *testing.T, h http.HandlerFunc, streams int) *server {
	s := newServer(t, h)
	s.EnableHTTP2 = true
	if streams > 0 {
		s.Config.HTTP2 = &http.HTTP2Config{MaxConcurrentStreams: streams}
	}
	s.StartTLS()
	return s
}

func trusting() Option { return Requests(config.DangerAcceptInvalidCertificates(true)) }

func TestLink_over_HTTP2_carries_many_requests(t *testing.T) {
	gate := make(chan struct{})
	var waiting atomic.Int64
	s := secure(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/wait" {
			waiting.Add(1)
			<-gate
		}
		_, _ = io.WriteString(w, r.Proto)
	}, 0)
	m := openMap(t, trusting())
	res, err := m.Do(request(t, http.MethodGet, s.URL))
	require.NoError(t, err)
	require.Equal(t, "HTTP/2.0", string(res.Content))
	var rs []*Request
	for range 50 {
		rs = append(rs, m.Go(request(t, http.MethodPost, s.URL+"/wait")))
	}
	eventually(t, "all are at work at once", func() bool { return waiting.Load() == 50 })
	rs[7].Cancel()
	close(gate)
	for i, r := range rs {
		_, err := r.Result()
		if i == 7 {
			require.ErrorIs(t, err, ratmom.ErrCanceled)
		} else {
			require.NoError(t, err)
		}
	}
	_, err = m.Do(request(t, http.MethodGet, s.URL))
	require.NoError(t, err)
	assert.EqualValues(t, 1, s.conns.Load(), "and lives on when one was cancelled")
}

func TestLink_over_HTTP2_learns_how_much_the_server_takes(t *testing.T) {
	gate := make(chan struct{}) // none ends before it is known that the server takes no more
	s := secure(t, func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/wait" {
			<-gate
		}
	}, 3)
	m := openMap(t, trusting(), MaxLinks(1))
	_, err := m.Do(request(t, http.MethodGet, s.URL))
	require.NoError(t, err)
	var rs []*Request
	for range 60 {
		rs = append(rs, m.Go(request(t, http.MethodPost, s.URL+"/wait")))
	}
	p, err := m.Get(s.URL)
	require.NoError(t, err)
	eventually(t, "the rest waits", func() bool {
		now := p.Snapshot(0)
		return len(now.Links) == 1 && now.Running == 3 && now.Queued == 57
	})
	close(gate)
	for _, r := range rs {
		_, err := r.Result()
		require.NoError(t, err)
	}
	assert.EqualValues(t, 61, s.hits.Load())
	assert.EqualValues(t, 1, s.conns.Load())
}

func TestLink_over_HTTP2_is_kept_and_found_as_wide_as_it_is_when_its_requests_end_meanwhile(t *testing.T) {
	s := secure(t, nil, 3)
	m := openMap(t, trusting(), MaxLinks(1))
	_, err := m.Do(request(t, http.MethodGet, s.URL))
	require.NoError(t, err)
	p, err := m.Get(s.URL)
	require.NoError(t, err)
	sent := int64(1)
	eventually(t, "it is known how many the server takes", func() bool {
		var rs []*Request
		for range 30 {
			rs = append(rs, m.Go(request(t, http.MethodPost, s.URL)))
			sent++
		}
		for _, r := range rs {
			_, err := r.Result()
			require.NoError(t, err)
		}
		return p.Facts().MaxStreams == 3
	})
	assert.Equal(t, sent, s.hits.Load(), "none was sent twice")
	assert.EqualValues(t, 1, s.conns.Load(), "the link was not taken for one that is over")
}

func TestTag_of_a_stalled_link_goes_to_another_endpoint(t *testing.T) {
	s := plain(t, nil)
	silent := testserver.Unanswering(t)
	m := openMap(t, StallAfter(50*time.Millisecond), WithPolicy(func() Policy { return first{} }),
		WithResolver(ResolverFunc(func(context.Context, string, string, string) ([]Address, time.Duration, error) {
			return []Address{{Addr: silent}, {Addr: s.Listener.Addr().String()}}, 0, nil
		})))
	at := time.Now()
	_, err := m.Do(request(t, http.MethodPost, "http://some.peer.invalid/"))
	require.NoError(t, err)
	assert.Less(t, time.Since(at), 900*time.Millisecond)
	assert.EqualValues(t, 1, s.hits.Load())
}

func TestTag_of_an_opening_link_is_stolen_by_one_that_is_free(t *testing.T) {
	gate := make(chan struct{})
	began := make(chan struct{}, 1)
	s := plain(t, func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/wait" {
			began <- struct{}{}
			<-gate
		}
	})
	silent := testserver.Unanswering(t)
	m := openMap(t, StallAfter(0), StealAfter(time.Millisecond), MaxLinks(1), WithPolicy(func() Policy { return last{} }),
		WithResolver(ResolverFunc(func(context.Context, string, string, string) ([]Address, time.Duration, error) {
			return []Address{{Addr: silent}, {Addr: s.Listener.Addr().String()}}, 0, nil
		})))
	wait := m.Go(request(t, http.MethodGet, "http://some.peer.invalid/wait"))
	await(t, began)
	moved := m.Go(request(t, http.MethodPost, "http://some.peer.invalid/moved")) // to the silent one
	<-time.After(20 * time.Millisecond)                                          // past StealAfter: whoever becomes free may take it
	assert.False(t, moved.Revealed())
	close(gate)
	_, err := wait.Result()
	require.NoError(t, err)
	_, err = moved.Result()
	require.NoError(t, err)
	assert.EqualValues(t, 2, s.hits.Load())
}

type first struct{}

func (first) Pick([]*Endpoint, Key, time.Time) int { return 0 }

type last struct{}

func (last) Pick(eps []*Endpoint, _ Key, _ time.Time) int { return len(eps) - 1 }

func TestPeer_drains_endpoints_that_have_gone(t *testing.T) {
	a, b := plain(t, nil), plain(t, nil)
	var now atomic.Pointer[server]
	now.Store(a)
	m := openMap(t, WithResolver(ResolverFunc(func(context.Context, string, string, string) ([]Address, time.Duration, error) {
		return []Address{{Addr: now.Load().Listener.Addr().String()}}, time.Nanosecond, nil // a second, by the clamp
	})))
	get := func() {
		_, err := m.Do(request(t, http.MethodGet, "http://some.peer.invalid/"))
		require.NoError(t, err)
	}
	get()
	now.Store(b)
	eventually(t, "the new address is used", func() bool { get(); return b.hits.Load() > 0 })
	eventually(t, "the old one is left", func() bool { a.mu.Lock(); defer a.mu.Unlock(); return len(a.open) == 0 })
}

func TestPeer_answers_a_401_with_its_own_credentials(t *testing.T) {
	var rounds atomic.Int64
	s := plain(t, func(w http.ResponseWriter, r *http.Request) {
		rounds.Add(1)
		if u, p, ok := r.BasicAuth(); !ok || u != "me" || p != "secret" {
			w.Header().Set("WWW-Authenticate", `Basic realm="x"`)
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		_, _ = io.WriteString(w, "in")
	})
	m := openMap(t, ForPeer(func(id ID) []config.RequestOption {
		if id.Host == "127.0.0.1" {
			return []config.RequestOption{config.AnyAuth("me", "secret")}
		}
		return nil
	}))
	res, err := m.Do(request(t, http.MethodGet, s.URL))
	require.NoError(t, err)
	assert.Equal(t, "in", string(res.Content))
	bare := strings.Replace(s.URL, "127.0.0.1", "localhost", 1)
	_, err = m.Do(request(t, http.MethodGet, bare))
	var se *StatusError
	require.ErrorAs(t, err, &se)
	assert.Equal(t, 401, se.Result.Status)
}

func TestProfiles_do_not_share_connections(t *testing.T) {
	s := plain(t, func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.UserAgent()+" "+r.RemoteAddr) })
	m := openMap(t, Profile("other", config.UserAgent("other")))
	a, err := m.Do(request(t, http.MethodGet, s.URL))
	require.NoError(t, err)
	b, err := m.Do(request(t, http.MethodGet, s.URL), WithProfile("other"))
	require.NoError(t, err)
	assert.True(t, strings.HasPrefix(string(b.Content), "other "))
	assert.False(t, strings.HasPrefix(string(a.Content), "other "))
	assert.EqualValues(t, 2, s.conns.Load())
	_, err = m.Do(request(t, http.MethodGet, s.URL), WithProfile("none"))
	require.ErrorIs(t, err, ratmom.ErrInvalidOption)
}

func TestLink_goes_by_age_and_by_its_requests(t *testing.T) {
	s := plain(t, nil)
	m := openMap(t, MaxRequestsPerLink(5))
	for range 20 {
		_, err := m.Do(request(t, http.MethodGet, s.URL))
		require.NoError(t, err)
	}
	assert.EqualValues(t, 4, s.conns.Load())
	m = openMap(t, MaxLinkAge(30*time.Millisecond))
	_, err := m.Do(request(t, http.MethodGet, s.URL))
	require.NoError(t, err)
	p, err := m.Get(s.URL)
	require.NoError(t, err)
	eventually(t, "an old link closes", func() bool { return len(states(p)) == 0 })
	m = openMap(t, MinLinks(0), IdleTimeout(30*time.Millisecond))
	_, err = m.Do(request(t, http.MethodGet, s.URL))
	require.NoError(t, err)
	p, err = m.Get(s.URL)
	require.NoError(t, err)
	eventually(t, "an idle link closes", func() bool { return len(states(p)) == 0 })
}

func TestLinks_to_who_is_said_to_speak_HTTP2_are_one_from_the_beginning(t *testing.T) {
	for _, c := range []struct {
		name        string
		http2, hint bool
		only1       bool // the client speaks HTTP/1 alone
	}{{"it does", true, true, false}, {"it does not", false, true, false}, {"the client does not", true, true, true}} {
		t.Run(c.name, func(t *testing.T) {
			s := newServer(t, nil)
			s.EnableHTTP2 = c.http2
			s.StartTLS()
			addr := Address{Addr: s.Listener.Addr().String(), HTTP2: c.hint}
			options := []config.RequestOption{config.DangerAcceptInvalidCertificates(true)}
			if c.only1 {
				options = append(options, config.HTTPVersion(config.HTTP11))
			}
			m := openMap(t, Requests(options...), StealAfter(time.Minute), WithResolver(ResolverFunc(
				func(context.Context, string, string, string) ([]Address, time.Duration, error) {
					return []Address{addr}, 0, nil
				})))
			var rs []*Request
			for range 20 {
				rs = append(rs, m.Go(request(t, http.MethodGet, "https://example.com/"))) // whose certificate it has
			}
			for _, r := range rs {
				_, err := r.Result()
				require.NoError(t, err)
			}
			if c.http2 && !c.only1 {
				assert.EqualValues(t, 1, s.conns.Load())
			}
		})
	}
}

func TestNames_tells_who_speaks_HTTP2(t *testing.T) {
	r := Names(resolve.Func(func(context.Context, resolve.Name) (resolve.Answer, error) {
		return resolve.Answer{Endpoints: []resolve.Endpoint{
			{Addr: netip.MustParseAddrPort("192.0.2.1:443"), ALPN: []string{"h2", "http/1.1"}},
			{Addr: netip.MustParseAddrPort("192.0.2.2:443"), ALPN: []string{"http/1.1"}},
			{Addr: netip.MustParseAddrPort("192.0.2.3:443")},
		}}, nil
	}), "")
	for scheme, want := range map[string][]bool{"https": {true, false, false}, "http": {false, false, false}} {
		addrs, _, err := r.Resolve(t.Context(), scheme, "a.peer.invalid", "443")
		require.NoError(t, err)
		for i, a := range addrs {
			assert.Equal(t, want[i], a.HTTP2, "%s %d", scheme, i)
		}
	}
}
