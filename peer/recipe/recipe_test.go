package recipe

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom"
	"github.com/ratmom/ratmom/config"
	"github.com/ratmom/ratmom/internal/testserver"
	"github.com/ratmom/ratmom/peer"
	"github.com/ratmom/ratmom/retry"
)

func TestMain(m *testing.M) { os.Exit(testserver.CheckLeaks(m)) }

func openMap(t *testing.T) *peer.Map {
	t.Helper()
	client, err := ratmom.New(config.Proxy(""))
	require.NoError(t, err)
	m, err := peer.Open(client)
	require.NoError(t, err)
	t.Cleanup(func() { m.Close(); _ = client.Close() })
	return m
}

func serve(t *testing.T, h http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL
}

func request(t *testing.T, method, url string) *http.Request {
	t.Helper()
	req, err := http.NewRequestWithContext(context.WithoutCancel(t.Context()), method, url, nil)
	require.NoError(t, err)
	return req
}

func TestScatter_gathers_what_comes_before_the_deadline(t *testing.T) {
	m := openMap(t)
	silent := serve(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	var reqs []*http.Request
	for i := range 5 {
		reqs = append(reqs, request(t, http.MethodGet, serve(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprint(w, i) })))
	}
	reqs = append(reqs, request(t, http.MethodGet, silent), request(t, http.MethodGet, "http://127.0.0.1:1/"), &http.Request{})
	ctx, stop := context.WithCancelCause(t.Context())
	late := errors.New("late")
	seen := map[int]string{}
	good, err := Scatter(ctx, m, reqs, func(a Answer) bool {
		assert.NotContains(t, seen, a.Index)
		seen[a.Index] = "failed"
		if a.Err == nil {
			seen[a.Index] = string(a.Result.Content)
		}
		if len(seen) == 7 {
			stop(late)
		}
		return true
	})
	assert.ErrorIs(t, err, late)
	assert.Equal(t, 5, good)
	assert.Equal(t, map[int]string{0: "0", 1: "1", 2: "2", 3: "3", 4: "4", 6: "failed", 7: "failed"}, seen)
}

func TestScatter_stops_when_told_to(t *testing.T) {
	m := openMap(t)
	silent := serve(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	quick := serve(t, func(http.ResponseWriter, *http.Request) {})
	good, err := Scatter(t.Context(), m, []*http.Request{request(t, "GET", silent), request(t, "GET", quick), request(t, "GET", silent)},
		func(Answer) bool { return false })
	require.NoError(t, err)
	assert.Equal(t, 1, good)
}

func TestNextBest_goes_on_until_one_has_it(t *testing.T) {
	m := openMap(t)
	busy := serve(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotFound) })
	silent := serve(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	good := serve(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("it")) })
	list := func(method string, urls ...string) (reqs []*http.Request) {
		for _, u := range urls {
			reqs = append(reqs, request(t, method, u))
		}
		return reqs
	}
	res, i, err := NextBest(t.Context(), m, list(http.MethodGet, "http://127.0.0.1:1/", busy, silent, good), 300*time.Millisecond)
	require.NoError(t, err)
	assert.Equal(t, 3, i)
	assert.Equal(t, "it", string(res.Content))

	// Nobody has seen the first POST; the second one may have been processed.
	_, i, err = NextBest(t.Context(), m, list(http.MethodPost, "http://127.0.0.1:2/", busy, good), 0)
	assert.Equal(t, 1, i)
	require.ErrorIs(t, err, ratmom.ErrConnect)
	var status *peer.StatusError
	require.ErrorAs(t, err, &status)

	_, i, err = NextBest(t.Context(), m, []*http.Request{nil, request(t, http.MethodGet, good)}, 0)
	require.NoError(t, err, "nobody was asked by the first one")
	assert.Equal(t, 1, i)

	_, i, err = NextBest(t.Context(), m, nil, 0)
	require.ErrorIs(t, err, ErrNone)
	assert.Equal(t, -1, i)
}

// queue sends lines to url, and tells of each batch.
func queue(t *testing.T, m *peer.Map, url string, c QueueConfig[string]) (*Queue[string], chan string) {
	t.Helper()
	told := make(chan string, 100)
	c.Map = m
	c.Request = func(ctx context.Context, batch []string) (*http.Request, error) {
		return http.NewRequestWithContext(ctx, http.MethodPut, url, strings.NewReader(strings.Join(batch, " ")))
	}
	c.Done = func(batch []string, _ *peer.Result, err error) {
		s := strings.Join(batch, " ")
		if err != nil {
			s = fmt.Sprint("failed: ", s, errors.Is(err, ErrQueueClosed))
		}
		told <- s
	}
	q, err := NewQueue(c)
	require.NoError(t, err)
	return q, told
}

func TestQueue_sends_in_order_one_at_a_time_and_again_after_a_failure(t *testing.T) {
	var running, tries atomic.Int64
	gate, got := make(chan struct{}), make(chan string, 100)
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		assert.EqualValues(t, 1, running.Add(1))
		defer running.Add(-1)
		b, _ := io.ReadAll(r.Body)
		<-gate
		if tries.Add(1) <= 2 {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		got <- string(b)
	})
	q, told := queue(t, openMap(t), url, QueueConfig[string]{MaxBatch: 2, MaxQueue: 4, Retry: retry.Policy{Tries: 5, Base: time.Millisecond}})
	for _, s := range []string{"a", "b", "c", "d"} {
		require.NoError(t, q.Put(t.Context(), s))
	}
	full, stop := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer stop()
	require.ErrorIs(t, q.Put(full, "e"), context.DeadlineExceeded)
	assert.Equal(t, 4, q.Len())
	close(gate)
	require.NoError(t, q.Put(t.Context(), "e"))
	require.NoError(t, q.Close(t.Context()))
	require.ErrorIs(t, q.Put(t.Context(), "f"), ErrQueueClosed)
	close(told)
	var all, sent []string
	for s := range told {
		all = append(all, s)
	}
	for range len(got) {
		sent = append(sent, <-got)
	}
	assert.Equal(t, "a b c d e", strings.Join(all, " "))
	assert.Equal(t, all, sent)
	assert.LessOrEqual(t, len(all), 4)
}

func TestQueue_tells_of_all_that_it_did_not_send(t *testing.T) {
	here := make(chan struct{}, 1)
	url := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // only then a closed connection is noticed
		here <- struct{}{}
		<-r.Context().Done()
	})
	q, told := queue(t, openMap(t), url, QueueConfig[string]{MaxBatch: 1})
	for _, s := range []string{"a", "b", "c"} {
		require.NoError(t, q.Put(t.Context(), s))
	}
	<-here
	ctx, stop := context.WithCancel(t.Context())
	stop()
	require.ErrorIs(t, q.Close(ctx), context.Canceled)
	for _, s := range []string{"a", "b", "c"} {
		assert.Equal(t, "failed: "+s+"true", <-told)
	}
	require.NoError(t, q.Close(t.Context()))
	assert.Zero(t, q.Len())
}

func TestQueue_fails_what_no_request_was_made_for(t *testing.T) {
	told := make(chan error, 1)
	q, err := NewQueue(QueueConfig[int]{
		Map:     openMap(t),
		Request: func(context.Context, []int) (*http.Request, error) { return nil, nil },
		Done:    func(_ []int, _ *peer.Result, err error) { told <- err },
	})
	require.NoError(t, err)
	require.NoError(t, q.Put(t.Context(), 1))
	require.ErrorIs(t, <-told, errNothing)
	require.NoError(t, q.Close(t.Context()))
}
