package grid

import (
	"context"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom/grid/gridtest"
)

// heap is what lives, after a collection.
func heap() int64 {
	var s runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&s)
	return int64(s.HeapAlloc)
}

func TestIdle_connections_and_streams_cost_little(t *testing.T) {
	const pairs, streams = 8, 200
	tcpPair(t, nil)
	before, goroutines := heap(), runtime.NumGoroutine()
	var nodes []*node
	for range pairs {
		x, y := tcpPair(t, nil)
		nodes = append(nodes, x, y)
	}
	perEnd := (heap() - before) / (2 * pairs)
	// One of them serves HTTP, and is not the connection's.
	require.Eventually(t, func() bool { return runtime.NumGoroutine()-goroutines <= 2*pairs*(3+1)+4 }, patience, time.Millisecond)
	require.Less(t, perEnd, int64(200<<10))

	release := make(chan struct{})
	x, y := nodes[0], nodes[1]
	require.NoError(t, y.HandleStream(firstFree, func(context.Context, *ServerStream) error {
		<-release
		return nil
	}, InCapacity(16)))
	before, goroutines = heap(), runtime.NumGoroutine()
	var open []*ClientStream
	for range streams {
		st, err := x.to(y).OpenStream(context.Background(), firstFree, nil)
		require.NoError(t, err)
		_, err = st.Accepted(within(t))
		require.NoError(t, err)
		open = append(open, st)
	}
	for handlerSnapshot(y, firstFree).Started < streams {
		runtime.Gosched()
	}
	perStream := (heap() - before) / streams
	require.Eventually(t, func() bool { return runtime.NumGoroutine()-goroutines <= streams+4 }, patience, time.Millisecond, "the handler alone")
	require.Less(t, perStream, int64(6<<10))
	close(release)
	for _, st := range open {
		_, err := st.Recv(within(t))
		require.Error(t, err)
	}
	t.Logf("%d bytes an idle end, %d bytes an open stream (both ends)", perEnd, perStream)
}

func TestRequest_with_a_deadline_allocates_little(t *testing.T) {
	if allocsUnknown {
		t.Skip("the race detector allocates")
	}
	poison.Store(false)
	defer poison.Store(true)
	x, y := tcpPair(t, nil)
	ctx := within(t)
	req := make([]byte, 512)
	for _, pooled := range []bool{true, false} {
		n := testing.AllocsPerRun(2000, func() {
			var err error
			if pooled {
				var b Buf
				b, err = x.to(y).Do(ctx, echoID, req)
				b.Release()
			} else {
				_, err = x.to(y).Request(ctx, echoID, req)
			}
			if err != nil {
				t.Fatal(err)
			}
		})
		require.LessOrEqual(t, n, 4.0)
	}
}

// A caller that does not read its answers gets no more of an inline handler than the queue holds.
func TestInline_handler_fills_the_queue_no_further_than_its_bound(t *testing.T) {
	inBubble(t, func(b *bubble) {
		x, y := b.pair(func(c *Config) { c.Limits.SendQueue = 64 << 10 })
		b.net.Set("b", "a", gridtest.Faults{Path: gridtest.Stalled, Buffer: 1 << 10})
		for range 500 {
			go func() { _, _ = x.to(y).Request(within(b), inlineEchoID, make([]byte, 10<<10)) }()
		}
		synctest.Wait()
		require.Less(b, y.to(x).Snapshot().Traffic.QueueBytes, 128<<10)
	})
}

// Requests that were given up leave nothing behind, whatever they waited for.
func TestRequests_that_were_given_up_hold_no_memory(t *testing.T) {
	for name, opts := range map[string][]HandlerOption{
		"waiting for the same": {Dedupe(10, time.Hour)},
		"timeout":              {Timeout(time.Hour), MaxConcurrent(1), MaxWaiting(1)},
		"overloaded":           {Timeout(time.Hour), MaxConcurrent(1), MaxWaiting(0)},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(b *bubble) {
				x, y := b.pair(nil)
				release := make(chan struct{})
				require.NoError(b, y.HandleSingle(firstFree, func(context.Context, *Call) ([]byte, error) {
					<-release
					return nil, nil
				}, opts...))
				key := NewIdempotencyKey()
				ask := func() {
					ctx, cancel := context.WithCancel(context.Background())
					done := make(chan struct{})
					go func() {
						_, _ = x.to(y).Request(ctx, firstFree, make([]byte, 10<<10), key)
						close(done)
					}()
					synctest.Wait()
					cancel()
					<-done
					synctest.Wait()
				}
				for range 200 {
					ask()
				}
				before := heap()
				for range 2000 {
					ask()
				}
				grown := heap() - before
				t.Log(grown)
				require.Less(b, grown, int64(300<<10))
				close(release)
			})
		})
	}
}

// allocated is what was ever allocated.
func allocated() uint64 {
	var s runtime.MemStats
	runtime.ReadMemStats(&s)
	return s.TotalAlloc
}
