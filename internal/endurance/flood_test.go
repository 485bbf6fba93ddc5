package endurance

import (
	"context"
	"io"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom"
	"github.com/ratmom/ratmom/internal/testserver"
)

const flood = 10_000

// manyFiles raises the limit of open files to what a test needs.
func manyFiles(t testing.TB, n uint64) {
	t.Helper()
	var l syscall.Rlimit
	require.NoError(t, syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l))
	if l.Max < n {
		testserver.Lacks(t, "this needs %d open files; %d are allowed", n, l.Max)
	}
	l.Cur = l.Max
	require.NoError(t, syscall.Setrlimit(syscall.RLIMIT_NOFILE, &l))
}

// highest samples a figure until stop is called, and gives its highest value.
func highest(figure func() int) (stop func() int) {
	var most atomic.Int64
	over, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for {
			most.Store(max(most.Load(), int64(figure())))
			select {
			case <-tick.C:
			case <-over:
				return
			}
		}
	}()
	return func() int {
		close(over)
		<-done
		return int(most.Load())
	}
}

// goroutinesNow counts the goroutines when the collector has freed the stacks of those
// that have ended: while it does, runtime.NumGoroutine counts them as alive.
func goroutinesNow() int {
	runtime.GC()
	return runtime.NumGoroutine()
}

func TestFlood_of_ten_thousand_requests_in_flight_at_once_all_succeed(t *testing.T) {
	heavy(t)
	manyFiles(t, flood+1000)
	server := startChild(t, "server")
	client := newClient(t)
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()

	idle := goroutinesNow()
	most := highest(runtime.NumGoroutine)
	inFlight := highest(func() int { return client.Stats().Requests })
	start := time.Now()
	var all sync.WaitGroup
	var good atomic.Int64
	for range flood {
		all.Go(func() {
			resp, err := client.Send(request(t, ctx, "GET", server.Line+"/after?ms=3000"))
			if err != nil {
				t.Error(err)
				return
			}
			if b, err := resp.Bytes(); err != nil || string(b) != "hello" {
				t.Error(b, err)
				return
			}
			good.Add(1)
		})
	}
	all.Wait()
	took, goroutines, requests := time.Since(start), most(), inFlight()
	t.Logf("%d of %d in %v, up to %d at once; %d goroutines beyond the callers'",
		good.Load(), flood, took.Round(time.Millisecond), requests, goroutines-idle-flood)
	require.EqualValues(t, flood, good.Load())
	if bounded { // else the first answers come before the last requests leave
		require.Greater(t, requests, flood*9/10)
	}
	require.Less(t, goroutines-idle-flood, 50)
}

func TestFlood_of_ten_thousand_futures_makes_no_goroutines(t *testing.T) {
	heavy(t)
	manyFiles(t, flood+1000)
	for _, c := range []struct{ name, path string }{
		{"answered after a while", "/after?ms=1000"},
		{"redirected, with nobody waiting", "/redirect?ms=1000"},
	} {
		t.Run(c.name, func(t *testing.T) {
			server := startChild(t, "server")
			client := newClient(t)
			ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
			defer cancel()
			idle := goroutinesNow()
			most := highest(runtime.NumGoroutine)
			start := time.Now()
			futures := make([]*ratmom.Future, flood)
			for i := range futures {
				futures[i] = client.SendAsync(request(t, ctx, "GET", server.Line+c.path))
			}
			handed := time.Since(start)
			// Nobody waits on a future: only the count of those under way is watched.
			require.True(t, waitUntil(50*time.Second, func() bool {
				<-time.After(20 * time.Millisecond)
				for _, f := range futures {
					select {
					case <-f.Done():
					default:
						return false
					}
				}
				return true
			}))
			took, goroutines := time.Since(start), most()
			t.Logf("handed over in %v, all answered in %v; up to %d goroutines more",
				handed.Round(time.Millisecond), took.Round(time.Millisecond), goroutines-idle)
			require.Less(t, goroutines-idle, 50)
			for _, f := range futures {
				resp, err := f.Result()
				require.NoError(t, err)
				b, err := io.ReadAll(resp.Body)
				require.NoError(t, err)
				require.Equal(t, "hello", string(b))
				require.Equal(t, "/after", resp.EffectiveURL.Path)
				_ = resp.Body.Close()
			}
		})
	}
}
