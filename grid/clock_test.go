package grid

import (
	"context"
	"math"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A time that is too far away to be counted in nanoseconds is not one that has passed.
func TestTimes_that_are_far_away_have_not_passed(t *testing.T) {
	inBubble(t, func(b *bubble) {
		x, y := b.pair(nil)
		var executed atomic.Int64
		require.NoError(b, y.HandleSingle(firstFree, func(ctx context.Context, _ *Call) ([]byte, error) {
			executed.Add(1)
			return nil, ctx.Err()
		}, Timeout(math.MaxInt64), Dedupe(10, math.MaxInt64)))
		ctx, cancel := context.WithDeadline(context.Background(), time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC))
		defer cancel()
		key := NewIdempotencyKey()
		for range 2 {
			_, err := x.to(y).Request(ctx, firstFree, nil, key)
			require.NoError(b, err)
			_, err = x.to(y).Request(context.Background(), firstFree, nil, key)
			require.NoError(b, err)
		}
		require.Equal(b, int64(1), executed.Load())
		_, err := x.to(y).Request(ctx, echoID, make([]byte, 20<<10))
		require.NoError(b, err)
	})
}
