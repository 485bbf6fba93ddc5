package endurance

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/http2"

	"github.com/ratmom/ratmom"
	"github.com/ratmom/ratmom/config"
	"github.com/ratmom/ratmom/internal/testserver"
	"github.com/ratmom/ratmom/retry"
)

// quick repeats soon, and often enough for every test.
func quick(p retry.Policy) config.Option {
	if p.Tries == 0 {
		p.Tries = 10
	}
	if p.Base == 0 {
		p.Base, p.Cap = time.Millisecond, 10*time.Millisecond
	}
	return config.Retry(p)
}

// flaky answers with the statuses in turn, then with 200 and what it was sent.
func flaky(header http.Header, statuses ...int) (http.Handler, *atomic.Int64) {
	var n atomic.Int64
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		i := int(n.Add(1)) - 1
		if i < len(statuses) {
			for k, vv := range header {
				w.Header()[k] = vv
			}
			w.WriteHeader(statuses[i])
			_, _ = io.WriteString(w, "sorry")
			return
		}
		_, _ = w.Write(append([]byte("hello"), b...))
	}), &n
}

// failed is what became of the tries, in words without waits.
func failed(list []retry.Attempt) (s []string) {
	for _, a := range list {
		a.Waited = 0
		s = append(s, a.String())
	}
	return s
}

func TestPolicy_repeats_statuses_over_the_same_connection(t *testing.T) {
	testserver.Modes(t, func(t *testing.T, mode testserver.Mode) {
		h, n := flaky(nil, 503, 429, 502)
		s := testserver.Start(t, mode, h)
		client := clientFor(t, mode, s.CAFile, quick(retry.Policy{}), config.Metrics(true))
		text, resp, err := send(t, client, "PUT", s.URL, " body")
		require.NoError(t, err)
		require.Equal(t, "hello body", text)
		require.EqualValues(t, 4, n.Load())
		require.Equal(t, []string{"status 503", "status 429", "status 502"}, failed(resp.Attempts()))
		m, ok := resp.Metrics()
		require.True(t, ok)
		require.Equal(t, 3, m.Retries)
		require.Zero(t, m.Redirects)
		if mode == testserver.H1 {
			require.Equal(t, 1, s.Accepted(), "the bodies of failed tries were drained")
		}
	})
}

func TestPolicy_closes_the_bodies_of_failed_tries(t *testing.T) {
	for name, c := range map[string]struct {
		size    int
		endless bool
	}{
		"small ones are read to their end": {20_000, false},
		"endless ones are cut":             {1 << 20, true},
	} {
		t.Run(name, func(t *testing.T) {
			var n atomic.Int64
			s := testserver.Start(t, testserver.H1, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if n.Add(1) > 1 {
					_, _ = io.WriteString(w, "hello")
					return
				}
				w.WriteHeader(503)
				_, _ = w.Write(make([]byte, c.size))
				_ = http.NewResponseController(w).Flush()
				if c.endless {
					<-r.Context().Done()
				}
			}))
			client := newClient(t, config.Retry(retry.Policy{Base: 100 * time.Millisecond}))
			ctx := patient(t)
			for range 2 { // the second time the first has long gone
				resp, err := client.Send(request(t, ctx, "GET", s.URL))
				require.NoError(t, err)
				text, err := resp.Text()
				require.NoError(t, err)
				require.Equal(t, "hello", text)
			}
			require.True(t, waitUntil(patience/2, func() bool { return client.Stats().Requests == 0 }))
			require.True(t, waitUntil(patience/2, func() bool { return s.Open() == 1 }))
			require.LessOrEqual(t, s.Accepted(), 2)
		})
	}
}

func TestPolicy_does_not_repeat_what_was_given_up(t *testing.T) {
	s := testserver.Raw(t, testserver.Silent())
	client := newClient(t, quick(retry.Policy{}))
	ctx, cancel := context.WithCancelCause(context.Background())
	f := client.SendAsync(request(t, ctx, "GET", s.URL))
	require.True(t, s.WaitAccepted(1, patience))
	cancel(os.ErrDeadlineExceeded) // to look like a timeout
	_, err := f.Result()
	var e *ratmom.Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, ratmom.ErrTimeout, error(e.Kind))
	require.Zero(t, e.Tries)
}

func TestPolicy_leaves_the_last_answer_to_the_caller(t *testing.T) {
	for _, c := range []struct {
		name    string
		method  string
		policy  retry.Policy
		header  http.Header
		tries   int64
		repeats int
	}{
		{"no tries are left", "GET", retry.Policy{Tries: 3}, nil, 3, 2},
		{"not for a POST", "POST", retry.Policy{}, nil, 1, 0},
		{"not this status", "GET", retry.Policy{Statuses: []int{500}}, nil, 1, 0},
		{"Retry-After is too long", "GET", retry.Policy{MaxRetryAfter: time.Second}, http.Header{"Retry-After": {"2"}}, 1, 0},
		{"the time is too short", "GET", retry.Policy{Deadline: time.Second}, http.Header{"Retry-After": {"1"}}, 1, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			h, n := flaky(c.header, 503, 503, 503, 503, 503, 503, 503, 503, 503, 503, 503, 503)
			s := testserver.Start(t, testserver.H1, h)
			client := newClient(t, quick(c.policy))
			text, resp, err := send(t, client, c.method, s.URL, "")
			require.NoError(t, err)
			require.Equal(t, 503, resp.StatusCode)
			require.Equal(t, "sorry", text)
			require.Equal(t, c.tries, n.Load())
			require.Len(t, resp.Attempts(), c.repeats)
		})
	}
}

func TestPolicy_is_of_the_client_or_of_one_request(t *testing.T) {
	h, n := flaky(nil, 503, 503)
	s := testserver.Start(t, testserver.H1, h)
	client := newClient(t)
	_, resp, err := send(t, client, "GET", s.URL, "")
	require.NoError(t, err)
	require.Equal(t, 503, resp.StatusCode, "off by default")
	_, resp, err = send(t, client, "GET", s.URL, "", quick(retry.Policy{}))
	require.NoError(t, err)
	require.Equal(t, 200, resp.StatusCode)

	n.Store(0)
	client = newClient(t, quick(retry.Policy{}))
	_, resp, err = send(t, client, "GET", s.URL, "", config.NoRetry())
	require.NoError(t, err)
	require.Equal(t, 503, resp.StatusCode)
	n.Store(0)
	plain, err := (&http.Client{Transport: client.Transport()}).Get(s.URL)
	require.NoError(t, err)
	require.NoError(t, plain.Body.Close())
	require.Equal(t, 200, plain.StatusCode)
	require.EqualValues(t, 3, n.Load())
}

func TestPolicy_waits_as_long_as_Retry_After_says(t *testing.T) {
	for name, value := range map[string]func() string{
		"seconds": func() string { return "1" },
		"date":    func() string { return time.Now().Add(1900 * time.Millisecond).UTC().Format(http.TimeFormat) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h, _ := flaky(http.Header{"Retry-After": {value()}}, 503)
			s := testserver.Start(t, testserver.H1, h)
			client := newClient(t, quick(retry.Policy{}))
			began := time.Now()
			text, resp, err := send(t, client, "GET", s.URL, "")
			require.NoError(t, err)
			require.Equal(t, "hello", text)
			require.Greater(t, resp.Attempts()[0].Waited, 500*time.Millisecond)
			require.GreaterOrEqual(t, time.Since(began), resp.Attempts()[0].Waited)
		})
	}
}

func TestPolicy_repeats_a_GET_that_a_new_connection_broke_and_no_POST(t *testing.T) {
	for _, c := range []struct {
		method, key string
		delivered   int
	}{
		{"GET", "", 3},
		{"PUT", "", 3},
		{"POST", "", 1},
		{"PATCH", "", 1},
		{"POST", "Idempotency-Key", 3},
		{"POST", "X-Idempotency-Key", 3},
	} {
		t.Run(c.method+" "+c.key, func(t *testing.T) {
			s := testserver.Raw(t, testserver.PerConnection(
				testserver.ResetUnanswered(), testserver.CloseUnanswered(), testserver.Answer(testserver.OK("hello"))))
			client := newClient(t, quick(retry.Policy{}))
			body := strings.Repeat("x", 100_000)
			req, err := http.NewRequestWithContext(patient(t), c.method, s.URL, strings.NewReader(body))
			require.NoError(t, err)
			if c.key != "" {
				req.Header.Set(c.key, "1")
			}
			resp, err := client.Send(req)
			if c.delivered == 1 {
				require.Error(t, err)
			} else {
				require.NoError(t, err)
				require.NoError(t, resp.Discard())
				require.Equal(t, []string{"broken connection", "broken connection"}, failed(resp.Attempts()))
			}
			require.Len(t, s.Requests(), c.delivered)
			for _, r := range s.Requests() {
				require.Len(t, r.Body, len(body))
			}
		})
	}
}

func TestPolicy_repeats_nothing_once_a_body_has_begun(t *testing.T) {
	s := testserver.Raw(t, testserver.TruncatedContentLength())
	client := newClient(t, quick(retry.Policy{}))
	_, _, err := send(t, client, "GET", s.URL, "")
	require.ErrorIs(t, err, ratmom.ErrTruncated)
	require.Len(t, s.Requests(), 1)
}

func TestPolicy_leaves_a_response_that_nobody_can_read_an_error(t *testing.T) {
	s := testserver.Raw(t, testserver.Answer("HTTP/1.1 503 Busy\r\nContent-Encoding: unheard-of\r\nContent-Length: 3\r\n\r\nabc"))
	client := newClient(t, quick(retry.Policy{}))
	_, _, err := send(t, client, "GET", s.URL, "")
	require.ErrorIs(t, err, ratmom.ErrContentEncoding)
	_, err = client.SendAsync(request(t, patient(t), "GET", s.URL)).Result()
	require.ErrorIs(t, err, ratmom.ErrContentEncoding)
}

func TestPolicy_wants_a_body_that_can_be_had_again(t *testing.T) {
	h, n := flaky(nil, 503)
	s := testserver.Start(t, testserver.H1, h)
	client := newClient(t, quick(retry.Policy{}))
	req, err := http.NewRequestWithContext(patient(t), "PUT", s.URL, io.MultiReader(strings.NewReader("once")))
	require.NoError(t, err)
	resp, err := client.Send(req)
	require.NoError(t, err)
	require.NoError(t, resp.Discard())
	require.Equal(t, 503, resp.StatusCode)
	require.EqualValues(t, 1, n.Load())
}

// closing is a body that is read once, and tells when it is closed.
// nextTry is in the log of a request that waits for its next try.
const nextTry = "the next begins in"

type closing struct {
	io.Reader
	closed atomic.Int64
}

func (c *closing) Close() error { c.closed.Add(1); return nil }

func TestPolicy_sends_a_body_of_one_use_if_nothing_was_connected_and_closes_it(t *testing.T) {
	n := testserver.Nginx(t)
	client := newClient(t, quick(retry.Policy{Tries: 100, Base: 20 * time.Millisecond, Cap: 50 * time.Millisecond}))
	n.Stop()
	body := &closing{Reader: testserver.Pattern(1000)}
	req, err := http.NewRequestWithContext(patient(t), "POST", n.URL+"/upload", body)
	require.NoError(t, err)
	req.ContentLength = 1000
	f := client.SendAsync(req)
	n.Restart()
	resp, err := f.Result()
	require.NoError(t, err)
	require.NoError(t, resp.Discard())
	require.Equal(t, 200, resp.StatusCode)
	for _, a := range resp.Attempts() {
		require.Equal(t, retry.Connect, a.Class)
	}
	require.True(t, waitUntil(patience, func() bool { return body.closed.Load() > 0 }))

	n.Stop()
	body = &closing{Reader: strings.NewReader("x")}
	ctx, cancel := context.WithCancel(context.Background()) // a deadline would be too near
	defer cancel()
	req, err = http.NewRequestWithContext(ctx, "POST", n.URL+"/upload", body)
	require.NoError(t, err)
	tries := make(chan struct{}, 100)
	f = client.SendAsync(req, config.Retry(retry.Policy{Tries: 100, Base: time.Hour, Cap: time.Hour}),
		config.WireLog(func(e config.WireEvent) {
			if strings.Contains(e.String(), nextTry) {
				tries <- struct{}{}
			}
		}))
	select {
	case <-tries: // it waits
	case <-time.After(patience):
		require.Fail(t, "no try has failed")
	}
	require.Zero(t, body.closed.Load(), "it is kept for the next try")
	cancel()
	_, err = f.Result()
	require.ErrorIs(t, err, ratmom.ErrCanceled)
	require.True(t, waitUntil(patience, func() bool { return body.closed.Load() > 0 }))
}

func TestPolicy_gets_requests_over_a_restart_of_nginx(t *testing.T) {
	n := testserver.Nginx(t)
	var all sync.WaitGroup
	var sent, failed, repeated, cut atomic.Int64
	client := newClient(t, config.RetryBudget(nil),
		config.Retry(retry.Policy{Tries: 100, Base: 20 * time.Millisecond, Cap: 100 * time.Millisecond}),
		config.WireLog(func(e config.WireEvent) {
			if strings.Contains(e.String(), nextTry) {
				failed.Add(1)
			}
		}))
	stop := make(chan struct{})
	end := sync.OnceFunc(func() { close(stop); all.Wait() })
	defer end()
	for range 4 {
		all.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				text, resp, err := send(t, client, "GET", n.URL+"/hello.txt", "")
				if errors.Is(err, ratmom.ErrTruncated) || errors.Is(err, ratmom.ErrReceive) {
					cut.Add(1) // killed between a head and its body: that is the caller's
				} else if assert.NoError(t, err) {
					assert.Equal(t, testserver.Hello, text)
					repeated.Add(int64(len(resp.Attempts())))
				}
				sent.Add(1)
			}
		})
	}
	more := func() bool {
		before := sent.Load()
		return waitUntil(patience, func() bool { return sent.Load() > before+20 })
	}
	for range 3 {
		require.True(t, more())
		before := failed.Load()
		n.Kill()
		require.True(t, waitUntil(patience, func() bool { return failed.Load() > before || t.Failed() }))
		n.Restart()
	}
	require.True(t, more())
	end()
	require.Positive(t, repeated.Load())
	t.Logf("%d requests, %d repeats, %d bodies cut", sent.Load(), repeated.Load(), cut.Load())
	require.LessOrEqual(t, cut.Load(), int64(4*3), "one for each that was under way at a kill")
}

func TestPolicy_gives_a_try_its_time(t *testing.T) {
	var n atomic.Int64
	s := testserver.Start(t, testserver.H1, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if n.Add(1) < 3 {
			<-r.Context().Done()
			return
		}
		_, _ = io.WriteString(w, "hello")
	}))
	client := newClient(t, quick(retry.Policy{TryTimeout: 100 * time.Millisecond}))
	text, resp, err := send(t, client, "GET", s.URL, "")
	require.NoError(t, err)
	require.Equal(t, "hello", text)
	require.Equal(t, []string{"timeout", "timeout"}, failed(resp.Attempts()))
	require.GreaterOrEqual(t, resp.Attempts()[0].Took, 100*time.Millisecond)

	n.Store(-100)
	_, _, err = send(t, client, "POST", s.URL, "")
	require.ErrorIs(t, err, ratmom.ErrTimeout)
	require.EqualValues(t, -99, n.Load(), "a POST that may be in work is not repeated")

	_, _, err = send(t, client, "GET", s.URL, "", quick(retry.Policy{Tries: 50, TryTimeout: 100 * time.Millisecond, Deadline: 250 * time.Millisecond}))
	var e *ratmom.Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, ratmom.ErrTimeout, error(e.Kind))
	require.LessOrEqual(t, e.Tries, 4)
	require.GreaterOrEqual(t, e.Tries, 2)
	require.Len(t, e.Earlier, e.Tries-1)
	require.ErrorContains(t, err, "tried")
	require.Contains(t, fmt.Sprintf("%+v", err), "try 1:   timeout")
}

func TestWait_counts_in_the_total_time_and_is_not_begun_in_vain(t *testing.T) {
	h, n := flaky(http.Header{"Retry-After": {"20"}}, 503, 503)
	s := testserver.Start(t, testserver.H1, h)
	client := newClient(t, quick(retry.Policy{}))
	began := time.Now()
	_, resp, err := send(t, client, "GET", s.URL, "", config.Timeout(10*time.Second))
	require.NoError(t, err)
	require.Equal(t, 503, resp.StatusCode)
	_, resp, err = send(t, client, "GET", s.URL, "") // its context has less
	require.NoError(t, err)
	require.Equal(t, 503, resp.StatusCode)
	require.EqualValues(t, 2, n.Load())
	require.Less(t, time.Since(began), 5*time.Second)
}

func get(t *testing.T, ctx context.Context) func(url string) *http.Request {
	return func(url string) *http.Request { return request(t, ctx, "GET", url) }
}

// waiting starts requests that wait for a minute before they are repeated.
func waiting(t *testing.T, client *ratmom.Client, count int, to func(url string) *http.Request) []*ratmom.Future {
	t.Helper()
	var n atomic.Int64
	s := testserver.Start(t, testserver.H1, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		n.Add(1)
		w.Header().Set("Retry-After", "60")
		w.WriteHeader(503)
	}))
	var list []*ratmom.Future
	for range count {
		list = append(list, client.SendAsync(to(s.URL), config.Retry(retry.Policy{MaxRetryAfter: time.Hour})))
	}
	require.True(t, waitUntil(patience, func() bool { return int(n.Load()) == count && client.Stats().Requests == 0 }))
	return list
}

func TestWait_ends_at_once_when_the_request_is_given_up(t *testing.T) {
	client := newClient(t, config.RetryBudget(nil))
	why := errors.New("enough")
	ctx, cancel := context.WithCancelCause(context.Background())
	list := waiting(t, client, 20, get(t, ctx))
	list[0].Cancel()
	_, err := list[0].Result()
	require.ErrorIs(t, err, ratmom.ErrCanceled)
	select {
	case <-list[1].Done():
		_, err := list[1].Result()
		require.NoError(t, err, "it waits")
	default:
	}
	cancel(why)
	for _, f := range list[1:] {
		_, err := f.Result()
		require.ErrorIs(t, err, ratmom.ErrCanceled)
		require.ErrorIs(t, err, why)
	}

	h, _ := flaky(http.Header{"Retry-After": {"60"}}, 503)
	s := testserver.Start(t, testserver.H1, h)
	ctx2, cancel2 := context.WithCancel(context.Background())
	defer cancel2()
	time.AfterFunc(100*time.Millisecond, cancel2)
	_, err = client.Send(request(t, ctx2, "GET", s.URL), config.Retry(retry.Policy{MaxRetryAfter: time.Hour}))
	require.ErrorIs(t, err, context.Canceled)

	hc := &http.Client{Transport: client.Transport(config.Retry(retry.Policy{MaxRetryAfter: time.Hour})), Timeout: 300 * time.Millisecond}
	h, _ = flaky(http.Header{"Retry-After": {"60"}}, 503, 503)
	s = testserver.Start(t, testserver.H1, h)
	began := time.Now()
	resp, err := hc.Get(s.URL)
	if err == nil { // its deadline was known: no wait was begun
		require.Equal(t, 503, resp.StatusCode)
		require.NoError(t, resp.Body.Close())
	}
	require.Less(t, time.Since(began), 10*time.Second)
}

func TestWait_ends_when_the_client_is_closed(t *testing.T) {
	client := newClient(t, config.RetryBudget(nil))
	list := waiting(t, client, 20, get(t, context.Background()))
	require.NoError(t, client.Close())
	for _, f := range list {
		_, err := f.Result()
		require.ErrorIs(t, err, ratmom.ErrClosed)
	}
}

func TestWait_holds_no_goroutine(t *testing.T) {
	client := newClient(t, config.RetryBudget(nil), config.MaxConnectionsPerHost(20))
	before := runtime.NumGoroutine()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	list := waiting(t, client, 2000, get(t, ctx))
	client.CloseIdleConnections()
	require.True(t, waitUntil(patience, func() bool { return runtime.NumGoroutine() < before+60 }), "%d after %d", runtime.NumGoroutine(), before)
	cancel()
	for _, f := range list {
		_, err := f.Result()
		require.ErrorIs(t, err, ratmom.ErrCanceled)
	}
}

func TestWire_log_shows_each_try(t *testing.T) {
	h, _ := flaky(nil, 503, 503)
	s := testserver.Start(t, testserver.H1, h)
	var mu sync.Mutex
	var lines []string
	client := newClient(t, quick(retry.Policy{}), config.WireLog(func(e config.WireEvent) {
		mu.Lock()
		defer mu.Unlock()
		for _, l := range strings.Split(e.String(), "\n") {
			if strings.Contains(l, "ratmom:") || strings.HasPrefix(l, "> GET") {
				lines = append(lines, l)
			}
		}
	}))
	_, _, err := send(t, client, "GET", s.URL, "")
	require.NoError(t, err)
	require.NoError(t, client.Close())
	require.Len(t, lines, 5)
	require.Equal(t, "> GET / HTTP/1.1", lines[0])
	require.Contains(t, lines[1], "* ratmom: try 1 has failed: status 503; the next begins in ")
	require.Equal(t, "> GET / HTTP/1.1", lines[2])
	require.Contains(t, lines[3], "* ratmom: try 2 has failed: status 503; the next begins in ")
	require.Equal(t, "> GET / HTTP/1.1", lines[4])
}

func TestBudget_keeps_an_outage_from_being_multiplied(t *testing.T) {
	var n atomic.Int64
	s := testserver.Start(t, testserver.H1, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		n.Add(1)
		w.WriteHeader(503)
	}))
	budget, err := retry.NewBudget(0.2, 10, time.Minute)
	require.NoError(t, err)
	client := newClient(t, quick(retry.Policy{}), config.RetryBudget(budget), config.MaxConnectionsPerHost(20))
	const total = 1000
	var list []*ratmom.Future
	for range total {
		list = append(list, client.SendAsync(request(t, patient(t), "GET", s.URL)))
	}
	for _, f := range list {
		resp, err := f.Result()
		require.NoError(t, err)
		require.Equal(t, 503, resp.StatusCode)
		require.NoError(t, resp.Discard())
	}
	require.Greater(t, n.Load(), int64(total))
	require.LessOrEqual(t, n.Load(), int64(total*1.2))
	require.Equal(t, n.Load()-total, int64(budget.Stats(time.Now()).Repeats))
}

// A server that breaks connections at every point before the end of a head, and answers
// 503 at will: whatever the client makes of it, it processes no POST twice that has no
// key.
func TestPOST_is_never_doubled_by_a_policy(t *testing.T) {
	heavy(t)
	var mu sync.Mutex
	processed := map[string]int{}
	s := testserver.Raw(t, func(c *testserver.Conn) {
		random := rand.New(rand.NewPCG(uint64(c.Number), 7))
		for {
			r, err := c.ReadRequest()
			if err != nil {
				return
			}
			mu.Lock()
			processed[string(r.Body)]++
			mu.Unlock()
			switch random.IntN(12) {
			case 0:
				c.Reset()
				return
			case 1:
				return
			case 2:
				_ = c.Send("HTTP/1.1 200 OK\r\nContent-Le")
				return
			case 3:
				_ = c.Send("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n")
				continue
			case 4: // and then it hangs up on an idle connection
				_ = c.Send(testserver.OK("hello"))
				return
			}
			if c.Send(testserver.OK("hello")) != nil {
				return
			}
		}
	})
	// A third of all tries fail: of 2,000 requests one fails ten times in a row in one run of thirty.
	client := newClient(t, quick(retry.Policy{Tries: 30}), config.RetryBudget(nil))
	const total, callers = 8000, 8
	var good, keyed atomic.Int64
	var all sync.WaitGroup
	for i := range callers {
		all.Go(func() {
			for j := range total / callers {
				body := fmt.Sprintf("%d-%d", i, j)
				key := j%4 == 0
				if key {
					body = "key " + body
				}
				req, err := http.NewRequestWithContext(patient(t), "POST", s.URL, strings.NewReader(body))
				if !assert.NoError(t, err) {
					return
				}
				if key {
					req.Header.Set("Idempotency-Key", body)
				}
				resp, err := client.Send(req)
				if err == nil && resp.StatusCode == 200 {
					good.Add(1)
					if key {
						keyed.Add(1)
					}
				}
				if err == nil {
					_ = resp.Discard()
				}
			}
		})
	}
	all.Wait()
	mu.Lock()
	defer mu.Unlock()
	again := 0
	for body, times := range processed {
		if strings.HasPrefix(body, "key ") {
			again += times - 1
		} else {
			assert.Equal(t, 1, times, body)
		}
	}
	t.Logf("%d of %d were good, of those with a key %d of %d with %d repeats; %d connections",
		good.Load(), total, keyed.Load(), total/4, again, s.Accepted())
	assert.EqualValues(t, total/4, keyed.Load(), "with a key all come through")
	assert.Greater(t, again, 0)
}

func TestReuse_modes_say_what_rides_an_old_connection(t *testing.T) {
	for _, c := range []struct {
		mode                  retry.Reuse
		gets, posts, keyPosts int // connections for three of each, after one GET
	}{
		{retry.ReuseAlways, 0, 0, 0},
		{retry.ReuseAggressive, 0, 3, 0},
		{retry.ReuseSafe, 0, 3, 0},
		{retry.ReuseNever, 3, 3, 3},
	} {
		t.Run(c.mode.String(), func(t *testing.T) {
			s := testserver.Start(t, testserver.H1, testserver.Echo())
			client := newClient(t, config.ConnectionReuse(c.mode))
			three := func(method, key string, want int) {
				t.Helper()
				before := s.Accepted()
				for range 3 {
					req, err := http.NewRequestWithContext(patient(t), method, s.URL, strings.NewReader("x"))
					require.NoError(t, err)
					if key != "" {
						req.Header.Set(key, "1")
					}
					resp, err := client.Send(req)
					require.NoError(t, err)
					require.NoError(t, resp.Discard())
				}
				require.Equal(t, want, s.Accepted()-before, method+key)
			}
			_, _, err := send(t, client, "GET", s.URL, "")
			require.NoError(t, err)
			three("GET", "", c.gets)
			three("POST", "", c.posts)
			three("POST", "Idempotency-Key", c.keyPosts)
			if c.mode == retry.ReuseNever {
				require.True(t, s.WaitClosed(patience), "and its connections are closed")
			}
		})
	}
}

func TestPolicy_repeats_a_GET_whose_stream_was_reset_and_no_POST(t *testing.T) {
	for _, method := range []string{"GET", "POST"} {
		var n atomic.Int64
		s := testserver.Frames(t, func(c *testserver.FrameConn) {
			for {
				s, err := c.NextEnd()
				if err != nil {
					return
				}
				if n.Add(1) < 3 {
					err = c.WriteRSTStream(s.ID, http2.ErrCodeInternal)
				} else {
					err = c.Reply(s, 200, "hello")
				}
				if err != nil {
					return
				}
			}
		}, testserver.WithTLS())
		client := clientFor(t, testserver.H2, s.CAFile, quick(retry.Policy{}))
		text, resp, err := send(t, client, method, s.URL, "")
		if method == "POST" {
			require.ErrorIs(t, err, ratmom.ErrHTTP2)
			require.EqualValues(t, 1, n.Load())
			continue
		}
		require.NoError(t, err)
		require.Equal(t, "hello", text)
		require.Equal(t, []string{"broken connection", "broken connection"}, failed(resp.Attempts()))
	}
}

func TestPolicy_repeats_a_POST_that_its_proxy_could_not_pass_on(t *testing.T) {
	s := testserver.Start(t, testserver.HTTPS1, testserver.Echo())
	for status, repeated := range map[int]bool{503: true, 403: false} {
		var n atomic.Int64
		p := testserver.StartProxy(t, testserver.Proxy{Refuse: func(*http.Request) int {
			if n.Add(1) < 3 {
				return status
			}
			return 0
		}})
		client := clientFor(t, testserver.HTTPS1, s.CAFile, config.Proxy(p.URL), quick(retry.Policy{}))
		text, resp, err := send(t, client, "POST", s.URL, "a body")
		if !repeated {
			require.ErrorIs(t, err, ratmom.ErrProxy)
			require.EqualValues(t, 1, n.Load())
			continue
		}
		require.NoError(t, err)
		require.Equal(t, "a body", text)
		require.Equal(t, []string{"no connection", "no connection"}, failed(resp.Attempts()))
	}
}

func TestPolicy_holds_for_each_hop_and_inside_interceptors(t *testing.T) {
	var n atomic.Int64
	s := testserver.Start(t, testserver.H1, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch odd := n.Add(1)%2 == 1; {
		case odd:
			w.WriteHeader(503)
		case r.URL.Path == "/":
			http.Redirect(w, r, "/there", http.StatusFound)
		default:
			_, _ = io.WriteString(w, "hello")
		}
	}))
	seen := 0
	client := newClient(t, quick(retry.Policy{}), config.Metrics(true), ratmom.Intercept(ratmom.InterceptFunc(
		func(req *http.Request, next ratmom.Next) (*ratmom.Response, error) {
			seen++
			return next(req)
		})))
	text, resp, err := send(t, client, "GET", s.URL, "")
	require.NoError(t, err)
	require.Equal(t, "hello", text)
	require.Equal(t, 2, seen)
	require.Equal(t, []string{"status 503", "status 503"}, failed(resp.Attempts()))
	m, _ := resp.Metrics()
	require.Equal(t, []int{1, 2}, []int{m.Redirects, m.Retries})
}
