package grid

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom/grid/gridtest"
	"github.com/ratmom/ratmom/grid/internal/frame"
	"github.com/ratmom/ratmom/grid/internal/sched"
)

// The handler has returned, and its END waits for room. Then the caller gives up, and a message is cut off that another
// goroutine was sending: the stream is over, and the END must not end it once more.
func TestStream_that_is_cut_off_while_its_end_waits_for_room_ends_once(t *testing.T) {
	inBubble(t, func(b *bubble) {
		x, y := b.pair(func(c *Config) { c.Limits.SendQueue = 1000 })
		started, release := make(chan *ServerStream, 1), make(chan struct{})
		require.NoError(b, y.HandleStream(firstFree, func(_ context.Context, st *ServerStream) error {
			started <- st
			<-release
			return nil
		}))
		st, err := x.to(y).OpenStream(context.Background(), firstFree, nil)
		require.NoError(b, err)
		_, err = st.Accepted(within(b))
		require.NoError(b, err)
		in := <-started
		s := y.to(x).current.Load()

		b.net.Set("b", "a", gridtest.Faults{Path: gridtest.Stalled, Buffer: 100})
		ctx, cancel := context.WithCancel(context.Background())
		asked := make(chan error, 3)
		for range cap(asked) {
			go func() {
				_, err := y.to(x).Request(ctx, echoID, make([]byte, 1000))
				asked <- err
			}()
		}
		synctest.Wait()
		s.mu.Lock()
		require.True(b, s.full())
		s.mu.Unlock()
		close(release)
		synctest.Wait()
		require.Equal(b, int32(1), s.servedN[1].Load(), "its end waits")

		// As Send does that has not learned of the end yet.
		s.mu.Lock()
		s.q.Add(&in.core.flow, &sched.Message{
			Header: frame.Header{Type: frame.Data, Flags: frame.First, ID: in.id}, Payload: make([]byte, 100_000), Taken: func() {},
		})
		s.mu.Unlock()
		st.Cancel(nil)
		synctest.Wait()
		b.net.Set("b", "a", gridtest.Faults{})
		for range cap(asked) {
			require.NoError(b, <-asked)
		}
		cancel()
		synctest.Wait()
		require.Zero(b, s.servedN[1].Load())
		require.Same(b, s, y.to(x).current.Load(), "the session goes on")
		require.Zero(b, x.to(y).current.Load().streams.used)
	})
}
