package ratmom

import (
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom/config"
	"github.com/ratmom/ratmom/handler"
	"github.com/ratmom/ratmom/internal/workers"
	"github.com/ratmom/ratmom/retry"
)

// ended is a transfer that has ended, whose response nobody has taken.
func ended(t *testing.T, c *Client, req *http.Request) *handler.Handler {
	t.Helper()
	x, err := c.newExchange(req, c.plan, nil)
	require.NoError(t, err)
	f := x.async()
	<-f.Done()
	x.fut.mu.Lock()
	x.fut.taken = true // else the garbage collector's end of the future would take it
	x.fut.mu.Unlock()
	return x.h
}

// raced is an exchange whose transfers are handed to it by the test.
func raced(c *Client, req *http.Request, transfers ...*handler.Handler) *race {
	policy := retry.Policy{}.Full()
	x := &exchange{client: c, plan: c.plan, req: req, ready: make(chan struct{}, 1)}
	x.tries = &tries{run: retry.Begin(&policy, nil, time.Now())}
	r := &race{x: x, req: req, running: len(transfers)}
	for i, h := range transfers {
		r.runners[i].h = h
	}
	return r
}

func raceClient(t *testing.T) (c *Client, good, refused *http.Request) {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte("good"))
	}))
	t.Cleanup(s.Close)
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	c, err := New(config.Proxy(""))
	require.NoError(t, err)
	t.Cleanup(func() { _ = c.Close() })
	good, err = http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL, nil)
	require.NoError(t, err)
	refused, err = http.NewRequestWithContext(t.Context(), http.MethodGet, gone.URL, nil)
	require.NoError(t, err)
	return c, good, refused
}

// rest returns when all that was submitted before has been done: then every goroutine of
// the pool has come to here.
func rest(w *workers.Pool) {
	var all sync.WaitGroup
	all.Add(workers.Max)
	for range workers.Max {
		w.Submit(func() {
			all.Done()
			all.Wait()
		})
	}
	all.Wait()
}

func TestRace_keeps_the_answer_when_the_other_try_fails_at_the_same_moment(t *testing.T) {
	c, good, refused := raceClient(t)
	answer, failure := ended(t, c, good), ended(t, c, refused)
	require.NoError(t, answer.Err())
	require.Error(t, failure.Err())
	for range 5_000 {
		r := raced(c, good, failure, answer)
		var both sync.WaitGroup
		both.Go(func() { r.Completed(failure) })
		both.Go(func() { r.Completed(answer) })
		both.Wait()
		<-r.x.ready
		require.Same(t, answer, r.x.h)
	}
	rest(&c.work)
	resp, err := newResponse(answer, good)
	require.NoError(t, err)
	text, err := resp.Text()
	require.NoError(t, err)
	assert.Equal(t, "good", text)
}

func TestRace_that_both_tries_lose_ends_with_the_more_telling_one(t *testing.T) {
	c, _, refused := raceClient(t)
	cut := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if nc, _, err := http.NewResponseController(w).Hijack(); err == nil {
			_ = nc.Close()
		}
	}))
	t.Cleanup(cut.Close)
	unavailable := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) }))
	t.Cleanup(unavailable.Close)
	get := func(url string) *handler.Handler {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
		require.NoError(t, err)
		return ended(t, c, req)
	}
	connect, broken, status := ended(t, c, refused), get(cut.URL), get(unavailable.URL)
	require.Equal(t, retry.Connect, classOf(connect))
	require.Equal(t, retry.Broken, classOf(broken))
	require.Equal(t, retry.Status, classOf(status))
	for _, p := range []struct{ more, less *handler.Handler }{{broken, connect}, {status, connect}, {status, broken}} {
		for _, order := range [][2]*handler.Handler{{p.more, p.less}, {p.less, p.more}} {
			r := raced(c, refused, order[0], order[1])
			r.Completed(order[0])
			r.Completed(order[1])
			<-r.x.ready
			require.Same(t, p.more, r.x.h)
			require.Len(t, r.x.tries.failed, 1)
			assert.Equal(t, classOf(p.less), r.x.tries.failed[0].Class)
		}
	}
	rest(&c.work)
	resp, err := newResponse(status, refused)
	require.NoError(t, err)
	require.NoError(t, resp.Discard())
}

func TestRace_leaves_the_exchange_alone_when_it_is_over(t *testing.T) {
	c, good, _ := raceClient(t)
	r := raced(c, good, ended(t, c, good), ended(t, c, good))
	first, second := r.runners[0].h, r.runners[1].h
	r.Completed(first)
	<-r.x.ready
	require.Same(t, first, r.x.h)
	var both sync.WaitGroup
	both.Go(func() { r.Completed(second) })
	both.Go(r.x.begin) // of the next hop
	both.Wait()
}

func TestRace_reads_nothing_of_a_request_that_is_the_callers_again(t *testing.T) {
	answer, asked, look := make(chan struct{}), make(chan struct{}), make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-answer }))
	defer s.Close()
	c, err := New(config.Proxy(""), config.Retry(retry.Policy{Hedge: retry.Hedge{After: 10 * time.Millisecond}}))
	require.NoError(t, err)
	defer c.Close()
	calls := 0
	ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{GetConn: func(string) {
		if calls++; calls == 2 {
			close(asked)
			<-look
		}
	}})
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL, nil)
	require.NoError(t, err)
	f := c.SendAsync(req)
	<-asked // the second try is being made
	close(answer)
	resp, err := f.Result()
	require.NoError(t, err)
	require.NoError(t, resp.Discard())
	assert.Same(t, req, resp.Request)
	close(look)
	for began := time.Now(); time.Since(began) < 50*time.Millisecond; {
		req.Header.Set("Next", "one")
	}
}

func TestRace_takes_no_notice_of_the_next_hop(t *testing.T) {
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer other.Close()
	answer, asked, look := make(chan struct{}), make(chan struct{}), make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		<-answer
		http.Redirect(w, r, other.URL, http.StatusFound)
	}))
	defer s.Close()
	c, err := New(config.Proxy(""), config.BasicAuth("user", "password"),
		config.Retry(retry.Policy{Hedge: retry.Hedge{After: 10 * time.Millisecond}}))
	require.NoError(t, err)
	defer c.Close()
	var calls atomic.Int32
	ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{GetConn: func(string) {
		if calls.Add(1) == 2 {
			close(asked)
			<-look
		}
	}})
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL, nil)
	require.NoError(t, err)
	f := c.SendAsync(req)
	<-asked // the second try is being made
	close(answer)
	resp, err := f.Result()
	require.NoError(t, err)
	require.NoError(t, resp.Discard())
	assert.Equal(t, other.URL, resp.EffectiveURL.String())
	close(look)
}

type nobody struct{}

func (nobody) Completed(*handler.Handler) {}

// A future that is cancelled ends its transfer before the agent has it; the worker that
// goes on with the exchange may be faster than who hands it over.
func TestExecute_takes_a_transfer_that_was_given_up_and_asked_for_its_response(t *testing.T) {
	c, good, _ := raceClient(t)
	a := c.pick(good.URL)
	h, err := handler.New(a.Pool(), &handler.Spec{Request: good, Plan: c.plan, Driver: a.Driver(), Done: nobody{}, Owner: c})
	require.NoError(t, err)
	h.Cancel(errFutureCanceled)
	var both sync.WaitGroup
	both.Go(func() {
		_, err := newResponse(h, good)
		assert.ErrorIs(t, err, ErrCanceled)
	})
	both.Go(func() { a.Execute(h) })
	both.Wait()
}

func TestFuture_forgets_no_hedge_for_one_of_the_hop_before(t *testing.T) {
	f := newFuture(nil)
	var first, late, next, beside handler.Handler
	f.running(&first)
	f.running(&next)
	f.hedged(&next, &beside)
	f.hedged(&first, &late)
	assert.Same(t, &beside, f.second)
}
