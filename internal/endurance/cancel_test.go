package endurance

import (
	"context"
	"fmt"
	"runtime/debug"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom"
	"github.com/ratmom/ratmom/cgo"
	"github.com/ratmom/ratmom/internal/testserver"
)

func TestCancel_ends_a_request_to_a_silent_server_and_closes_its_socket(t *testing.T) {
	for _, c := range []struct {
		name    string
		script  testserver.Script
		options []testserver.Option
		head    bool
	}{
		{"before the head", testserver.AnswerAndHang(""), nil, false},
		{"before the head, TLS", testserver.AnswerAndHang(""), []testserver.Option{testserver.WithTLS()}, false},
		{"within the head", testserver.HalfHead(), nil, false},
		{"after the head", testserver.HeadThenNothing(), nil, true},
		{"after the head, TLS", testserver.HeadThenNothing(), []testserver.Option{testserver.WithTLS()}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			often(t, func(took func(string, time.Duration, time.Duration)) {
				s := testserver.Raw(t, c.script, c.options...)
				client := clientFor(t, testserver.HTTPS1, s.CAFile)
				ctx, cancel := context.WithCancel(patient(t))
				defer cancel()
				f := client.SendAsync(request(t, ctx, "GET", s.URL))
				var resp *ratmom.Response
				if c.head {
					var err error
					resp, err = f.Result()
					require.NoError(t, err)
				} else {
					require.True(t, s.WaitRequests(1, patience))
					require.True(t, s.WaitOpen(1, patience))
				}
				start := time.Now()
				cancel()
				if c.head {
					_, err := resp.Body.Read(make([]byte, 1))
					require.ErrorIs(t, err, context.Canceled)
					require.ErrorIs(t, err, ratmom.ErrCanceled)
				} else {
					_, err := f.Result()
					require.ErrorIs(t, err, context.Canceled)
					require.ErrorIs(t, err, ratmom.ErrCanceled)
				}
				took("the end of the request", 50*time.Millisecond, time.Since(start))
				require.True(t, s.WaitClosed(patience))
				took("the end of the socket", 50*time.Millisecond, time.Since(start))
			})
		})
	}
}

func TestCancel_during_a_TLS_handshake_that_hangs_closes_the_socket(t *testing.T) {
	often(t, func(took func(string, time.Duration, time.Duration)) {
		s := testserver.Raw(t, testserver.Silent()) // never answers the ClientHello
		client := newClient(t)
		f := client.SendAsync(request(t, patient(t), "GET", strings.Replace(s.URL, "http:", "https:", 1)))
		require.True(t, s.WaitOpen(1, patience))
		start := time.Now()
		f.Cancel()
		_, err := f.Result()
		require.ErrorIs(t, err, ratmom.ErrCanceled)
		require.True(t, s.WaitClosed(patience))
		took("the end of the socket", 50*time.Millisecond, time.Since(start))
	})
}

func TestCancel_of_a_connect_that_nobody_answers_is_immediate(t *testing.T) {
	url := "http://" + testserver.Unanswering(t) + "/"
	often(t, func(took func(string, time.Duration, time.Duration)) {
		client := newClient(t)
		ctx, cancel := context.WithCancel(patient(t))
		f := client.SendAsync(request(t, ctx, "GET", url))
		require.True(t, waitUntil(patience, func() bool { return client.Stats().Requests == 1 }))
		start := time.Now()
		cancel()
		_, err := f.Result()
		require.ErrorIs(t, err, context.Canceled)
		took("the end", 50*time.Millisecond, time.Since(start))
	})
}

func TestCancel_of_a_stream_reaches_the_server_at_once(t *testing.T) {
	for _, mode := range []testserver.Mode{testserver.H2, testserver.H2C} {
		for _, path := range []string{"/silent", "/head"} {
			for _, alone := range []bool{true, false} {
				t.Run(fmt.Sprintf("%s%s alone=%v", mode, path, alone), func(t *testing.T) {
					often(t, func(took func(string, time.Duration, time.Duration)) {
						began, gone := make(chan struct{}, 8), make(chan struct{}, 8)
						s := testserver.Start(t, mode, silence(began, gone))
						client := clientFor(t, mode, s.CAFile)
						if mode == testserver.H2 {
							greet(t, client, s.URL)
						}
						var other *ratmom.Response
						if !alone {
							var err error
							other, err = client.Send(request(t, patient(t), "GET", s.URL+"/head"))
							require.NoError(t, err)
							defer other.Body.Close()
							<-began
						}
						ctx, cancel := context.WithCancel(patient(t))
						f := client.SendAsync(request(t, ctx, "GET", s.URL+path))
						<-began
						if path == "/head" {
							resp, err := f.Result()
							require.NoError(t, err)
							defer resp.Body.Close()
						}
						start := time.Now()
						cancel()
						_, err := f.Result()
						if path == "/silent" {
							require.ErrorIs(t, err, ratmom.ErrCanceled)
						}
						select {
						case <-gone:
						case <-time.After(patience):
							t.Fatal("the server was not told")
						}
						took("the stream's end at the server", 50*time.Millisecond, time.Since(start))
						if mode == testserver.H2 && !alone {
							greet(t, client, s.URL)
							require.Equal(t, 1, s.Accepted(), "the connection lives on")
						}
					})
				})
			}
		}
	}
}

// greet sends a request that is answered at once.
func greet(t testing.TB, client *ratmom.Client, url string) {
	t.Helper()
	resp, err := client.Send(request(t, patient(t), "GET", url+"/hello"))
	require.NoError(t, err)
	text, err := resp.Text()
	require.NoError(t, err)
	require.Equal(t, "hello", text)
}

func TestCancel_ten_thousand_times_leaves_nothing_behind(t *testing.T) {
	heavy(t)
	const total, callers = 10_000, 100
	// Not the scripts that keep requests: memory is counted here.
	silent := testserver.Raw(t, testserver.Silent())
	headed := testserver.Raw(t, func(c *testserver.Conn) {
		if _, err := c.Read(make([]byte, 1<<10)); err == nil && c.Send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n") == nil {
			c.UntilClosed()
		}
	})
	client := newClient(t)

	cancels := func(n int) {
		var wg sync.WaitGroup
		for i := range callers {
			wg.Go(func() {
				for j := range n / callers {
					url, head := silent.URL, false
					if (i+j)%2 == 0 {
						url, head = headed.URL, true
					}
					ctx, cancel := context.WithCancel(context.Background())
					req := request(t, ctx, "GET", url)
					f := client.SendAsync(req)
					switch {
					case head:
						if resp, err := f.Result(); err == nil {
							cancel()
							_, err = resp.Body.Read(make([]byte, 1))
							if err == nil {
								t.Error("a body without bytes gave some")
							}
							_ = resp.Body.Close()
						} else {
							t.Error(err)
						}
					case j%4 == 1:
						f.Cancel() // at once, mostly before it is connected
					default:
						timer := time.AfterFunc(time.Duration(j%7)*time.Millisecond, cancel)
						_, _ = f.Result()
						timer.Stop()
					}
					cancel()
					if !head {
						if _, err := f.Result(); err == nil {
							t.Error("a silent server answered")
						}
					}
				}
			})
		}
		wg.Wait()
		require.True(t, waitUntil(patience, func() bool { return client.Stats().Requests == 0 }))
		require.True(t, silent.WaitClosed(patience))
		require.True(t, headed.WaitClosed(patience))
	}
	cancels(2000) // what is pooled is there now
	before := testserver.TakeInventory()
	debug.FreeOSMemory()
	c0, rss0, fds0 := cgo.CountAlive(), testserver.RSS(t), testserver.FDs()

	start := time.Now()
	cancels(total)
	t.Logf("%d cancels in %v", total, time.Since(start).Round(time.Millisecond))

	before.Require(t, patience)
	debug.FreeOSMemory()
	c1, rss1, fds1 := cgo.CountAlive(), testserver.RSS(t), testserver.FDs()
	t.Logf("descriptors %d → %d, C %+v → %+v, resident %.1f → %.1f MiB", fds0, fds1, c0, c1, mib(rss0), mib(rss1))
	require.LessOrEqual(t, fds1, fds0)
	require.LessOrEqual(t, c1.Transfers, max(c0.Transfers, 256), "not more than the pool keeps")
	require.Equal(t, c0.Multis, c1.Multis)
	require.Zero(t, c1.ChunkBytes)
	requireGrowth(t, rss1-rss0, 8<<20)
}
