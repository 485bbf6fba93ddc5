package peer

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom"
	"github.com/ratmom/ratmom/config"
	"github.com/ratmom/ratmom/peer/health"
	"github.com/ratmom/ratmom/retry"
)

const peerURL = "http://peer.test/"

// of resolves every name to servers, in that order.
func of(servers ...*server) Option {
	var addrs []Address
	for _, s := range servers {
		addrs = append(addrs, Address{Addr: s.Listener.Addr().String()})
	}
	return WithResolver(ResolverFunc(func(context.Context, string, string, string) ([]Address, time.Duration, error) {
		return addrs, 0, nil
	}))
}

func inOrder() Option { return WithPolicy(func() Policy { return first{} }) }

func soon(p retry.Policy) config.RequestOption {
	if p.Base == 0 {
		p.Base = time.Millisecond
	}
	return config.Retry(p)
}

func answers(status int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }
}

// breaks reads the request and then breaks the connection.
func breaks(w http.ResponseWriter, _ *http.Request) {
	c, _, _ := http.NewResponseController(w).Hijack()
	if t, ok := c.(*net.TCPConn); ok {
		_ = t.SetLinger(0)
	}
	_ = c.Close()
}

// stays answers when its client has gone.
func stays(_ http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body) // else net/http does not see the client go
	<-r.Context().Done()
}

func TestRetry_goes_elsewhere_by_what_the_method_allows(t *testing.T) {
	for _, c := range []struct {
		name        string
		bad         http.HandlerFunc
		class       retry.Class
		method, key string
		repeated    bool
	}{
		{"a GET after a 503", answers(503), retry.Status, "GET", "", true},
		{"a POST after a 503", answers(503), retry.Status, "POST", "", false},
		{"a POST with a key after a 503", answers(503), retry.Status, "POST", "1", true},
		{"a PUT after a reset", breaks, retry.Broken, "PUT", "", true},
		{"a POST after a reset", breaks, retry.Broken, "POST", "", false},
		{"a GET that hangs", stays, retry.Timeout, "GET", "", true},
		{"a POST that hangs", stays, retry.Timeout, "POST", "", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			bad, good := plain(t, c.bad), plain(t, nil)
			m := openMap(t, of(bad, good), inOrder(), Requests(soon(retry.Policy{TryTimeout: 300 * time.Millisecond})))
			req := request(t, c.method, peerURL)
			if c.method != "GET" {
				req, _ = http.NewRequestWithContext(t.Context(), c.method, peerURL, strings.NewReader("a body"))
			}
			if c.key != "" {
				req.Header.Set("Idempotency-Key", c.key)
			}
			res, err := m.Do(req)
			assert.EqualValues(t, 1, bad.hits.Load())
			if !c.repeated {
				require.Error(t, err)
				assert.EqualValues(t, 0, good.hits.Load(), "it may have been processed")
				return
			}
			require.NoError(t, err)
			assert.EqualValues(t, 1, good.hits.Load())
			require.Len(t, res.Attempts, 1)
			assert.Equal(t, c.class, res.Attempts[0].Class)
		})
	}
}

func TestRetry_of_the_request_counts_above_that_of_the_map(t *testing.T) {
	s := plain(t, answers(503))
	m := openMap(t, Requests(soon(retry.Policy{Tries: 4})))
	_, err := m.Do(request(t, "GET", s.URL))
	var status *StatusError
	require.ErrorAs(t, err, &status)
	assert.Len(t, status.Result.Attempts, 3)
	assert.EqualValues(t, 4, s.hits.Swap(0))
	_, err = m.Do(request(t, "GET", s.URL), Retry(retry.Policy{Tries: 2, Base: time.Millisecond}))
	require.ErrorAs(t, err, &status)
	assert.EqualValues(t, 2, s.hits.Swap(0))
	_, err = m.Do(request(t, "GET", s.URL), NoRetry())
	require.ErrorAs(t, err, &status)
	assert.EqualValues(t, 1, s.hits.Load())
	_, err = m.Do(request(t, "GET", s.URL), Retry(retry.Policy{Tries: -1}))
	assert.ErrorIs(t, err, ratmom.ErrInvalidOption)
}

func TestRetry_of_a_name_that_does_not_resolve_counts_its_tries(t *testing.T) {
	var asked atomic.Int32
	m := openMap(t, WithResolver(ResolverFunc(func(context.Context, string, string, string) ([]Address, time.Duration, error) {
		asked.Add(1)
		return nil, 0, errors.New("no such name")
	})), Requests(soon(retry.Policy{Tries: 3})))
	_, err := m.Do(request(t, http.MethodGet, peerURL))
	var e *ratmom.Error
	require.ErrorAs(t, err, &e)
	assert.Equal(t, 3, e.Tries)
	assert.LessOrEqual(t, asked.Load(), int32(3))
}

func TestRetry_never_is_on_a_pin(t *testing.T) {
	s := plain(t, answers(503))
	m := openMap(t, Requests(soon(retry.Policy{})))
	p, err := m.Get(s.URL)
	require.NoError(t, err)
	pin, err := p.Pin()
	require.NoError(t, err)
	defer pin.Release()
	_, err = pin.Do(request(t, "GET", s.URL))
	var status *StatusError
	require.ErrorAs(t, err, &status)
	assert.EqualValues(t, 1, s.hits.Load())
}

func TestRetry_waits_as_long_as_Retry_After_says(t *testing.T) {
	var n atomic.Int32
	s := plain(t, func(w http.ResponseWriter, _ *http.Request) {
		if n.Add(1) == 1 {
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(503)
		}
	})
	m := openMap(t, Requests(soon(retry.Policy{})))
	p, err := m.Get(s.URL)
	require.NoError(t, err)
	began := time.Now()
	r := m.Go(request(t, "GET", s.URL))
	eventually(t, "the peer is left alone", func() bool { p.mu.Lock(); defer p.unlock(); return p.faults.errs.Len() == 1 })
	_, err = m.Do(request(t, "GET", s.URL))
	if time.Since(began) < time.Second { // else its time may be over
		var blocked *health.Blocked
		require.ErrorAs(t, err, &blocked)
		require.ErrorIs(t, err, ErrUnavailable)
		assert.Equal(t, health.KindBusy, blocked.Kind)
	}
	_, err = r.Result()
	require.NoError(t, err)
	assert.GreaterOrEqual(t, time.Since(began), time.Second)
	assert.EqualValues(t, 1, s.conns.Load(), "the connection serves the next try")
}

func TestRetry_keeps_within_the_budget_of_the_map(t *testing.T) {
	s := plain(t, answers(503))
	b, err := retry.NewBudget(0.1, 5, time.Minute)
	require.NoError(t, err)
	m := openMap(t, RetryBudget(b), Requests(soon(retry.Policy{Tries: 10})))
	for range 100 {
		_, err := m.Do(request(t, "GET", s.URL))
		require.Error(t, err)
	}
	assert.LessOrEqual(t, s.hits.Load(), int64(111))
	assert.Greater(t, s.hits.Load(), int64(104))
}

func TestRetry_a_wait_ends_with_Cancel_and_with_Close(t *testing.T) {
	s := plain(t, answers(503))
	m := openMap(t, Requests(config.Retry(retry.Policy{Base: time.Hour, Cap: time.Hour})))
	waits := func() *Request {
		r := m.Go(request(t, "GET", s.URL))
		p, _ := m.Get(s.URL)
		eventually(t, "it waits", func() bool {
			p.mu.Lock()
			defer p.unlock()
			return r.c.tag.state == tagWaiting
		})
		return r
	}
	r := waits()
	r.Cancel()
	_, err := r.Result()
	require.ErrorIs(t, err, ratmom.ErrCanceled)
	r = waits()
	m.Close()
	_, err = r.Result()
	require.ErrorIs(t, err, ErrClosed)
	assert.EqualValues(t, 2, s.hits.Load())
}

func TestHedge_takes_the_other_endpoint_and_gives_the_late_one_up(t *testing.T) {
	gone := make(chan struct{}, 1)
	late := plain(t, func(w http.ResponseWriter, r *http.Request) { stays(w, r); gone <- struct{}{} })
	good := plain(t, nil)
	m := openMap(t, of(late, good), inOrder(), Requests(soon(retry.Policy{Hedge: retry.Hedge{After: 20 * time.Millisecond}})))
	res, err := m.Do(request(t, "GET", peerURL))
	require.NoError(t, err)
	assert.EqualValues(t, 1, good.hits.Load())
	require.Len(t, res.Attempts, 1)
	assert.True(t, res.Attempts[0].Hedged)
	await(t, gone)
	post, _ := http.NewRequestWithContext(t.Context(), "POST", peerURL, nil)
	_, err = m.Do(post, Timeout(200*time.Millisecond))
	require.ErrorIs(t, err, ratmom.ErrTimeout, "a POST is not hedged")
	assert.EqualValues(t, 1, good.hits.Load())
}

func TestHedge_a_try_that_was_not_sent_never_is(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0") // accepts, and says nothing of TLS
	require.NoError(t, err)
	defer l.Close()
	conns := make(chan net.Conn, 4)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			conns <- c
		}
	}()
	good := newServer(t, nil)
	good.StartTLS()
	addrs := []Address{{Addr: l.Addr().String()}, {Addr: good.Listener.Addr().String()}}
	m := openMap(t, inOrder(), StallAfter(0), trusting(), Requests(soon(retry.Policy{Hedge: retry.Hedge{After: 20 * time.Millisecond}})),
		WithResolver(ResolverFunc(func(context.Context, string, string, string) ([]Address, time.Duration, error) { return addrs, 0, nil })))
	_, err = m.Do(request(t, "GET", "https://example.com/"), Timeout(patience))
	require.NoError(t, err)
	c := await(t, conns)
	defer c.Close()
	_ = c.SetReadDeadline(time.Now().Add(patience))
	var b [4096]byte
	for err = nil; err == nil; { // its hello, and the end
		_, err = c.Read(b[:])
	}
	var timeout net.Error
	assert.False(t, errors.As(err, &timeout) && timeout.Timeout(), "it was closed")
	assert.EqualValues(t, 1, good.hits.Load())
}

func TestReuse_safe_gives_a_POST_a_new_connection(t *testing.T) {
	s := plain(t, nil)
	m := openMap(t, Requests(config.ConnectionReuse(retry.ReuseSafe)))
	for i, c := range []struct {
		method string
		conns  int64
	}{{"GET", 1}, {"GET", 1}, {"POST", 2}, {"GET", 2}, {"POST", 3}} {
		_, err := m.Do(request(t, c.method, s.URL))
		require.NoError(t, err)
		assert.Equal(t, c.conns, s.conns.Load(), "request %d", i)
	}
}

func TestReuse_aggressive_wants_a_connection_that_was_reused(t *testing.T) {
	s := plain(t, nil)
	m := openMap(t, Requests(config.ConnectionReuse(retry.ReuseAggressive)))
	for i, c := range []struct {
		method string
		conns  int64
	}{{"GET", 1}, {"POST", 2}, {"GET", 2}, {"POST", 2}} {
		_, err := m.Do(request(t, c.method, s.URL))
		require.NoError(t, err)
		assert.Equal(t, c.conns, s.conns.Load(), "request %d", i)
	}
}

func TestReuse_never_uses_a_connection_once(t *testing.T) {
	s := plain(t, nil)
	m := openMap(t, Requests(config.ConnectionReuse(retry.ReuseNever)))
	for range 5 {
		_, err := m.Do(request(t, "GET", s.URL))
		require.NoError(t, err)
	}
	assert.EqualValues(t, 5, s.conns.Load())
}

func TestBreaker_refuses_what_would_wait_too_long(t *testing.T) {
	release := make(chan struct{})
	s := plain(t, func(http.ResponseWriter, *http.Request) { <-release })
	m := openMap(t, Breaker(health.Limits{Links: 2, Pending: 3}), MaxLinks(10))
	var all []*Request
	for range 5 {
		all = append(all, m.Go(request(t, "GET", s.URL)))
	}
	_, err := m.Do(request(t, "GET", s.URL))
	var limit *health.LimitError
	require.ErrorAs(t, err, &limit)
	assert.Equal(t, health.LimitError{Resource: health.Pending, Limit: 3}, *limit)
	require.ErrorIs(t, err, health.ErrLimit)
	close(release)
	for _, r := range all {
		_, err := r.Result()
		require.NoError(t, err)
	}
	assert.LessOrEqual(t, s.conns.Load(), int64(2))
}

func TestBreaker_says_why_a_failure_was_not_repeated(t *testing.T) {
	s := plain(t, breaks)
	m := openMap(t, Breaker(health.Limits{Retries: 1}), Requests(config.Retry(retry.Policy{Base: time.Hour, Cap: time.Hour})))
	r := m.Go(request(t, "GET", s.URL))
	p, _ := m.Get(s.URL)
	eventually(t, "it waits", func() bool {
		p.mu.Lock()
		defer p.unlock()
		return r.c.tag.state == tagWaiting
	})
	_, err := m.Do(request(t, "GET", s.URL))
	var limit *health.LimitError
	require.ErrorAs(t, err, &limit)
	assert.Equal(t, health.Retries, limit.Resource)
	var failed *ratmom.Error
	require.ErrorAs(t, err, &failed, "and what it was")
	r.Cancel()
}

func TestRetry_no_POST_is_doubled_by_a_server_that_breaks(t *testing.T) {
	var n atomic.Int64
	seen := make([]atomic.Int32, 2000)
	handler := func(w http.ResponseWriter, r *http.Request) {
		i := 0
		for _, d := range r.URL.Path[1:] {
			i = i*10 + int(d-'0')
		}
		seen[i].Add(1)
		switch n.Add(1) % 10 {
		case 0:
			breaks(w, r)
		case 1:
			w.WriteHeader(503)
		}
	}
	m := openMap(t, of(plain(t, handler), plain(t, handler)), ErrorTTL(health.KindRefused, health.TTL{}),
		Requests(soon(retry.Policy{Hedge: retry.Hedge{After: time.Millisecond}})))
	var all []*Request
	for i := range seen {
		req, err := http.NewRequestWithContext(t.Context(), "POST", peerURL, strings.NewReader("body"))
		require.NoError(t, err)
		req.URL.Path = "/" + strconv.Itoa(i)
		all = append(all, m.Go(req, AnyStatus()))
	}
	for i, r := range all {
		_, err := r.Result()
		if k := seen[i].Load(); err == nil {
			assert.EqualValues(t, 1, k, i)
		} else {
			assert.LessOrEqual(t, k, int32(1), i)
		}
	}
}
