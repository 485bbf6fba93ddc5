package peer

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/url"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom"
	"github.com/ratmom/ratmom/config"
	"github.com/ratmom/ratmom/internal/testserver"
	"github.com/ratmom/ratmom/peer/balance"
	"github.com/ratmom/ratmom/peer/health"
	"github.com/ratmom/ratmom/retry"
)

// quick has endpoints checked as often as a test wants it.
var quick = health.CheckPolicy{Interval: 20 * time.Millisecond, Fast: 5 * time.Millisecond, Timeout: 10 * time.Second}

// foundAt resolves every name to addresses.
func foundAt(addrs ...string) Option {
	return WithResolver(ResolverFunc(func(context.Context, string, string, string) (out []Address, _ time.Duration, _ error) {
		for _, a := range addrs {
			out = append(out, Address{Addr: a})
		}
		return out, 0, nil
	}))
}

func turns() Option { return WithPolicy(func() Policy { return new(balance.RoundRobin) }) }

func hostPort(t *testing.T, rawURL string) string {
	t.Helper()
	u, err := url.Parse(rawURL)
	require.NoError(t, err)
	return net.JoinHostPort("127.0.0.1", u.Port())
}

// endpointsOf are those of a peer by their addresses.
func endpointsOf(p *Peer) map[string]EndpointSnapshot {
	all := map[string]EndpointSnapshot{}
	for _, e := range p.Snapshot(0).Endpoints {
		all[e.Address] = e
	}
	return all
}

// found waits until checks have found an endpoint in a state.
func found(t *testing.T, p *Peer, addr, state string) {
	t.Helper()
	require.Eventually(t, func() bool {
		e := endpointsOf(p)[addr]
		p.mu.Lock()
		defer p.unlock()
		for _, known := range p.s.endpoints {
			if known.Address == addr && known.failing != (state == "down") {
				return false
			}
		}
		return e.Check == state
	}, 3*patience, time.Millisecond, "%s is not %s: %+v", addr, state, p.Snapshot(0).Endpoints)
}

func TestChecks_keep_requests_off_an_nginx_while_it_is_stopped(t *testing.T) {
	one, two := testserver.Nginx(t), testserver.Nginx(t)
	inClear := func(s *testserver.NginxServer) string { return s.URL }
	overTLS := func(s *testserver.NginxServer) string { return s.TLSURL }
	prior := func(s *testserver.NginxServer) string { return s.H2CURL }
	type kind struct {
		name     string
		check    Check
		of       func(*testserver.NginxServer) string
		requests config.RequestOption
		m        *Map
	}
	kinds := []*kind{
		{name: "TCP", check: Check{Kind: CheckTCP}, of: overTLS},
		{name: "TLS", check: Check{Kind: CheckTLS}, of: overTLS},
		{name: "HTTP", check: Check{Kind: CheckHTTP, Path: "/hello.txt?check"}, of: inClear},
		{name: "HTTP2", check: Check{Kind: CheckHTTP2, Path: "/hello.txt"}, of: overTLS},
		{
			name: "HTTP2 in clear text", check: Check{Kind: CheckHTTP2, Path: "/hello.txt"}, of: prior,
			requests: config.HTTPVersion(config.HTTP2PriorKnowledge),
		},
	}
	// phase waits until the checks of one have found it in a state, and says who answers then.
	phase := func(state string, share int) {
		for _, k := range kinds {
			t.Run(k.name+" "+state, func(t *testing.T) {
				a, b := hostPort(t, k.of(one)), hostPort(t, k.of(two))
				u, err := url.Parse(k.of(one))
				require.NoError(t, err)
				to := u.Scheme + "://localhost/hello.txt"
				p, err := k.m.Get(to)
				require.NoError(t, err)
				p.decide(p.refresh)
				found(t, p, a, state)
				found(t, p, b, "up")
				if state == "down" {
					assert.NotEmpty(t, endpointsOf(p)[a].CheckError)
					assert.Zero(t, endpointsOf(p)[a].Links)
				}
				seen := map[string]int{}
				for range 10 {
					res, err := k.m.Do(request(t, http.MethodGet, to))
					require.NoError(t, err)
					seen[res.RemoteAddr.String()]++
				}
				assert.Equal(t, share, seen[a])
				assert.Equal(t, 10-share, seen[b])
			})
		}
	}
	for _, k := range kinds {
		k.check.Policy = quick
		requests := []config.RequestOption{config.CAFile(one.CAFile)}
		if k.requests != nil {
			requests = append(requests, k.requests)
		}
		k.m = openMap(t, Checks(k.check), foundAt(hostPort(t, k.of(one)), hostPort(t, k.of(two))), turns(), Requests(requests...),
			Outliers(health.OutlierPolicy{Consecutive: -1}))
	}
	phase("up", 5)
	one.Stop()
	phase("down", 0)
	one.Restart()
	phase("up", 5)
}

func TestChecks_see_what_their_kind_looks_at(t *testing.T) {
	answers := func(status int) *server {
		return plain(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) })
	}
	closed := func() string {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		defer func() { _ = l.Close() }()
		return "http://" + l.Addr().String()
	}
	mute := testserver.Raw(t, testserver.CloseAtOnce())
	for name, c := range map[string]struct {
		url   string
		check Check
		state string
		trust Option
	}{
		"TCP of one that listens":           {"http://" + mute.Addr, Check{}, "up", trusting()},
		"TCP of one that does not":          {closed(), Check{}, "down", trusting()},
		"TCP of TLS":                        {"https://" + mute.Addr, Check{}, "up", trusting()},
		"TLS of one that does not speak it": {"https://" + mute.Addr, Check{Kind: CheckTLS}, "down", trusting()},
		"TLS of a stranger":                 {testserver.Start(t, testserver.HTTPS1, http.NotFoundHandler(), testserver.WithCertificate(testserver.LocalAuthority(t).WrongHost(t))).URL, Check{Kind: CheckTLS}, "down", Requests(config.CAFile(testserver.LocalAuthority(t).File(t)))},
		"HTTP status":                       {answers(503).URL, Check{Kind: CheckHTTP}, "down", trusting()},
		"HTTP status of a redirect":         {answers(301).URL, Check{Kind: CheckHTTP}, "up", trusting()},
		"HTTP without an answer":            {"http://" + mute.Addr, Check{Kind: CheckHTTP}, "down", trusting()},
		"HTTP as expected": {answers(503).URL, Check{Kind: CheckHTTP, Expect: func(r *http.Response) error {
			if r.StatusCode != 503 {
				return errors.New("another")
			}
			return nil
		}}, "up", trusting()},
		"HTTP/2":                   {secure(t, nil, 0).URL, Check{Kind: CheckHTTP2}, "up", trusting()},
		"HTTP/2 of HTTP/1.1":       {testserver.Start(t, testserver.HTTPS1, http.NotFoundHandler()).URL, Check{Kind: CheckHTTP2}, "down", trusting()},
		"HTTP/2 of clear HTTP/1.1": {answers(200).URL, Check{Kind: CheckHTTP2}, "down", trusting()},
	} {
		t.Run(name, func(t *testing.T) {
			c.check.Policy = health.CheckPolicy{Interval: time.Hour}
			m := openMap(t, c.trust, Checks(c.check), foundAt(hostPort(t, c.url)))
			p, err := m.Get(c.url)
			require.NoError(t, err)
			p.decide(p.refresh)
			found(t, p, hostPort(t, c.url), c.state)
		})
	}
}

func TestChecks_by_TCP_and_TLS_send_no_request(t *testing.T) {
	s := secure(t, nil, 0)
	for _, kind := range []CheckKind{CheckTCP, CheckTLS} {
		before := s.conns.Load()
		m := openMap(t, trusting(), Checks(Check{Kind: kind, Policy: quick}))
		p, err := m.Get(s.URL)
		require.NoError(t, err)
		p.decide(p.refresh)
		eventually(t, "it is checked", func() bool { return s.conns.Load() > before+3 })
		assert.Equal(t, "up", endpointsOf(p)[hostPort(t, s.URL)].Check)
		m.Close()
		assert.Zero(t, s.hits.Load())
		eventually(t, "the connections are closed", func() bool { s.mu.Lock(); defer s.mu.Unlock(); return len(s.open) == 0 })
	}
}

func TestChecks_send_what_they_are_told(t *testing.T) {
	got := make(chan *http.Request, 100)
	s := plain(t, func(_ http.ResponseWriter, r *http.Request) {
		select {
		case got <- r:
		default:
		}
	})
	m := openMap(t, Requests(config.BasicAuth("user", "secret")), foundAt(hostPort(t, s.URL)), Checks(Check{
		Kind: CheckHTTP, Method: http.MethodHead, Path: "/well?yes", Header: http.Header{"X-Check": {"1"}, "Host": {"other.invalid"}}, Policy: quick,
	}))
	p, err := m.Get("http://some.peer.invalid/")
	require.NoError(t, err)
	p.decide(p.refresh)
	r := await(t, got)
	assert.Equal(t, "HEAD /well?yes", r.Method+" "+r.URL.String())
	assert.Equal(t, "other.invalid", r.Host)
	assert.Equal(t, "1", r.Header.Get("X-Check"))
	user, _, _ := r.BasicAuth()
	assert.Equal(t, "user", user)
}

func TestChecks_have_requests_go_elsewhere_that_wait_for_a_connection(t *testing.T) {
	dead := testserver.Unanswering(t)
	good := plain(t, nil)
	sick := make(chan struct{})
	m := openMap(t, foundAt(dead, hostPort(t, good.URL)), StallAfter(0), WithPolicy(func() Policy { return new(balance.First) }),
		Checks(Check{Policy: health.CheckPolicy{Interval: time.Hour}, Probe: health.ProbeFunc(func(ctx context.Context, address string) error {
			if address != dead {
				return nil
			}
			select {
			case <-sick:
				return errors.New("sick")
			case <-ctx.Done():
				return ctx.Err()
			}
		})}))
	r := m.Go(request(t, http.MethodPost, "http://some.peer.invalid/"))
	p, err := m.Get("http://some.peer.invalid/")
	require.NoError(t, err)
	eventually(t, "it waits for a connection", func() bool { s := states(p); return len(s) == 1 && s[0] == "opening" })
	close(sick)
	res, err := r.Result()
	require.NoError(t, err)
	assert.Equal(t, good.Listener.Addr().String(), res.RemoteAddr.String())
	eventually(t, "the dead one's link is closed", func() bool { return endpointsOf(p)[dead].Links == 0 })
	assert.NotZero(t, p.Counters().Moves)
}

func TestChecks_come_soon_when_requests_fail(t *testing.T) {
	var broken atomic.Bool
	s := plain(t, func(w http.ResponseWriter, _ *http.Request) {
		if broken.Load() {
			w.WriteHeader(http.StatusInternalServerError)
		}
	})
	m := openMap(t, Checks(Check{Kind: CheckHTTP, Policy: health.CheckPolicy{Interval: time.Hour, Fast: 5 * time.Millisecond, Fall: 2}}))
	p, err := m.Get(s.URL)
	require.NoError(t, err)
	_, err = m.Do(request(t, http.MethodGet, s.URL))
	require.NoError(t, err)
	found(t, p, hostPort(t, s.URL), "up")
	broken.Store(true)
	_, err = m.Do(request(t, http.MethodGet, s.URL), AnyStatus())
	require.NoError(t, err)
	found(t, p, hostPort(t, s.URL), "down")
}

func TestPanic_decides_whether_what_is_down_is_used(t *testing.T) {
	s := plain(t, nil)
	var sick atomic.Bool
	sick.Store(true)
	check := Checks(Check{Policy: quick, Probe: health.ProbeFunc(func(context.Context, string) error {
		if sick.Load() {
			return errors.New("sick")
		}
		return nil
	})})
	m := openMap(t, check)
	p, err := m.Get(s.URL)
	require.NoError(t, err)
	p.decide(p.refresh)
	found(t, p, hostPort(t, s.URL), "down")
	_, err = m.Do(request(t, http.MethodGet, s.URL))
	require.NoError(t, err, "it is the only one")

	m = openMap(t, check, Panic(-1))
	p, err = m.Get(s.URL)
	require.NoError(t, err)
	p.decide(p.refresh)
	found(t, p, hostPort(t, s.URL), "down")
	r := m.Go(request(t, http.MethodGet, s.URL))
	assert.Equal(t, 1, p.Snapshot(0).Queued)
	sick.Store(false)
	_, err = r.Result()
	require.NoError(t, err, "it waits until the peer is up")
}

func TestChecks_end_with_the_map_and_rest_when_a_peer_is_forgotten(t *testing.T) {
	s := plain(t, nil)
	var checks atomic.Int64
	m := openMap(t, MaxIdlePeers(0), foundAt(hostPort(t, s.URL)), CheckWorkers(1), Checks(Check{Policy: quick, Probe: health.ProbeFunc(func(context.Context, string) error {
		checks.Add(1)
		return nil
	})}))
	p, err := m.Get("http://some.peer.invalid/")
	require.NoError(t, err)
	p.decide(p.refresh)
	eventually(t, "it is checked", func() bool { return checks.Load() > 3 })
	_, err = m.Get("http://other.peer.invalid/") // the first is forgotten
	require.NoError(t, err)
	assert.Empty(t, endpointsOf(p)[hostPort(t, s.URL)].Check)
	_, err = m.Do(request(t, http.MethodGet, "http://some.peer.invalid/"))
	require.NoError(t, err)
	eventually(t, "it is checked again", func() bool { return endpointsOf(p)[hostPort(t, s.URL)].Check == "up" })
	m.Close()
	n := checks.Load()
	runtime.Gosched()
	assert.Equal(t, n, checks.Load())
	_, err = m.Get("http://third.peer.invalid/")
	require.ErrorIs(t, err, ErrClosed)
}

func TestChecks_are_refused_that_make_no_sense(t *testing.T) {
	m := openMap(t, Checks(Check{Kind: 9}))
	_, err := m.Get("http://some.peer.invalid/")
	require.ErrorIs(t, err, ratmom.ErrInvalidOption)
}

// sickbay is endpoints that a probe finds well or sick.
type sickbay struct {
	mu   sync.Mutex
	sick map[string]bool
	n    map[string]int
}

func (b *sickbay) Probe(_ context.Context, address string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.n[address]++
	if b.sick[address] {
		return errors.New("sick")
	}
	return nil
}

func (b *sickbay) set(address string, sick bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.sick[address] = sick
}

func TestChecks_follow_their_timeline(t *testing.T) {
	client, err := ratmom.New()
	require.NoError(t, err)
	defer func() { _ = client.Close() }()
	synctest.Test(t, func(t *testing.T) {
		bay := &sickbay{sick: map[string]bool{}, n: map[string]int{}}
		addrs := []Address{{Addr: "a:1"}, {Addr: "b:1"}, {Addr: "c:1"}}
		m, err := Open(client, Checks(Check{Probe: bay, Policy: health.CheckPolicy{Jitter: -1}}),
			EachPeer(func(id ID) []Option {
				if id.Host == "unchecked.invalid" {
					return []Option{NoChecks()}
				}
				return []Option{WithResolver(ResolverFunc(func(context.Context, string, string, string) ([]Address, time.Duration, error) {
					return addrs, 0, nil
				}))}
			}))
		require.NoError(t, err)
		defer m.Close()
		p, err := m.Get("http://some.peer.invalid/")
		require.NoError(t, err)
		p.decide(p.refresh)
		state := func() (s string) {
			synctest.Wait()
			for _, e := range p.Snapshot(0).Endpoints {
				s += e.Check + " "
			}
			return s
		}
		assert.Equal(t, "up up up ", state())
		bay.set("a:1", true)
		time.Sleep(6500 * time.Millisecond) // 6.5 s: it has failed at 5 and 6
		assert.Equal(t, "up up up ", state())
		time.Sleep(time.Second) // and at 7
		assert.Equal(t, "down up up ", state())
		p.mu.Lock()
		assert.True(t, p.s.endpoints[0].Down)
		// Ejected as well: when the checks bring it back, that ends, too.
		for range health.DefaultConsecutive {
			p.s.report(p.s.endpoints[0], false, time.Now())
		}
		assert.True(t, p.s.endpoints[0].ejected)
		p.unlock()
		bay.set("a:1", false)
		time.Sleep(5500 * time.Millisecond) // 13 s: it has succeeded at 12 and 13
		assert.Equal(t, "up up up ", state())
		p.mu.Lock()
		assert.False(t, p.s.endpoints[0].Down)
		assert.False(t, p.s.endpoints[0].ejected)
		assert.Equal(t, time.Now().Truncate(time.Second), p.s.endpoints[0].Since.Truncate(time.Second))
		p.update([]Address{{Addr: "b:1"}, {Addr: "d:1"}}, time.Now())
		p.unlock()
		assert.Equal(t, "up up ", state())
		bay.mu.Lock()
		before := bay.n["a:1"]
		bay.mu.Unlock()
		time.Sleep(time.Minute)
		bay.mu.Lock()
		assert.Equal(t, before, bay.n["a:1"], "it is not the peer's any more")
		assert.Greater(t, bay.n["d:1"], 10)
		bay.mu.Unlock()

		u, err := m.Get("http://unchecked.invalid/")
		require.NoError(t, err)
		u.mu.Lock()
		u.update([]Address{{Addr: "x:1"}}, time.Now())
		u.mu.Unlock()
		time.Sleep(time.Minute)
		assert.Empty(t, u.Snapshot(0).Endpoints[0].Check)
		bay.mu.Lock()
		assert.Zero(t, bay.n["x:1"])
		bay.mu.Unlock()
	})
}

func TestCheck_Cut_ends_what_waits_for_a_dead_endpoint(t *testing.T) {
	for _, cut := range []bool{true, false} {
		gate := make(chan struct{})
		hung := plain(t, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/body" {
				_, _ = w.Write([]byte("begins"))
				_ = http.NewResponseController(w).Flush()
			}
			<-gate
		})
		good := plain(t, func(http.ResponseWriter, *http.Request) {})
		var sick atomic.Bool
		m := openMap(t, foundAt(hostPort(t, hung.URL), hostPort(t, good.URL)), MaxLinks(8), WithPolicy(func() Policy { return new(balance.First) }),
			Requests(soon(retry.Policy{Tries: 2})),
			Checks(Check{Cut: cut, Policy: quick, Probe: health.ProbeFunc(func(_ context.Context, address string) error {
				if sick.Load() && address == hostPort(t, hung.URL) {
					return errors.New("sick")
				}
				return nil
			})}))
		const url = "http://some.peer.invalid"
		get, post, body := m.Go(request(t, http.MethodGet, url)), m.Go(request(t, http.MethodPost, url)), m.Go(request(t, http.MethodGet, url+"/body"))
		p, err := m.Get(url)
		require.NoError(t, err)
		eventually(t, "they wait", func() bool {
			heads := 0
			for _, l := range p.Snapshot(0).Links {
				for _, r := range l.Requests {
					if r.State == "head" {
						heads++
					}
				}
			}
			return hung.hits.Load() == 3 && heads == 1
		})
		sick.Store(true)
		found(t, p, hostPort(t, hung.URL), "down")
		if cut {
			res, err := get.Result()
			require.NoError(t, err)
			require.Len(t, res.Attempts, 1)
			assert.Equal(t, retry.Broken, res.Attempts[0].Class)
			assert.Equal(t, good.Listener.Addr().String(), res.RemoteAddr.String())
			_, err = post.Result()
			require.ErrorIs(t, err, ratmom.ErrConnectionClosed)
			assert.ErrorContains(t, err, "down")
			assert.True(t, post.Revealed())
		}
		close(gate)
		for _, r := range []*Request{get, post, body} {
			if r == post && cut {
				continue
			}
			_, err := r.Result()
			require.NoError(t, err, "cut %v", cut)
		}
		eventually(t, "the links are closed", func() bool { return endpointsOf(p)[hostPort(t, hung.URL)].Links == 0 })
		assert.EqualValues(t, 3, hung.hits.Load())
	}
}

func TestChecks_by_TCP_go_where_the_requests_go(t *testing.T) {
	s := secure(t, nil, 0)
	m := openMap(t, trusting(), Checks(Check{Policy: health.CheckPolicy{Interval: time.Hour}}),
		Requests(config.ConnectTo(map[string]string{"peer.invalid:443": s.Listener.Addr().String()})))
	p, err := m.Get("https://peer.invalid/")
	require.NoError(t, err)
	p.decide(p.refresh)
	found(t, p, "", "up")
}
