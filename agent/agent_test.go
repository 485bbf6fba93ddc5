package agent

import (
	"context"
	"errors"
	"io"
	"net/http"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom/config"
	"github.com/ratmom/ratmom/handler"
	"github.com/ratmom/ratmom/internal/failure"
	"github.com/ratmom/ratmom/internal/testserver"
	"github.com/ratmom/ratmom/retry"
)

const patience = 10 * time.Second

func start(t testing.TB) *Handle {
	t.Helper()
	h := startBare(t)
	t.Cleanup(h.Close)
	return h
}

// startBare starts an agent that the test must end.
func startBare(t testing.TB) *Handle {
	t.Helper()
	cfg, err := config.NewClient(config.Proxy(""))
	require.NoError(t, err)
	h, err := Start(cfg.Multi())
	require.NoError(t, err)
	return h
}

func plan(t testing.TB) *handler.Plan {
	t.Helper()
	cfg, err := config.NewClient(config.Proxy(""))
	require.NoError(t, err)
	return handler.NewPlan(cfg.Defaults(), false)
}

// call is one request of a test and what became of it.
type call struct {
	*handler.Handler
	done chan struct{} // the future: closed twice panics
	over chan struct{} // the transfer, if it is watched
}

func (c *call) Completed(*handler.Handler) { close(c.done) }

// prepare makes a request for the agent without giving it to it.
func prepare(t testing.TB, h *Handle, p *handler.Plan, ctx context.Context, url string) *call {
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	require.NoError(t, err)
	c := &call{done: make(chan struct{})}
	c.Handler, err = handler.New(h.Pool(), &handler.Spec{
		Request: req, Plan: p, Driver: h.Driver(),
		Done: c,
	})
	require.NoError(t, err)
	return c
}

func (c *call) wait(t testing.TB) error {
	t.Helper()
	select {
	case <-c.done:
		return c.Err()
	case <-time.After(patience):
		t.Fatal("the future never completed")
		return nil
	}
}

func get(t testing.TB, h *Handle, url string) *call {
	t.Helper()
	c := prepare(t, h, plan(t), context.Background(), url)
	h.Execute(c.Handler)
	return c
}

func TestAgent_runs_a_request_and_counts_it(t *testing.T) {
	s := testserver.Start(t, testserver.H1, testserver.Blob(100))
	h := start(t)
	c := get(t, h, s.URL)
	require.NoError(t, c.wait(t))
	resp, err := c.Response()
	require.NoError(t, err)
	n, err := testserver.CheckPattern(resp.Body)
	require.NoError(t, err)
	require.EqualValues(t, 100, n)
	require.NoError(t, resp.Body.Close())
	require.Eventually(t, func() bool { return h.Stats().Requests == 0 && h.Load() == 0 }, patience, time.Millisecond)
}

// pending are requests in every state that can be interrupted.
func pending(t *testing.T, h *Handle) (waiting []*call, reading []io.ReadCloser) {
	t.Helper()
	silent := testserver.Raw(t, testserver.AnswerAndHang(""))
	headed := testserver.Raw(t, testserver.HeadThenNothing())
	for range 5 {
		waiting = append(waiting, get(t, h, silent.URL))
		c := get(t, h, headed.URL)
		require.NoError(t, c.wait(t))
		resp, err := c.Response() //nolint:bodyclose // requireAllFail closes it
		require.NoError(t, err)
		reading = append(reading, resp.Body)
	}
	require.True(t, silent.WaitRequests(5, patience))
	return waiting, reading
}

func requireAllFail(t *testing.T, waiting []*call, reading []io.ReadCloser, kind failure.Kind, cause error) {
	t.Helper()
	check := func(err error) {
		require.ErrorIs(t, err, kind)
		if cause != nil {
			require.ErrorIs(t, err, cause)
		}
		var e *failure.Error
		require.ErrorAs(t, err, &e)
		require.Contains(t, e.URL, "http://127.0.0.1:")
	}
	for _, c := range waiting {
		check(c.wait(t))
	}
	for _, r := range reading {
		_, err := r.Read(make([]byte, 1))
		check(err)
		require.NoError(t, r.Close())
	}
}

func TestAgent_that_panics_fails_what_is_pending_and_what_comes_later(t *testing.T) {
	h := start(t)
	waiting, reading := pending(t, h)
	bug := func() error { panic("injected") }
	h.a.fault.Store(&bug)
	late := prepare(t, h, plan(t), context.Background(), "http://127.0.0.1:9/")
	h.Execute(late.Handler) // its message makes the agent turn
	requireAllFail(t, waiting, reading, failure.AgentStopped, nil)
	require.ErrorContains(t, late.wait(t), "panic: injected")

	after := prepare(t, h, plan(t), context.Background(), "http://127.0.0.1:9/")
	h.Execute(after.Handler)
	require.ErrorIs(t, after.wait(t), failure.AgentStopped)
	require.Zero(t, h.Load())
	require.Zero(t, h.Stats())
	h.CloseIdle()
	h.Close()
	h.Close()
}

func TestAgent_whose_multi_handle_fails_says_so_to_everybody(t *testing.T) {
	h := start(t)
	waiting, reading := pending(t, h)
	broken := errors.New("CURLMcode 4: injected")
	bug := func() error { return broken }
	h.a.fault.Store(&bug)
	late := get(t, h, "http://127.0.0.1:9/")
	requireAllFail(t, waiting, reading, failure.AgentStopped, broken)
	require.ErrorIs(t, late.wait(t), broken)
	after := get(t, h, "http://127.0.0.1:9/")
	require.ErrorIs(t, after.wait(t), failure.AgentStopped)
}

func TestAgent_that_is_closed_fails_what_is_pending(t *testing.T) {
	h := start(t)
	waiting, reading := pending(t, h)
	begin := time.Now()
	h.Close()
	require.Less(t, time.Since(begin), time.Second)
	requireAllFail(t, waiting, reading, failure.Closed, nil)
	require.ErrorIs(t, get(t, h, "http://127.0.0.1:9/").wait(t), failure.Closed)
}

func TestAgent_whose_handle_is_dropped_ends_with_an_error_to_what_is_pending(t *testing.T) {
	h := startBare(t)
	stopped := h.a.stopped
	waiting, reading := pending(t, h)
	runtime.KeepAlive(h)
	h = nil // dropped
	deadline := time.After(patience)
	for over := false; !over; {
		runtime.GC()
		select {
		case <-stopped:
			over = true
		case <-time.After(5 * time.Millisecond):
		case <-deadline:
			t.Fatal("the agent outlived its handle")
		}
	}
	requireAllFail(t, waiting, reading, failure.AgentStopped, errHandleDropped)
}

func TestAgent_that_is_closed_by_many_ends_once(t *testing.T) {
	for range 50 {
		h := startBare(t)
		s := testserver.Raw(t, testserver.Silent())
		var all sync.WaitGroup
		for range 4 {
			all.Go(func() {
				c := get(t, h, s.URL)
				if err := c.wait(t); !errors.Is(err, failure.Closed) {
					t.Error(err)
				}
			})
			all.Go(h.Close)
			all.Go(func() { h.Stats() })
			all.Go(h.CloseIdle)
		}
		all.Wait()
		require.Zero(t, h.Load())
		s.Close()
	}
}

func TestAgent_takes_more_messages_than_its_mailbox_holds(t *testing.T) {
	s := testserver.Start(t, testserver.H1, testserver.Blob(1))
	h := start(t)
	p := plan(t)
	// The agent is held, so that everything spills.
	held, release := make(chan struct{}), make(chan struct{})
	var once sync.Once
	stall := func() error {
		once.Do(func() {
			close(held)
			<-release
		})
		return nil
	}
	h.a.fault.Store(&stall)
	go h.Stats()
	<-held
	const n = 3 * mailboxSize
	calls := make([]*call, n)
	for i := range calls {
		calls[i] = prepare(t, h, p, context.Background(), s.URL)
		h.Execute(calls[i].Handler)
		if i%3 != 0 {
			calls[i].Cancel(context.Canceled)
		}
	}
	require.True(t, h.a.spilled.Load())
	close(release)
	for i, c := range calls {
		err := c.wait(t)
		if i%3 != 0 {
			require.ErrorIs(t, err, failure.Canceled)
			continue
		}
		require.NoError(t, err)
		resp, err := c.Response()
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
	}
	require.Eventually(t, func() bool { return h.Load() == 0 && h.Stats().Requests == 0 }, patience, time.Millisecond)
}

// A cancel that comes between a failure and the decision to send the request again
// must not turn into that failure: the caller would be told of a dead connection.
func TestRetry_is_decided_by_the_failure_and_not_by_a_later_cancel(t *testing.T) {
	s := testserver.Raw(t, testserver.CloseOnReuse())
	h := start(t)
	first := get(t, h, s.URL)
	require.NoError(t, first.wait(t))
	resp, err := first.Response()
	require.NoError(t, err)
	_, err = io.Copy(io.Discard, resp.Body)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())

	second := get(t, h, s.URL)
	require.ErrorIs(t, second.wait(t), failure.ConnectionClosed)
	second.Cancel(context.Canceled)
	require.Equal(t, retry.Stale, second.Class())
}
