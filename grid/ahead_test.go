package grid

import (
	"context"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom/grid/gridtest"
	"github.com/ratmom/ratmom/grid/internal/frame"
)

// takes is a handler that takes all messages, of which it says the lengths.
func takes(lengths chan<- int) StreamHandler {
	return func(ctx context.Context, s *ServerStream) error {
		for {
			m, err := s.Recv(ctx)
			if err == io.EOF {
				return nil
			}
			if err != nil {
				return err
			}
			lengths <- len(m.Bytes())
			m.Release()
		}
	}
}

func TestStream_of_messages_that_are_longer_than_its_window_makes_use_of_the_path(t *testing.T) {
	inBubble(t, func(b *bubble) {
		const messages, size, bandwidth = 40, 1 << 20, 100 << 20
		b.net.SetBoth("a", "b", gridtest.Faults{Latency: 5 * time.Millisecond, Bandwidth: bandwidth, Buffer: 8 << 20})
		x, y := b.pair(nil)
		lengths := make(chan int, messages)
		require.NoError(b, y.HandleStream(firstFree, takes(lengths), InCapacity(4)))
		st, err := x.to(y).OpenStream(context.Background(), firstFree, nil)
		require.NoError(b, err)
		began := time.Now()
		msg := make([]byte, size)
		for range messages {
			require.NoError(b, st.Send(context.Background(), msg))
		}
		for range messages {
			require.Equal(b, size, <-lengths)
		}
		// One after the other they would need a round trip more each, twice the time.
		whole := time.Second * messages * size / bandwidth
		require.Less(b, time.Since(began), whole*3/2)
		require.NoError(b, st.CloseSend())
		_, err = st.Recv(context.Background())
		require.ErrorIs(b, err, io.EOF)
		synctest.Wait()
		s := y.to(x).current.Load()
		require.Zero(b, s.ahead.Load())
		require.Zero(b, s.large.Load())
	})
}

func TestStream_counts_no_message_as_taken_that_nobody_waits_for(t *testing.T) {
	inBubble(t, func(b *bubble) {
		x, y := b.pair(nil)
		take, lengths := make(chan struct{}), make(chan int, 10)
		require.NoError(b, y.HandleStream(firstFree, func(ctx context.Context, s *ServerStream) error {
			for range take {
				m, err := s.Recv(ctx)
				if err != nil {
					return err
				}
				lengths <- len(m.Bytes())
			}
			return nil
		}, InCapacity(4)))
		st, err := x.to(y).OpenStream(context.Background(), firstFree, nil)
		require.NoError(b, err)
		sent := make(chan int, 10)
		go func() {
			for i := range 4 {
				if err := st.Send(context.Background(), make([]byte, 300_000+i)); err != nil {
					return
				}
				sent <- i
			}
		}()
		for i := range 4 {
			synctest.Wait()
			require.Len(b, sent, min(i+1, 4), "each that was taken makes room for one")
			take <- struct{}{}
			require.Equal(b, 300_000+i, <-lengths)
		}
		close(take)
		_, err = st.Recv(context.Background())
		require.ErrorIs(b, err, io.EOF)
	})
}

// However many are waited for, and whatever becomes of them, those that were counted as taken before they were
// here have a bound.
func TestMessages_that_were_counted_as_taken_early_have_a_budget(t *testing.T) {
	inBubble(t, func(b *bubble) {
		const streams, size = 10, 100 << 10
		x, y := b.pair(func(c *Config) { c.Limits.Message, c.Limits.Large = 1<<20, 4<<20 })
		lengths := make(chan int, 10*streams)
		require.NoError(b, y.HandleStream(firstFree, takes(lengths), InCapacity(4), Window(64<<10)))
		ctx, cancel := context.WithCancel(context.Background())
		var all []*ClientStream
		for range streams {
			st, err := x.to(y).OpenStream(ctx, firstFree, nil)
			require.NoError(b, err)
			_, err = st.Accepted(ctx)
			require.NoError(b, err)
			all = append(all, st)
		}
		synctest.Wait() // all handlers wait
		s := y.to(x).current.Load()
		b.net.Set("a", "b", gridtest.Faults{Bandwidth: 1 << 20})
		outcomes := make(chan error, streams)
		for _, st := range all {
			go func() {
				for range 3 {
					if err := st.Send(ctx, make([]byte, size)); err != nil {
						outcomes <- err
						return
					}
				}
				outcomes <- nil
			}()
		}
		most := int64(0)
		for range 20 * streams {
			time.Sleep(10 * time.Millisecond)
			most = max(most, s.ahead.Load())
			require.LessOrEqual(b, s.ahead.Load(), int64(1<<20))
			require.LessOrEqual(b, s.large.Load(), int64(4<<20))
		}
		require.GreaterOrEqual(b, most, int64(2*bufSize(size)), "it is made use of")
		for range streams {
			require.NoError(b, <-outcomes)
		}
		for range 3 * streams {
			require.Equal(b, size, <-lengths)
		}
		require.Zero(b, s.ahead.Load())
		require.Zero(b, s.large.Load())

		// Those that are given up half way give it back, too.
		for _, st := range all {
			go func() { outcomes <- st.Send(ctx, make([]byte, size)) }()
		}
		for s.ahead.Load() == 0 {
			changed(b)
		}
		cancel()
		for range streams {
			if err := <-outcomes; err != nil {
				require.ErrorIs(b, err, context.Canceled)
			}
		}
		for s.ahead.Load() != 0 || s.large.Load() != 0 {
			changed(b)
		}
	})
}

// What follows a message that was counted as taken finds as much room as if that had been taken.
func TestMessage_behind_one_that_was_counted_as_taken_is_not_refused_for_it(t *testing.T) {
	m, err := NewManager(Config{Self: "a", Limits: Limits{Message: 1 << 20, Large: 1 << 20}})
	require.NoError(t, err)
	defer func() { _ = m.Close() }()
	c := newConnection(m, Peer{Name: "b"})
	defer c.remove()
	s := newSession(c, &script{closed: make(chan struct{})}, params{}, instance{1}, true, false)
	var st streamCore
	st.init(s, 1)
	st.window, st.capacity = minWindow, 4
	fragment := func(first, last bool, total, n int) (Code, error) {
		h := frame.Header{Type: frame.Data, ID: 1, Length: n}
		var ext frame.Extensions
		if first {
			h.Flags |= frame.First
			ext.Has, ext.Total = frame.HasTotal, uint64(total)
		}
		if !last {
			h.Flags |= frame.More
		}
		return st.data(h, &ext, make([]byte, n))
	}
	takes := func(code Code, err error) {
		t.Helper()
		require.NoError(t, err)
		require.Zero(t, code)
	}
	credit := func(bytes, n int) {
		t.Helper()
		require.EqualValues(t, bytes, st.give)
		require.EqualValues(t, n, st.giveN)
	}

	st.awaited = true
	takes(fragment(true, false, 100<<10, 60<<10))
	credit(minWindow, 1)
	takes(fragment(false, true, 0, 40<<10))
	credit(minWindow, 1)
	require.False(t, st.awaited, "who has waited has what it has waited for")
	takes(fragment(true, false, 1<<20, 64<<10))
	credit(minWindow, 1)
	require.EqualValues(t, bufSize(100<<10), s.ahead.Load())
	require.EqualValues(t, 1<<20, s.large.Load())

	got, err := st.recv(waits{ctx: context.Background()})
	require.NoError(t, err)
	require.Len(t, got.Bytes(), 100<<10)
	credit(minWindow, 1)
	require.Zero(t, s.ahead.Load())
	st.finish(io.EOF, true)
	require.Zero(t, s.large.Load())
}
