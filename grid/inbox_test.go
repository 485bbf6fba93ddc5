package grid

import (
	"context"
	"math/rand/v2"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom/grid/internal/frame"
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

func TestInbox_gives_its_memory_back_all_zero(t *testing.T) {
	for n := range 2*inboxKept + 1 {
		var q inbox
		for i := range n {
			q.push(message{reserved: reservation{bytes: int64(i + 1)}})
		}
		first := q.first
		q.close()
		require.Equal(t, n, q.len(), "one that is not empty stays as it is")
		for range n {
			q.pop()
		}
		q.close()
		require.Nil(t, q.first)
		if first != nil {
			require.Zero(t, *first)
		}
		q.push(message{reserved: reservation{bytes: 7}})
		require.Len(t, q.drain(), 1)
		require.Zero(t, q.len())
	}
}

// slow is a context for which it takes until begin is closed that somebody waits.
type slow struct {
	context.Context
	begin chan struct{}
}

func (s *slow) Done() <-chan struct{} {
	<-s.begin
	return s.Context.Done()
}

// Messages that come together wake as many as wait for them, even if those only begin to.
func TestStream_messages_that_come_at_once_are_for_all_who_wait(t *testing.T) {
	inBubble(t, func(b *bubble) {
		m, err := NewManager(Config{Self: "a"})
		require.NoError(b, err)
		defer func() { _ = m.Close() }()
		c := newConnection(m, Peer{Name: "b"})
		defer c.remove()
		var st streamCore
		st.init(newSession(c, &script{closed: make(chan struct{})}, params{}, instance{1}, true, false), 1)
		st.window, st.capacity = minWindow, maxCapacity
		const readers = 4
		ctx := &slow{context.Background(), make(chan struct{})}
		got := make(chan error, readers)
		for range readers {
			go func() {
				_, err := st.recv(waits{ctx: ctx})
				got <- err
			}()
		}
		synctest.Wait()
		for range readers {
			_, err := st.data(frame.Header{Type: frame.Data, Flags: frame.First}, nil, nil)
			require.NoError(b, err)
		}
		close(ctx.begin)
		for range readers {
			require.NoError(b, <-got)
		}
	})
}
