package grid

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestInbox_hands_out_in_order_and_keeps_little(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var q inbox
	next, due, most := int64(0), int64(0), 0
	for range 10_000 {
		// Now it grows, now it shrinks.
		more := 60
		if next%2000 > 1000 {
			more = 40
		}
		if q.len() == 0 || r.IntN(100) < more {
			q.push(message{reserved: reservation{bytes: next}})
			next++
		} else {
			require.Equal(t, due, q.pop().reserved.bytes)
			due++
		}
		most = max(most, q.len())
		require.Equal(t, int(next-due), q.len())
	}
	require.Greater(t, most, 100, "it was never long")
	require.LessOrEqual(t, cap(q.all), 4*most)
	for q.len() > 3 {
		require.Equal(t, due, q.pop().reserved.bytes)
		due++
	}
	left := q.drain()
	require.Len(t, left, 3)
	require.Equal(t, due, left[0].reserved.bytes)
	require.Zero(t, q.len())
}

func TestInbox_without_a_backlog_allocates_once(t *testing.T) {
	var q inbox
	q.push(message{})
	q.pop()
	require.Zero(t, testing.AllocsPerRun(1000, func() {
		q.push(message{})
		q.pop()
	}))
}
