package endurance

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"runtime/debug"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom"
	"github.com/ratmom/ratmom/cgo"
	"github.com/ratmom/ratmom/config"
	"github.com/ratmom/ratmom/internal/testserver"
)

const gigabyte = 1 << 30

// threeProtocols are what a paused body is tried on.
var threeProtocols = []testserver.Mode{testserver.H1, testserver.HTTPS1, testserver.H2}

// growth runs f and gives how much the process grew at its highest, in bytes.
func growth(t testing.TB, f func()) int64 {
	t.Helper()
	debug.FreeOSMemory()
	testserver.ResetPeakRSS(t)
	before := testserver.RSS(t)
	f()
	return testserver.PeakRSS(t) - before
}

// windows is what n bodies that nobody reads may cost on HTTP/2: libcurl's own
// window of each stream, our buffer, and what the neighbours take meanwhile.
func windows(n int64) int64 {
	window := int64(20 << 20)
	if !cgo.Features().AtLeast(8, 0, 0) {
		window = 32 << 20
	}
	return n*(window+256<<10) + 24<<20
}

// sip reads n bytes of a body, size for each tick.
func sip(body io.Reader, n, size int64, tick time.Duration) error {
	ticks := time.NewTicker(tick)
	defer ticks.Stop()
	for ; n > 0; n -= size {
		<-ticks.C
		if _, err := io.CopyN(io.Discard, body, size); err != nil {
			return err
		}
	}
	return nil
}

func TestSlow_reader_of_a_gigabyte_costs_little_memory(t *testing.T) {
	heavy(t)
	n := testserver.Nginx(t)
	url := n.File("gigabyte", gigabyte)
	for _, mode := range threeProtocols {
		t.Run(string(mode), func(t *testing.T) {
			client := clientFor(t, mode, n.CAFile)
			resp, err := client.Send(request(t, patient(t), "GET", n.In(mode)+"/hello.txt"))
			require.NoError(t, err)
			require.NoError(t, resp.Discard())
			ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
			defer cancel()
			grown := growth(t, func() {
				resp, err := client.Send(request(t, ctx, "GET", n.In(mode)+url))
				require.NoError(t, err)
				defer resp.Body.Close()
				require.NoError(t, sip(resp.Body, 16<<20, 64<<10, 5*time.Millisecond))
				left, err := io.Copy(io.Discard, resp.Body)
				require.NoError(t, err)
				require.EqualValues(t, gigabyte-16<<20, left)
			})
			t.Logf("%s: grew by %.1f MiB at the highest", mode, mib(grown))
			if mode == testserver.H2 {
				requireGrowth(t, grown, windows(1))
			} else {
				requireGrowth(t, grown, 16<<20)
			}
		})
	}
}

func TestSlow_readers_of_a_hundred_gigabytes_at_once_cost_little_memory(t *testing.T) {
	heavy(t)
	n := testserver.Nginx(t, testserver.NginxHTTP("http2_max_concurrent_streams 256;"))
	url := n.File("gigabyte", gigabyte)
	for _, c := range []struct {
		mode    testserver.Mode
		readers int64
	}{
		{testserver.H1, 100},
		{testserver.HTTPS1, 100},
		{testserver.H2, 100},
		// A hundred windows are more than the server sends in the time; two are not.
		{testserver.H2, 2},
	} {
		mode, readers := c.mode, c.readers
		t.Run(fmt.Sprintf("%s %d", mode, readers), func(t *testing.T) {
			client := clientFor(t, mode, n.CAFile)
			ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
			defer cancel()
			grown := growth(t, func() {
				var all sync.WaitGroup
				for range readers {
					all.Go(func() {
						resp, err := client.Send(request(t, ctx, "GET", n.In(mode)+url))
						if err != nil {
							t.Error(err)
							return
						}
						defer resp.Body.Close()
						if err := sip(resp.Body, 4<<20, 64<<10, 50*time.Millisecond); err != nil {
							t.Error(err)
						}
					})
				}
				all.Wait()
			})
			t.Logf("%s: %d readers grew the process by %.1f MiB at the highest", mode, readers, mib(grown))
			if mode == testserver.H2 {
				held := readers
				if !cgo.Features().AtLeast(8, 0, 0) {
					held *= 2 // a window that is being read, and one behind it
				}
				requireGrowth(t, grown, windows(held))
			} else {
				requireGrowth(t, grown, 100<<20)
			}
		})
	}
}

func TestPaused_body_lets_the_agent_sleep(t *testing.T) {
	n := testserver.Nginx(t)
	url := n.File("big", 256<<20)
	for _, mode := range threeProtocols {
		t.Run(string(mode), func(t *testing.T) {
			client := clientFor(t, mode, n.CAFile)
			resp, err := client.Send(request(t, patient(t), "GET", n.In(mode)+url))
			require.NoError(t, err)
			defer resp.Body.Close()
			_, err = io.CopyN(io.Discard, resp.Body, 1<<20)
			require.NoError(t, err)
			const span = 2 * time.Second
			steps := func() uint64 { return client.Stats().Agents[0].Steps }
			settled := waitUntil(patience, func() bool {
				a := steps()
				<-time.After(50 * time.Millisecond)
				return steps()-a <= 4 // the asking itself
			})
			require.True(t, settled, "the agent never came to rest")
			before := steps()
			<-time.After(span)
			woken := steps() - before
			t.Logf("%s: %d steps in %v, the asking included", mode, woken, span)
			require.LessOrEqual(t, woken, uint64(10*span/time.Second))
			rest, err := io.CopyN(io.Discard, resp.Body, 8<<20)
			require.NoError(t, err, "it flows on")
			require.EqualValues(t, 8<<20, rest)
		})
	}
}

func TestPaused_stream_does_not_stall_the_others_of_its_connection(t *testing.T) {
	n := testserver.Nginx(t, testserver.NginxHTTP("http2_max_concurrent_streams 256;"))
	big, small := n.File("big", 256<<20), n.File("small", 1<<20)
	client := clientFor(t, testserver.H2, n.CAFile, config.MaxPausedStreams(0))
	before, _ := n.Counters()
	resp, err := client.Send(request(t, patient(t), "GET", n.TLSURL+big))
	require.NoError(t, err)
	defer resp.Body.Close()
	_, err = io.CopyN(io.Discard, resp.Body, 64<<10)
	require.NoError(t, err)

	start := time.Now()
	grown := growth(t, func() {
		var all sync.WaitGroup
		for range 99 {
			all.Go(func() {
				for range 3 {
					resp, err := client.Send(request(t, patient(t), "GET", n.TLSURL+small))
					if err != nil {
						t.Error(err)
						return
					}
					if got, err := resp.CopyTo(io.Discard); err != nil || got != 1<<20 {
						t.Error(got, err)
					}
				}
			})
		}
		all.Wait()
	})
	after, _ := n.Counters()
	t.Logf("3 × 99 bodies of 1 MiB beside a paused one: %v, on %d connections, grew by %.1f MiB",
		time.Since(start).Round(time.Millisecond), after-before-1, mib(grown))
	require.LessOrEqual(t, after-before-1, 2)
	got, err := io.CopyN(io.Discard, resp.Body, 8<<20)
	require.NoError(t, err)
	require.EqualValues(t, 8<<20, got)
}

// A buffer smaller than one piece, and a reader that holds on to a piece: the
// pause must not make the agent spin, nor its neighbours wait.
func TestPaused_body_with_a_tiny_buffer_keeps_nobody_waiting(t *testing.T) {
	n := testserver.Nginx(t)
	url := n.File("big", 16<<20)
	for _, size := range []int{1, 1 << 10, 16 << 10, 64 << 10, 100 << 10} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			client := clientFor(t, testserver.H1, "", config.BodyBuffer(size))
			resp, err := client.Send(request(t, patient(t), "GET", n.URL+url))
			require.NoError(t, err)
			entered, release := make(chan struct{}, 1), make(chan struct{})
			copied := make(chan error, 1)
			go func() {
				_, err := resp.CopyTo(writerFunc(func(p []byte) (int, error) {
					select {
					case entered <- struct{}{}:
					default:
					}
					<-release
					return len(p), nil
				}))
				copied <- err
			}()
			<-entered
			start := time.Now()
			for range 20 {
				greetNginx(t, client, n.URL)
			}
			within(t, "20 neighbours", 50*time.Millisecond, time.Since(start))
			close(release)
			require.NoError(t, <-copied)
		})
	}
}

// A reader that sleeps pays for what was sent, not for how it was cut.
func TestSlow_reader_of_single_bytes_costs_little_memory(t *testing.T) {
	const size = 100_000
	s := testserver.Raw(t, func(c *testserver.Conn) {
		if _, err := c.Read(make([]byte, 1<<10)); err != nil {
			return
		}
		_ = c.Sendf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", size)
		for range size {
			if c.Send("x") != nil {
				return
			}
		}
		c.UntilClosed()
	})
	client := newClient(t)
	resp, err := client.Send(request(t, patient(t), "GET", s.URL))
	require.NoError(t, err)
	defer resp.Body.Close()
	require.True(t, waitUntil(patience, func() bool { return client.Stats().Requests == 0 }))
	held := cgo.CountAlive().ChunkBytes
	t.Logf("%d bytes are held in %d", size, held)
	require.Less(t, held, int64(4*size))
	b, err := resp.Bytes()
	require.NoError(t, err)
	require.Equal(t, size, bytes.Count(b, []byte("x")))
}

func greetNginx(t testing.TB, client *ratmom.Client, url string) {
	t.Helper()
	resp, err := client.Send(request(t, patient(t), http.MethodGet, url+"/hello.txt"))
	require.NoError(t, err)
	text, err := resp.Text()
	require.NoError(t, err)
	require.Equal(t, testserver.Hello, text)
}

type writerFunc func(p []byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }
