package endurance

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom"
	"github.com/ratmom/ratmom/config"
	"github.com/ratmom/ratmom/internal/testserver"
)

// deadlines leave time enough for the head to come, where one comes.
var deadlines = map[string]time.Duration{"/silent": 50 * time.Millisecond, "/head": time.Second}

func TestDeadline_of_the_context_ends_a_request(t *testing.T) {
	testserver.Modes(t, func(t *testing.T, mode testserver.Mode) {
		s := testserver.Start(t, mode, silence(make(chan struct{}, 8), make(chan struct{}, 8)))
		client := clientFor(t, mode, s.CAFile)
		for path, deadline := range deadlines {
			start := time.Now() // before the deadline's own beginning
			ctx, cancel := context.WithTimeout(context.Background(), deadline)
			resp, err := client.Send(request(t, ctx, "GET", s.URL+path))
			if path == "/head" {
				require.NoError(t, err)
				_, err = io.ReadAll(resp.Body)
				require.NoError(t, resp.Body.Close())
			}
			require.ErrorIs(t, err, context.DeadlineExceeded)
			require.ErrorIs(t, err, ratmom.ErrTimeout)
			var timeout interface{ Timeout() bool }
			require.True(t, errors.As(err, &timeout) && timeout.Timeout())
			require.GreaterOrEqual(t, time.Since(start), deadline)
			within(t, path, 60*time.Millisecond, time.Since(start)-deadline)
			cancel()
		}
	})
}

func TestDeadline_that_is_over_sends_nothing(t *testing.T) {
	s := testserver.Raw(t, testserver.Answer(testserver.OK("hello")))
	client := newClient(t)
	ctx, cancel := context.WithDeadline(context.Background(), time.Now().Add(-time.Second))
	defer cancel()
	_, err := client.Send(request(t, ctx, "GET", s.URL))
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.Empty(t, s.Requests())
}

func TestDeadline_of_an_http_Client_ends_a_request_over_the_transport(t *testing.T) {
	s := testserver.Start(t, testserver.H1, silence(make(chan struct{}, 8), make(chan struct{}, 8)))
	hc := &http.Client{Transport: newClient(t).Transport()}
	for path, deadline := range deadlines {
		hc.Timeout = deadline
		start := time.Now()
		resp, err := hc.Get(s.URL + path)
		if path == "/head" {
			require.NoError(t, err)
			_, err = io.ReadAll(resp.Body)
			require.NoError(t, resp.Body.Close())
		}
		require.Error(t, err)
		require.True(t, os.IsTimeout(err), "%v", err)
		within(t, path, 60*time.Millisecond, time.Since(start)-deadline)
	}
	require.True(t, s.WaitClosed(patience))
	hc.Timeout = patience
	resp, err := hc.Get(s.URL + "/hello")
	require.NoError(t, err)
	b, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.Equal(t, "hello", string(b))
	require.NoError(t, resp.Body.Close())
	hc.CloseIdleConnections()
	require.True(t, s.WaitClosed(patience))
}

func TestLimits_of_time_are_kept_while_the_server_drips(t *testing.T) {
	gate := testserver.NewGate()
	s := testserver.Start(t, testserver.H1, testserver.Drip(gate, "one", "two", "three"))
	client := newClient(t)
	start := time.Now()
	resp, err := client.Send(request(t, patient(t), "GET", s.URL), config.IdleReadTimeout(80*time.Millisecond))
	require.NoError(t, err)
	gate.Let(1)
	buf := make([]byte, 3)
	_, err = io.ReadFull(resp.Body, buf)
	require.NoError(t, err)
	_, err = resp.Body.Read(buf)
	require.ErrorIs(t, err, ratmom.ErrTimeout)
	within(t, "the idle limit", 100*time.Millisecond, time.Since(start))
	require.True(t, s.WaitClosed(patience))
	_ = resp.Body.Close()

	silent := testserver.Raw(t, testserver.Silent())
	start = time.Now()
	_, err = client.Send(request(t, patient(t), "GET", silent.URL), config.ResponseHeadTimeout(80*time.Millisecond))
	require.ErrorIs(t, err, ratmom.ErrTimeout)
	within(t, "the limit of the head", 100*time.Millisecond, time.Since(start))
	require.True(t, silent.WaitClosed(patience))
}

func TestIdle_connections_are_closed_when_asked(t *testing.T) {
	testserver.Modes(t, func(t *testing.T, mode testserver.Mode) {
		gate := testserver.NewGate()
		drip := testserver.Drip(gate)
		s := testserver.StartFunc(t, mode, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/drip" {
				drip.ServeHTTP(w, r)
				return
			}
			_, _ = io.WriteString(w, "hello")
		})
		client := clientFor(t, mode, s.CAFile)
		var all sync.WaitGroup
		for range 5 {
			all.Go(func() { greet(t, client, s.URL) })
		}
		all.Wait()
		client.CloseIdleConnections()
		require.True(t, s.WaitClosed(patience))
		// One that is used is left alone.
		resp, err := client.Send(request(t, patient(t), "GET", s.URL+"/drip"))
		require.NoError(t, err)
		client.CloseIdleConnections()
		client.CloseIdleConnections()
		require.Equal(t, 1, s.Open())
		gate.Open()
		_, err = resp.Bytes()
		require.NoError(t, err)
	})
}

func TestReuse_of_connections_is_what_the_settings_say(t *testing.T) {
	for _, c := range []struct {
		name    string
		options []config.ClientOption
		request []config.RequestOption
		want    int
	}{
		{"by default", nil, nil, 1},
		{"no cache", []config.ClientOption{config.ConnectionCacheSize(0)}, nil, 10},
		{"fresh", nil, []config.RequestOption{config.FreshConnection()}, 10},
		{"not to be reused", nil, []config.RequestOption{config.ForbidReuse()}, 10},
		{"one connection", []config.ClientOption{config.MaxConnections(1)}, nil, 1},
	} {
		for _, mode := range []testserver.Mode{testserver.H1, testserver.HTTPS1, testserver.H2} {
			t.Run(c.name+" "+string(mode), func(t *testing.T) {
				s := testserver.Start(t, mode, silence(nil, nil))
				client := clientFor(t, mode, s.CAFile, c.options...)
				for range 10 {
					resp, err := client.Send(request(t, patient(t), "GET", s.URL), c.request...)
					require.NoError(t, err)
					require.NoError(t, resp.Discard())
				}
				require.Equal(t, c.want, s.Accepted())
			})
		}
	}
}

func TestReuse_after_bodies_that_were_closed_early(t *testing.T) {
	s := testserver.Start(t, testserver.H1, testserver.Blob(30_000))
	client := newClient(t)
	for range 20 {
		resp, err := client.Send(request(t, patient(t), "GET", s.URL))
		require.NoError(t, err)
		_, err = io.CopyN(io.Discard, resp.Body, 10)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		require.True(t, waitUntil(patience, func() bool { return client.Stats().Requests == 0 }))
	}
	require.Equal(t, 1, s.Accepted(), "what is left of a small body is drained")
}

func TestUnix_socket_carries_requests_and_their_ends(t *testing.T) {
	s := testserver.Start(t, testserver.H1, silence(make(chan struct{}, 100), make(chan struct{}, 100)), testserver.OnUnix())
	client := newClient(t, config.UnixSocket(s.Addr))
	for range 10 {
		greet(t, client, "http://localhost")
	}
	require.Equal(t, 1, s.Accepted())
	for _, path := range []string{"/silent", "/head"} {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
		resp, err := client.Send(request(t, ctx, "GET", "http://localhost"+path))
		if err == nil {
			_, err = resp.Bytes()
		}
		require.ErrorIs(t, err, context.DeadlineExceeded)
		cancel()
	}
	s.CloseConnections()
	greet(t, client, "http://localhost")
	client.CloseIdleConnections()
	require.True(t, s.WaitClosed(patience))
}

// Paused bodies on unix sockets have no port to be known by.
func TestUnix_socket_bodies_may_pause(t *testing.T) {
	n := testserver.Nginx(t)
	url := n.File("big", 8<<20)
	client := newClient(t, config.UnixSocket(n.Socket))
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 3 {
				resp, err := client.Send(request(t, patient(t), "GET", "http://localhost"+url))
				if err != nil {
					t.Error(err)
					return
				}
				if err := sip(resp.Body, 1<<20, 64<<10, 3*time.Millisecond); err != nil {
					t.Error(err)
				}
				n, err := resp.CopyTo(io.Discard)
				assert.NoError(t, err)
				assert.EqualValues(t, 7<<20, n)
			}
		})
	}
	all.Wait()
}

func TestAgents_share_the_work_and_keep_the_limits_of_the_client(t *testing.T) {
	for _, c := range []struct {
		name    string
		options []config.ClientOption
		limit   int
	}{
		{"no limit", nil, 64},
		{"per host", []config.ClientOption{config.MaxConnectionsPerHost(6)}, 6},
		{"in all", []config.ClientOption{config.MaxConnections(6)}, 6},
		{"in all, one", []config.ClientOption{config.MaxConnections(1)}, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			var now, most atomic.Int64
			s := testserver.StartFunc(t, testserver.H1, func(w http.ResponseWriter, _ *http.Request) {
				n := now.Add(1)
				defer now.Add(-1)
				for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
				}
				<-time.After(2 * time.Millisecond)
				_, _ = io.WriteString(w, "hello")
			})
			client := newClient(t, append(c.options, config.Agents(2))...)
			var all sync.WaitGroup
			for range 64 {
				all.Go(func() {
					for range 5 {
						greet(t, client, s.URL)
					}
				})
			}
			all.Wait()
			stats := client.Stats()
			for i, a := range stats.Agents {
				t.Logf("agent %d: %d steps", i, a.Steps)
			}
			t.Logf("at most %d at once on %d connections", most.Load(), s.Accepted())
			require.LessOrEqual(t, most.Load(), int64(c.limit))
			if len(c.options) > 0 {
				require.LessOrEqual(t, s.Accepted(), c.limit)
			}
		})
	}
}

func TestAgents_all_end_with_the_client(t *testing.T) {
	s := testserver.Raw(t, testserver.AnswerAndHang(""))
	client := newClient(t, config.Agents(4))
	var futures []*ratmom.Future
	for range 40 {
		futures = append(futures, client.SendAsync(request(t, patient(t), "GET", s.URL)))
	}
	require.True(t, s.WaitRequests(40, patience))
	start := time.Now()
	require.NoError(t, client.Close())
	within(t, "Close", 100*time.Millisecond, time.Since(start))
	for _, f := range futures {
		_, err := f.Result()
		require.ErrorIs(t, err, ratmom.ErrClosed)
	}
	_, err := client.Send(request(t, patient(t), "GET", s.URL))
	require.ErrorIs(t, err, ratmom.ErrClosed)
}

// A limit of connections makes requests wait, and a cancel must reach them there.
func TestLimits_of_connections_do_not_hold_a_cancel_up(t *testing.T) {
	s := testserver.Raw(t, testserver.AnswerAndHang(""))
	client := newClient(t, config.MaxConnectionsPerHost(1))
	first := client.SendAsync(request(t, patient(t), "GET", s.URL))
	require.True(t, s.WaitRequests(1, patience))
	var waiting []*ratmom.Future
	for range 50 {
		waiting = append(waiting, client.SendAsync(request(t, patient(t), "GET", s.URL)))
	}
	require.True(t, waitUntil(patience, func() bool { return client.Stats().Requests == 51 }))
	start := time.Now()
	for _, f := range waiting {
		f.Cancel()
		_, err := f.Result()
		require.ErrorIs(t, err, ratmom.ErrCanceled)
	}
	require.True(t, waitUntil(patience, func() bool { return client.Stats().Requests == 1 }))
	within(t, "50 cancels", 50*time.Millisecond, time.Since(start))
	next := client.SendAsync(request(t, patient(t), "GET", s.URL))
	first.Cancel()
	require.True(t, s.WaitRequests(2, patience), "the place is free again")
	next.Cancel()
	_, err := next.Result()
	require.ErrorIs(t, err, ratmom.ErrCanceled)
}

func TestStress_of_everything_at_once(t *testing.T) {
	heavy(t)
	n := testserver.Nginx(t, testserver.NginxKeepalive(7, time.Minute))
	small, big := n.File("small", 3000), n.File("big", 2<<20)
	client := newClient(t, config.CAFile(n.CAFile), config.Agents(2))
	bases := []string{n.URL, n.TLSURL}
	var all sync.WaitGroup
	var good, canceled atomic.Int64
	over := time.After(8 * time.Second)
	stop := make(chan struct{})
	go func() { <-over; close(stop) }()
	for i := range 32 {
		all.Go(func() {
			for j := 0; ; j++ {
				select {
				case <-stop:
					return
				default:
				}
				base := bases[(i+j)%2]
				ctx, cancel := context.WithTimeout(context.Background(), patience)
				path, size := small, int64(3000)
				if j%5 == 0 {
					path, size = big, 2<<20
				}
				if j%3 == 0 {
					time.AfterFunc(time.Duration((i*7+j)%4000)*time.Microsecond, cancel)
				}
				if j%50 == 49 {
					client.CloseIdleConnections()
				}
				resp, err := client.Send(request(t, ctx, "GET", base+path))
				var got int64
				if err == nil {
					got, err = resp.CopyTo(io.Discard)
				}
				switch {
				case err == nil:
					assert.Equal(t, size, got)
					good.Add(1)
				case errors.Is(err, context.Canceled):
					canceled.Add(1)
				default:
					t.Error(fmt.Errorf("%s: %w", path, err))
				}
				cancel()
			}
		})
	}
	all.Wait()
	t.Logf("%d good, %d cancelled", good.Load(), canceled.Load())
	require.True(t, waitUntil(patience, func() bool { return client.Stats().Requests == 0 }))
}
