//go:build amd64 && !race && !asan && !msan

package ratmom_test

import (
	"context"
	"net"
	"net/http"
	"runtime"
	"runtime/debug"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom"
	"github.com/ratmom/ratmom/config"
)

// One frame that gets large on the way down to libcurl's options doubles it.
func TestGoroutine_that_waits_in_Send_has_a_stack_of_4_KiB(t *testing.T) {
	const n = 1000
	l, err := net.Listen("tcp", "127.0.0.1:0") // accepts nothing: no goroutine of a server counts
	require.NoError(t, err)
	t.Cleanup(func() { _ = l.Close() })
	client, err := ratmom.New(config.MaxConnections(1), config.Agents(1))
	require.NoError(t, err)
	t.Cleanup(func() { _ = client.Close() })
	ctx, cancel := context.WithCancel(t.Context())
	url := "http://" + l.Addr().String() + "/"
	var wg sync.WaitGroup
	send := func() {
		wg.Add(1)
		go func() {
			defer wg.Done()
			caller(ctx, client, url)
		}()
	}
	running := func(want int) func() bool {
		return func() bool { return client.Stats().Requests == want }
	}
	t.Cleanup(func() {
		cancel()
		wg.Wait()
	})

	send() // what is made once is made
	require.Eventually(t, running(1), 30*time.Second, time.Millisecond)
	defer debug.SetGCPercent(debug.SetGCPercent(-1)) // it makes stacks smaller
	runtime.GC()                                     // those of goroutines that have ended
	before := stacks()
	for range n {
		send()
	}
	require.Eventually(t, running(n+1), 30*time.Second, time.Millisecond)
	assert.Less(t, (stacks()-before)/n, int64(4<<10+512))
}

const ownFrame = 400

// caller has a frame of its own, as callers of Send do.
//
//go:noinline
func caller(ctx context.Context, c *ratmom.Client, url string) {
	var own [ownFrame]byte
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return
	}
	resp, err := c.Send(req)
	if err == nil {
		_ = resp.Body.Close()
	}
	use(&own)
}

//go:noinline
func use(*[ownFrame]byte) {}

// stacks is the memory of all stacks.
func stacks() int64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.StackInuse)
}
