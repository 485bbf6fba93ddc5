//go:build linux && !ratmom_poll

package agent

import (
	"io"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom/cgo"
	"github.com/ratmom/ratmom/internal/testserver"
)

// loop is what the agent's loop has counted between the first and the last of n requests, of
// which each begins where rest returns. All run on one processor, so that nobody comes between.
func loop(t *testing.T, n int, rest func(*Handle)) cgo.LoopStats {
	t.Helper()
	procs := runtime.GOMAXPROCS(1)
	defer runtime.GOMAXPROCS(procs)
	s := testserver.Start(t, testserver.H1, testserver.Blob(100))
	h := start(t)
	var first cgo.LoopStats
	for i := range n + 1 {
		if i == 1 {
			first = h.Stats().LoopStats
		}
		rest(h)
		c := get(t, h, s.URL)
		require.NoError(t, c.wait(t))
		resp, err := c.Response()
		require.NoError(t, err)
		_, err = io.Copy(io.Discard, resp.Body)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
	}
	last := h.Stats().LoopStats
	return cgo.LoopStats{Steps: last.Steps - first.Steps, Wakeups: last.Wakeups - first.Wakeups}
}

func TestAgent_sleeps_right_after_the_turn_that_sends_a_request(t *testing.T) {
	const n = 200
	got := loop(t, n, func(*Handle) {})
	// One turn sends the request, one has its answer.
	require.Less(t, got.Steps, uint64(n*5/2))
}

func TestAgent_that_is_woken_by_a_request_sends_it_and_sleeps_again(t *testing.T) {
	const n = 50
	got := loop(t, n, func(h *Handle) {
		a := h.a
		require.Eventually(t, a.parked.Load, patience, time.Millisecond)
	})
	require.GreaterOrEqual(t, got.Wakeups, uint64(n))
	// One turn sends the request, one has its answer, one finds nothing more to do.
	require.Less(t, got.Steps, uint64(n*7/2))
}
