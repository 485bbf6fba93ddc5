package grid

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom/grid/internal/sched"
)

// A context that ends when the message was sent already ends no stream, though the end of this direction still waits.
func TestSend_that_was_done_when_its_context_ended_leaves_the_end_behind_it(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, err := NewManager(Config{Self: "a"})
		require.NoError(t, err)
		peer := newConnection(m, Peer{Name: "b"})
		s := newSession(peer, &script{closed: make(chan struct{})}, params{message: 1 << 20}, instance{1}, true, false)
		var st streamCore
		st.init(s, 1)
		st.sendWindow, st.credit, st.messages = 1<<20, 1<<20, 1
		ctx, cancel := context.WithCancel(context.Background())
		var begun bool
		done := make(chan error)
		go func() {
			var err error
			begun, err = st.send(waits{ctx: ctx}, make([]byte, 40<<10))
			done <- err
		}()
		synctest.Wait()
		st.closeSend()

		s.mu.Lock()
		cancel()
		s.q.BulkLimit = 1 // the end is not due yet
		var b sched.Batch
		require.True(t, s.q.Next(&b, 0))
		b.Release()
		require.False(t, st.flow.Empty())
		s.mu.Unlock()
		require.NoError(t, <-done)
		require.False(t, begun)
		require.False(t, st.flow.Empty())
		peer.remove()
		_ = m.Close()
	})
}
