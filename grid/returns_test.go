package grid

import (
	"bytes"
	"context"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom/grid/gridtest"
)

// A handler may return while another goroutine of it is still sending. What has begun to be sent is sent, and
// then the stream ends.
func TestStream_whose_handler_returns_amid_a_long_message_ends_behind_it(t *testing.T) {
	inBubble(t, func(b *bubble) {
		x, y := b.pair(nil)
		b.net.Set("b", "a", gridtest.Faults{Bandwidth: 1 << 20})
		msg := bytes.Repeat([]byte("message"), 1<<20/7)
		sent := make(chan error, 1)
		require.NoError(b, y.HandleStream(firstFree, func(ctx context.Context, st *ServerStream) error {
			go func() { sent <- st.Send(context.WithoutCancel(ctx), msg) }()
			time.Sleep(100 * time.Millisecond) // of the second that it takes
			return nil
		}))
		for range 10 {
			st, err := x.to(y).OpenStream(context.Background(), firstFree, nil)
			require.NoError(b, err)
			m, err := st.Recv(within(b))
			require.NoError(b, err)
			require.True(b, bytes.Equal(msg, m.Bytes()))
			_, err = st.Recv(within(b))
			require.ErrorIs(b, err, io.EOF)
			require.NoError(b, <-sent)
		}
		synctest.Wait()
		require.Empty(b, y.to(x).Snapshot().Active)
		require.EqualValues(b, 1, x.to(y).Snapshot().Opened)
	})
}

func TestStream_that_is_given_up_after_its_handler_has_returned_ends_on_both_sides(t *testing.T) {
	inBubble(t, func(b *bubble) {
		x, y := b.pair(nil)
		b.net.Set("b", "a", gridtest.Faults{Bandwidth: 1 << 20})
		sent := make(chan error, 1)
		require.NoError(b, y.HandleStream(firstFree, func(ctx context.Context, st *ServerStream) error {
			go func() { sent <- st.Send(ctx, make([]byte, 4<<20)) }()
			time.Sleep(100 * time.Millisecond)
			return nil
		}))
		for _, deadline := range []time.Duration{0, time.Hour} { // a handler's context with a deadline is another one
			ctx, cancel := context.WithCancel(context.Background())
			if deadline != 0 {
				ctx, cancel = context.WithTimeout(ctx, deadline)
			}
			st, err := x.to(y).OpenStream(ctx, firstFree, nil)
			require.NoError(b, err)
			time.Sleep(time.Second)
			require.Empty(b, sent)
			require.Zero(b, y.Snapshot().Handlers[firstFree-1].Running)
			cancel()
			_, err = st.Recv(context.Background())
			require.ErrorIs(b, err, context.Canceled)
			require.Error(b, <-sent)
			time.Sleep(time.Second)
			require.Empty(b, x.to(y).Snapshot().Active)
			require.Empty(b, y.to(x).Snapshot().Active)
		}
		require.EqualValues(b, 1, x.to(y).Snapshot().Opened)
	})
}

// A message that was begun and given up must not look like one that was sent, whoever ends the stream.
func TestStream_whose_handler_returns_behind_a_part_of_a_message_does_not_end_well(t *testing.T) {
	inBubble(t, func(b *bubble) {
		x, y := b.pair(nil)
		b.net.Set("b", "a", gridtest.Faults{Bandwidth: 1 << 20})
		require.NoError(b, y.HandleStream(firstFree, func(ctx context.Context, st *ServerStream) error {
			short, stop := context.WithTimeout(ctx, 100*time.Millisecond)
			defer stop()
			begun, err := st.core.send(waits{ctx: short}, make([]byte, 4<<20)) // Send would end the stream
			assert.True(b, begun)
			assert.Error(b, err)
			return nil
		}))
		st, err := x.to(y).OpenStream(context.Background(), firstFree, nil)
		require.NoError(b, err)
		_, err = st.Recv(within(b))
		require.ErrorIs(b, err, ErrCanceled)
		require.EqualValues(b, 1, x.to(y).Snapshot().Opened)
	})
}
