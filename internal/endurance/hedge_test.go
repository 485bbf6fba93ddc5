package endurance

import (
	"context"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom"
	"github.com/ratmom/ratmom/config"
	"github.com/ratmom/ratmom/internal/testserver"
	"github.com/ratmom/ratmom/retry"
)

// hedged serves the nth request by the nth of what, and the rest by the last.
func hedged(what ...func(w http.ResponseWriter, r *http.Request)) (http.Handler, *atomic.Int64) {
	var n atomic.Int64
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		what[min(int(n.Add(1)), len(what))-1](w, r)
	}), &n
}

func answers(text string) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, text) }
}

func says(status int) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }
}

// hangs waits until the client is gone, and tells so.
func hangs(gone chan<- struct{}) func(http.ResponseWriter, *http.Request) {
	return func(_ http.ResponseWriter, r *http.Request) {
		<-r.Context().Done()
		select {
		case gone <- struct{}{}:
		default:
		}
	}
}

func hedge(p retry.Policy, after time.Duration) config.Option {
	p.Hedge.After = after
	return quick(p)
}

func TestHedge_wins_and_the_first_try_is_cancelled(t *testing.T) {
	for _, mode := range []testserver.Mode{testserver.H1, testserver.H2} {
		for _, async := range []bool{false, true} {
			t.Run(string(mode), func(t *testing.T) {
				gone := make(chan struct{}, 1)
				h, n := hedged(hangs(gone), answers("second"))
				s := testserver.Start(t, mode, h)
				client := clientFor(t, mode, s.CAFile, hedge(retry.Policy{}, 50*time.Millisecond), config.Metrics(true))
				var resp *ratmom.Response
				var err error
				if req := request(t, patient(t), "GET", s.URL); async {
					resp, err = client.SendAsync(req).Result()
				} else {
					resp, err = client.Send(req)
				}
				require.NoError(t, err)
				text, err := resp.Text()
				require.NoError(t, err)
				require.Equal(t, "second", text)
				require.EqualValues(t, 2, n.Load())
				select {
				case <-gone:
				case <-time.After(patience):
					require.Fail(t, "the server still has the first")
				}
				require.Equal(t, []string{"slower than another try"}, failed(resp.Attempts()))
				m, ok := resp.Metrics()
				require.True(t, ok)
				require.Equal(t, []int{1, 0, 0}, []int{m.Hedges, m.Retries, m.Redirects})
				require.True(t, waitUntil(patience, func() bool { return client.Stats().Requests == 0 }))
			})
		}
	}
}

func TestHedge_is_given_up_when_the_first_answers(t *testing.T) {
	second := make(chan struct{})
	gone := make(chan struct{}, 1)
	h, n := hedged(func(w http.ResponseWriter, _ *http.Request) {
		<-second
		_, _ = io.WriteString(w, "first")
	}, func(w http.ResponseWriter, r *http.Request) {
		close(second)
		hangs(gone)(w, r)
	})
	s := testserver.Start(t, testserver.H1, h)
	client := newClient(t, hedge(retry.Policy{}, 20*time.Millisecond))
	text, resp, err := send(t, client, "GET", s.URL, "")
	require.NoError(t, err)
	require.Equal(t, "first", text)
	require.EqualValues(t, 2, n.Load())
	require.Len(t, resp.Attempts(), 1)
	select {
	case <-gone:
	case <-time.After(patience):
		require.Fail(t, "the server still has the second")
	}
}

func TestHedge_takes_the_first_good_answer(t *testing.T) {
	both := func(status int) func(http.ResponseWriter, *http.Request) { // bad, when the other runs
		return func(w http.ResponseWriter, r *http.Request) {
			select {
			case <-time.After(150 * time.Millisecond):
				w.WriteHeader(status)
			case <-r.Context().Done():
			}
		}
	}
	slow := func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-time.After(500 * time.Millisecond):
			_, _ = io.WriteString(w, "good")
		case <-r.Context().Done():
		}
	}
	for _, c := range []struct {
		name string
		what []func(http.ResponseWriter, *http.Request)
		want string
		n    int64
	}{
		{"the second, after the first was bad", []func(http.ResponseWriter, *http.Request){both(503), slow}, "good", 2},
		{"the first, after the second was bad", []func(http.ResponseWriter, *http.Request){slow, says(503)}, "good", 2},
		{"a third, after both were bad", []func(http.ResponseWriter, *http.Request){both(503), both(502), answers("third")}, "third", 3},
	} {
		t.Run(c.name, func(t *testing.T) {
			h, n := hedged(c.what...)
			s := testserver.Start(t, testserver.H1, h)
			client := newClient(t, hedge(retry.Policy{}, 50*time.Millisecond))
			text, resp, err := send(t, client, "GET", s.URL, "")
			require.NoError(t, err)
			require.Equal(t, c.want, text)
			require.Equal(t, c.n, n.Load())
			require.Len(t, resp.Attempts(), int(c.n)-1)
		})
	}
	t.Run("a bad answer rather than none", func(t *testing.T) {
		gone := make(chan struct{}, 2)
		h, _ := hedged(both(503), hangs(gone))
		s := testserver.Start(t, testserver.H1, h)
		client := newClient(t, hedge(retry.Policy{Tries: 2, TryTimeout: 400 * time.Millisecond}, 50*time.Millisecond))
		_, resp, err := send(t, client, "GET", s.URL, "")
		require.NoError(t, err)
		require.Equal(t, 503, resp.StatusCode)
		require.Equal(t, []string{"timeout beside another try"}, failed(resp.Attempts()))
	})
}

func TestHedge_is_for_safe_requests_and_within_the_budget(t *testing.T) {
	late := func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-time.After(200 * time.Millisecond):
			_, _ = io.WriteString(w, "late")
		case <-r.Context().Done():
		}
	}
	h, n := hedged(late)
	s := testserver.Start(t, testserver.H1, h)
	client := newClient(t, hedge(retry.Policy{}, 20*time.Millisecond))
	for _, method := range []string{"POST", "PUT", "DELETE"} {
		n.Store(0)
		_, _, err := send(t, client, method, s.URL, "")
		require.NoError(t, err)
		require.EqualValues(t, 1, n.Load(), method)
	}
	n.Store(0)
	_, _, err := send(t, client, "GET", s.URL, "")
	require.NoError(t, err)
	require.EqualValues(t, 2, n.Load())

	budget, err := retry.NewBudget(0.1, -1, time.Minute)
	require.NoError(t, err)
	client = newClient(t, hedge(retry.Policy{}, 20*time.Millisecond), config.RetryBudget(budget))
	n.Store(0)
	const total = 100
	var list []*ratmom.Future
	for range total {
		list = append(list, client.SendAsync(request(t, patient(t), "GET", s.URL)))
	}
	for _, f := range list {
		resp, err := f.Result()
		require.NoError(t, err)
		require.NoError(t, resp.Discard())
	}
	require.EqualValues(t, 10, budget.Stats(time.Now()).Repeats)
	require.LessOrEqual(t, n.Load(), int64(total+10))
}

func TestHedge_at_the_P95_is_rare_and_saves_what_hangs(t *testing.T) {
	var n, hung atomic.Int64
	s := testserver.Start(t, testserver.H1, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/hang" && n.Add(1) == 1 {
			hung.Add(1)
			<-r.Context().Done()
			return
		}
		_, _ = io.WriteString(w, "hello")
	}))
	client := newClient(t, config.Retry(retry.Policy{Hedge: retry.Hedge{P95: true}}))
	hedges := 0
	for range 300 {
		_, resp, err := send(t, client, "GET", s.URL, "")
		require.NoError(t, err)
		hedges += len(resp.Attempts())
	}
	require.LessOrEqual(t, hedges, 100, "a fifth at most, and the floor")
	began := time.Now()
	text, resp, err := send(t, client, "GET", s.URL+"/hang", "")
	require.NoError(t, err)
	require.Equal(t, "hello", text)
	require.EqualValues(t, 1, hung.Load())
	require.Len(t, resp.Attempts(), 1)
	t.Logf("%d hedges of 300; one that hung was answered in %v", hedges, time.Since(began))
}

func TestHedged_requests_are_given_up_as_a_whole(t *testing.T) {
	gone := make(chan struct{}, 2)
	h, n := hedged(func(_ http.ResponseWriter, r *http.Request) {
		<-r.Context().Done()
		gone <- struct{}{}
	})
	s := testserver.Start(t, testserver.H1, h)
	client := newClient(t, hedge(retry.Policy{}, 20*time.Millisecond))
	for name, give := range map[string]func(*ratmom.Future, context.CancelFunc){
		"future":  func(f *ratmom.Future, _ context.CancelFunc) { f.Cancel() },
		"context": func(_ *ratmom.Future, cancel context.CancelFunc) { cancel() },
	} {
		t.Run(name, func(t *testing.T) {
			n.Store(0)
			ctx, cancel := context.WithCancel(patient(t))
			defer cancel()
			f := client.SendAsync(request(t, ctx, "GET", s.URL))
			require.True(t, waitUntil(patience, func() bool { return n.Load() == 2 }))
			give(f, cancel)
			_, err := f.Result()
			require.ErrorIs(t, err, ratmom.ErrCanceled)
			for range 2 {
				select {
				case <-gone:
				case <-time.After(patience):
					require.Fail(t, "the server still has one")
				}
			}
		})
	}
	t.Run("close", func(t *testing.T) {
		n.Store(0)
		f := client.SendAsync(request(t, patient(t), "GET", s.URL))
		require.True(t, waitUntil(patience, func() bool { return n.Load() == 2 }))
		require.NoError(t, client.Close())
		_, err := f.Result()
		require.ErrorIs(t, err, ratmom.ErrClosed)
	})
}

// Whatever comes first, an exchange ends once and nothing is left behind: TestMain
// counts goroutines, descriptors and transfers.
func TestHedges_in_numbers_leave_nothing_behind(t *testing.T) {
	heavy(t)
	s := testserver.Start(t, testserver.H1, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if len(r.URL.Path)%3 == 0 {
			w.WriteHeader(503)
		}
		_, _ = io.WriteString(w, strings.Repeat("x", 20_000))
	}))
	client := newClient(t, hedge(retry.Policy{Tries: 3}, 300*time.Microsecond), config.RetryBudget(nil), config.MaxConnectionsPerHost(50))
	hedges := 0
	for range 10 {
		var list []*ratmom.Future
		for i := range 200 {
			list = append(list, client.SendAsync(request(t, patient(t), "GET", s.URL+"/"+strings.Repeat("a", i%3))))
			if i%7 == 0 {
				list[i].Cancel()
			}
		}
		for i, f := range list {
			resp, err := f.Result()
			if i%7 == 0 && err != nil {
				continue
			}
			if assert.NoError(t, err) {
				b, err := resp.Bytes()
				if i%7 != 0 {
					assert.NoError(t, err)
					assert.Len(t, b, 20_000)
				}
				hedges += len(resp.Attempts())
			}
		}
	}
	t.Logf("%d other tries", hedges)
	require.True(t, waitUntil(patience, func() bool { return client.Stats().Requests == 0 }))
}
