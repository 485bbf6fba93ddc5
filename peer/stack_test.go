//go:build amd64 && !race && !asan && !msan

package peer

import (
	"context"
	"net"
	"net/http"
	"runtime"
	"runtime/debug"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Stacks that are larger are made smaller by each collection, and grow again for the next request.
func TestGoroutine_that_waits_in_Do_has_a_stack_of_4_KiB(t *testing.T) {
	const n = 1000
	l, err := net.Listen("tcp", "127.0.0.1:0") // accepts nothing: no goroutine of a server counts
	require.NoError(t, err)
	t.Cleanup(func() { _ = l.Close() })
	m := openMap(t, MaxLinks(n+1))
	ctx, cancel := context.WithCancel(t.Context())
	url := "http://" + l.Addr().String() + "/"
	var wg sync.WaitGroup
	send := func() {
		wg.Go(func() { waiter(ctx, m, url) })
	}
	running := func(want int) func() bool {
		return func() bool { return m.client.Stats().Requests == want }
	}
	t.Cleanup(func() {
		cancel()
		wg.Wait()
	})

	send() // what is made once is made
	eventually(t, "the first is under way", running(1))
	defer debug.SetGCPercent(debug.SetGCPercent(-1)) // it makes stacks smaller
	runtime.GC()                                     // those of goroutines that have ended
	before := stacks()
	for range n {
		send()
	}
	eventually(t, "all are under way", running(n+1))
	assert.Less(t, (stacks()-before)/n, int64(6<<10)) // the next size is 8 KiB; some are others'
}

const ownFrame = 400

// waiter has a frame of its own, as callers of Do do.
//
//go:noinline
func waiter(ctx context.Context, m *Map, url string) {
	var own [ownFrame]byte
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return
	}
	_, _ = m.Do(req)
	useFrame(&own)
}

//go:noinline
func useFrame(*[ownFrame]byte) {}

// stacks is the memory of all stacks.
func stacks() int64 {
	var s runtime.MemStats
	runtime.ReadMemStats(&s)
	return int64(s.StackInuse)
}
