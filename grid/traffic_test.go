package grid

import (
	"context"
	"net"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom/grid/gridtest"
)

// What one side has written the other has read, and a connection that follows counts on.
func TestSnapshot_counts_what_goes_over_the_connection(t *testing.T) {
	inBubble(t, func(b *bubble) {
		x, y := b.pair(nil)
		synctest.Wait()
		var last Traffic
		for round := range uint64(3) {
			ready(b, x, y)
			for range 100 {
				_, err := x.to(y).Request(within(b), echoID, make([]byte, 1000))
				require.NoError(b, err)
			}
			_, err := x.to(y).Request(within(b), echoID, make([]byte, 1<<20))
			require.NoError(b, err)
			synctest.Wait()
			there, here := x.to(y).Snapshot().Traffic, y.to(x).Snapshot().Traffic
			require.Equal(b, there.BytesOut, here.BytesIn)
			require.Equal(b, there.BytesIn, here.BytesOut)
			require.Equal(b, there.BatchesOut, here.BatchesIn)
			require.GreaterOrEqual(b, there.FramesIn-last.FramesIn, uint64(101))
			grown := there.BytesOut - last.BytesOut
			require.GreaterOrEqual(b, grown, uint64(100*1000+1<<20))
			require.Less(b, grown, uint64(100*1000+1<<20)*5/4)
			h := handlerSnapshot(y, echoID)
			require.EqualValues(b, (round+1)*(100*1000+1<<20), h.BytesIn)
			require.EqualValues(b, h.BytesIn, h.BytesOut)
			require.EqualValues(b, (round+1)*101, h.Started)
			last = there
			b.net.Reset("a", "b")
			synctest.Wait()
		}
	})
}

// deadlines counts how often a connection is given one.
type deadlines struct {
	net.Conn
	set func()
}

func (d deadlines) SetDeadline(t time.Time) error      { d.set(); return d.Conn.SetDeadline(t) }
func (d deadlines) SetReadDeadline(t time.Time) error  { d.set(); return d.Conn.SetReadDeadline(t) }
func (d deadlines) SetWriteDeadline(t time.Time) error { d.set(); return d.Conn.SetWriteDeadline(t) }

// Small messages that wait together are written together, in few writes and without a deadline for any.
func TestSmall_requests_share_writes_that_have_no_deadlines(t *testing.T) {
	inBubble(t, func(b *bubble) {
		var set atomic.Int64
		x, y := b.pair(func(c *Config) {
			dial := c.Dial
			c.Timing.DialGrace = time.Nanosecond
			c.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
				nc, err := dial(ctx, network, addr)
				if err == nil {
					nc = deadlines{nc, func() { set.Add(1) }}
				}
				return nc, err
			}
		})
		time.Sleep(time.Minute) // if both have dialled, one of the two connections is gone
		if !x.to(y).Snapshot().Dialed {
			x, y = y, x
		}
		handshakes := set.Load()
		require.NotZero(b, handshakes)
		before := x.to(y).Snapshot().Traffic.BatchesOut
		b.net.SetBoth("a", "b", gridtest.Faults{Path: gridtest.Stalled, Buffer: 1 << 10})
		const n = 1000
		var all sync.WaitGroup
		for range n {
			all.Go(func() {
				_, err := x.to(y).Request(within(b), echoID, make([]byte, 100))
				assert.NoError(b, err)
			})
		}
		synctest.Wait()
		b.net.SetBoth("a", "b", gridtest.Faults{})
		all.Wait()
		require.LessOrEqual(b, x.to(y).Snapshot().Traffic.BatchesOut-before, uint64(n/10))
		require.Equal(b, handshakes, set.Load())
	})
}

// A long message is read into the memory in which it is given out, and written from that of the sender.
func TestLong_requests_allocate_little(t *testing.T) {
	if allocsUnknown {
		t.Skip("the race detector allocates")
	}
	poison.Store(false)
	defer poison.Store(true)
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1)) // a pool has some memory for each
	x, y := tcpPair(t, nil)
	for _, size := range []int{64 << 10, 1 << 20} {
		req := make([]byte, size)
		ask := func() {
			b, err := x.to(y).Do(within(t), echoID, req)
			require.NoError(t, err)
			require.Len(t, b.Bytes(), size)
			b.Release()
		}
		for range 20 {
			ask()
		}
		func() {
			defer debug.SetGCPercent(debug.SetGCPercent(-1)) // which would empty the pools
			const n = 100
			before := allocated()
			for range n {
				ask()
			}
			each := (allocated() - before) / n
			t.Logf("%d bytes for a request of %d and its answer", each, size)
			// 4 KiB is what is aimed at.
			require.Less(t, each, uint64(40<<10))
		}()
	}
}

// The memory of the longest message is given back.
func TestLongest_message_leaves_no_memory_behind(t *testing.T) {
	x, y := tcpPair(t, nil)
	_, err := x.to(y).Request(within(t), echoID, make([]byte, 100))
	require.NoError(t, err)
	before := heap()
	got, err := x.to(y).Request(within(t), echoID, make([]byte, 12<<20))
	require.NoError(t, err)
	require.Len(t, got, 12<<20)
	got = nil
	_ = got
	// The handler's side gives it back when it has written the answer.
	require.Eventually(t, func() bool { return heap()-before < 3<<20 }, patience, 10*time.Millisecond)
}
