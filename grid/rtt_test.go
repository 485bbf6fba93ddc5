package grid

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom/grid/gridtest"
)

// While large messages are sent there is a ping every Ping/4. On a long path each is on its way when the next one goes.
func TestRTT_is_measured_beside_bulk_when_it_is_longer_than_the_pause_between_pings(t *testing.T) {
	inBubble(t, func(b *bubble) {
		x, y := b.pair(nil)
		require.NoError(b, y.HandleSingle(firstFree, func(context.Context, *Call) ([]byte, error) { return nil, nil }))
		s := x.to(y).current.Load()
		for _, oneWay := range []time.Duration{time.Second, 2 * time.Second} {
			// It takes about as long to send what may be under way, so that something is sent all the time.
			b.net.SetBoth("a", "b", gridtest.Faults{Latency: oneWay, Bandwidth: 100 << 10})
			s.rtt.Store(0)
			ctx, cancel := context.WithCancel(context.Background())
			done := make(chan struct{})
			go func() {
				defer close(done)
				for {
					if _, err := x.to(y).Request(ctx, firstFree, make([]byte, 8<<20)); err != nil {
						return
					}
				}
			}()
			time.Sleep(40 * time.Second)
			require.GreaterOrEqual(b, x.to(y).Snapshot().RTT, 2*oneWay)
			require.LessOrEqual(b, x.to(y).Snapshot().RTT, 2*oneWay+6*time.Second)
			cancel()
			<-done
			time.Sleep(20 * time.Second)
		}
		require.Same(b, s, x.to(y).current.Load())
	})
}

func TestPings_are_matched_with_their_own_answers(t *testing.T) {
	const longest = 100 * time.Second
	var p pings
	for i := range 2 * maxPings {
		p.add(uint64(i), int64(i), longest)
	}
	answered := func(nonce uint64, now int64) any {
		if d, ok := p.answered(nonce, now); ok {
			return d
		}
		return nil
	}
	require.Len(t, p.sent, maxPings)
	require.Nil(t, answered(maxPings, 100), "there was no room for it")
	require.Equal(t, int64(97), answered(3, 100))
	require.Nil(t, answered(3, 101), "once")
	require.Nil(t, answered(2, 101), "a later one was answered")
	require.Equal(t, int64(97), answered(4, 101))
	p.add(50, int64(longest)+8, longest)
	require.Nil(t, answered(7, int64(longest)+9), "too old")
	require.Equal(t, int64(longest)+1, answered(8, int64(longest)+9))
	require.Equal(t, int64(1), answered(50, int64(longest)+9))
	require.Empty(t, p.sent)
}
