package grid

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
)

// values is a context that cannot be compared with another.
type values struct {
	context.Context
	all map[string]string
}

func TestStream_takes_contexts_that_cannot_be_compared(t *testing.T) {
	inBubble(t, func(b *bubble) {
		x, y := b.pair(nil)
		inner, cancel := context.WithCancel(context.Background())
		ctx := values{inner, map[string]string{"a": "b"}}
		st, err := x.to(y).OpenStream(ctx, pingPongID, nil)
		require.NoError(b, err)
		for _, size := range []int{1, 100_000} {
			require.NoError(b, st.Send(ctx, make([]byte, size)))
			m, err := st.Recv(ctx)
			require.NoError(b, err)
			require.Len(b, m.Bytes(), size)
		}
		cancel()
		synctest.Wait()
		_, err = st.Recv(ctx)
		require.ErrorIs(b, err, context.Canceled)
		require.ErrorIs(b, st.Send(ctx, nil), context.Canceled)
	})
}
