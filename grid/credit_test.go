package grid

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
)

// The server says how many messages may be on their way to its caller. What they cost the caller is bounded by the
// caller's own window all the same.
func TestStream_of_tiny_messages_costs_who_does_not_read_no_more_than_its_window(t *testing.T) {
	const window = 128 << 10
	for name, size := range map[string]int{"nothing": 0, "a byte": 1, "two hundred": 200} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(b *bubble) {
				x, y := b.pair(nil)
				flood := func(ctx context.Context, send func(context.Context, []byte) error) (n int) {
					for send(ctx, make([]byte, size)) == nil {
						n++
					}
					return n
				}
				sent := make(chan int, 1)
				require.NoError(b, y.HandleStream(firstFree, func(ctx context.Context, st *ServerStream) error {
					sent <- flood(ctx, st.Send)
					return nil
				}, OutCapacity(maxCapacity)))
				var received *ServerStream
				require.NoError(b, y.HandleStream(firstFree+1, func(ctx context.Context, st *ServerStream) error {
					received = st
					<-ctx.Done()
					return nil
				}, InCapacity(maxCapacity), Window(window)))

				down, err := x.to(y).OpenStream(context.Background(), firstFree, nil, Window(window))
				require.NoError(b, err)
				synctest.Wait()
				require.Equal(b, window/max(size, 64), down.core.queue.len())
				down.Cancel(nil)
				require.Equal(b, window/max(size, 64), <-sent)

				up, err := x.to(y).OpenStream(context.Background(), firstFree+1, nil)
				require.NoError(b, err)
				go func() { sent <- flood(context.Background(), up.Send) }()
				synctest.Wait()
				require.Equal(b, window/max(size, 64), received.core.queue.len())
				up.Cancel(nil)
				<-sent
			})
		})
	}
}

// All credit comes back, whatever the messages are.
func TestStream_gets_its_whole_credit_back(t *testing.T) {
	inBubble(t, func(b *bubble) {
		x, y := b.pair(nil)
		st, err := x.to(y).OpenStream(within(b), pingPongID, nil)
		require.NoError(b, err)
		for _, n := range []int{0, 1, 63, 64, 65, 10_000, 300_000, 1} {
			require.NoError(b, st.Send(within(b), make([]byte, n)))
			m, err := st.Recv(within(b))
			require.NoError(b, err)
			require.Len(b, m.Bytes(), n)
		}
		synctest.Wait()
		st.core.mu.Lock()
		defer st.core.mu.Unlock()
		require.Equal(b, st.core.sendWindow, st.core.credit)
		require.Equal(b, st.core.capacities, st.core.messages)
	})
}

func TestStream_that_sends_tiny_messages_beyond_its_credit_ends_its_session(t *testing.T) {
	inBubble(t, func(b *bubble) {
		x, y := b.pair(nil)
		require.NoError(b, y.HandleStream(firstFree, func(ctx context.Context, _ *ServerStream) error {
			<-ctx.Done()
			return nil
		}, InCapacity(maxCapacity), Window(minWindow)))
		st, err := x.to(y).OpenStream(context.Background(), firstFree, nil)
		require.NoError(b, err)
		_, err = st.Accepted(within(b))
		require.NoError(b, err)
		st.core.mu.Lock()
		st.core.credit, st.core.sendWindow = maxWindow, maxWindow // as a peer that counts bytes alone would have it
		st.core.mu.Unlock()
		for range minWindow / 64 {
			require.NoError(b, st.Send(within(b), []byte{1}))
		}
		synctest.Wait()
		require.NoError(b, x.to(y).WaitReady(within(b)))
		require.NoError(b, st.Send(within(b), []byte{1}))
		_, err = st.Recv(within(b))
		require.ErrorIs(b, err, ErrDisconnected)
	})
}
