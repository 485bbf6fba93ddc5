package grid

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
)

func TestLarge_bounds_the_memory_of_messages_and_not_their_lengths(t *testing.T) {
	const large = 2 << 20
	for name, size := range map[string]int{
		"most of a buffer is used": 1000 << 10, "little of it": 257 << 10, "there is no buffer that fits": 1500 << 10, "all of the budget": large,
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(b *bubble) {
				x, y := b.pair(func(c *Config) { c.Limits.Message, c.Limits.Large = large, large })
				var held, calls atomic.Int64
				require.NoError(b, y.HandleSingle(firstFree, func(ctx context.Context, c *Call) ([]byte, error) {
					held.Add(int64(c.payload.buf.held()))
					calls.Add(1)
					<-ctx.Done()
					return nil, ctx.Err()
				}))
				ctx, cancel := context.WithCancel(context.Background())
				outcomes := make(chan error, 9)
				for range cap(outcomes) {
					go func() {
						_, err := x.to(y).Request(ctx, firstFree, make([]byte, size))
						outcomes <- err
					}()
				}
				synctest.Wait()
				require.Positive(b, calls.Load())
				require.LessOrEqual(b, held.Load(), int64(large))
				for range cap(outcomes) - int(calls.Load()) {
					require.ErrorIs(b, <-outcomes, ErrResourceExhausted)
				}
				cancel()
				for range calls.Load() {
					require.ErrorIs(b, <-outcomes, ErrCanceled)
				}
				synctest.Wait()
				require.Zero(b, y.to(x).current.Load().large.Load())
			})
		})
	}
}

// What the window of a stream covers of its messages need not be in the budget for large ones, but the rest of their
// buffers has to.
func TestLarge_bounds_the_memory_of_streams_beyond_their_windows(t *testing.T) {
	inBubble(t, func(b *bubble) {
		const large, window, size = 1 << 20, 4 << 20, 66 << 10
		x, y := b.pair(func(c *Config) { c.Limits.Message, c.Limits.Large = large, large })
		var in *ServerStream
		require.NoError(b, y.HandleStream(firstFree, func(ctx context.Context, st *ServerStream) error {
			in = st
			<-ctx.Done()
			return nil
		}, InCapacity(1000), Window(window)))
		st, err := x.to(y).OpenStream(context.Background(), firstFree, nil)
		require.NoError(b, err)
		stalled := make(chan struct{})
		go func() {
			for st.Send(context.Background(), make([]byte, size)) == nil {
			}
			close(stalled)
		}()
		synctest.Wait()
		held := 0
		for _, m := range in.core.queue.all {
			held += m.buf.held()
		}
		require.Equal(b, window/size, in.core.queue.len())
		require.LessOrEqual(b, held, window+large)
		st.Cancel(nil)
		<-stalled
		synctest.Wait()
		require.Zero(b, y.to(x).current.Load().large.Load())
	})
}
