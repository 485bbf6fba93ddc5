package grid

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom/grid/gridtest"
)

func TestHandler_that_has_enough_to_do_answers_so_at_once(t *testing.T) {
	inBubble(t, func(b *bubble) {
		x, y := b.pair(nil)
		release := make(chan struct{})
		require.NoError(b, y.HandleSingle(firstFree, func(context.Context, *Call) ([]byte, error) {
			<-release
			return nil, nil
		}, MaxConcurrent(2), MaxWaiting(3), Name("slow")))
		outcomes := make(chan error, 20)
		for range 9 {
			go func() {
				_, err := x.to(y).Request(context.Background(), firstFree, nil)
				outcomes <- err
			}()
		}
		synctest.Wait()
		require.Len(b, outcomes, 4)
		for range 4 {
			err := <-outcomes
			var e *Error
			require.ErrorIs(b, err, ErrOverloaded)
			require.ErrorAs(b, err, &e)
			require.Equal(b, NotSent, e.Sent)
		}
		s := handlerSnapshot(y, firstFree)
		require.Equal(b, []int{2, 3}, []int{s.Running, s.Waiting})
		require.Equal(b, uint64(4), s.Overloaded)
		close(release)
		for range 5 {
			require.NoError(b, <-outcomes)
		}
		synctest.Wait()
		s = handlerSnapshot(y, firstFree)
		require.Equal(b, []int{0, 0}, []int{s.Running, s.Waiting})
		require.Equal(b, uint64(5), s.Started)
		require.Equal(b, uint64(5), s.Latency.Count)
		require.Equal(b, "slow", s.Name)

		st, err := x.to(y).OpenStream(within(b), firstFree, nil)
		require.NoError(b, err)
		_, err = st.Recv(within(b))
		require.ErrorIs(b, err, ErrUnknownHandler)
	})
}

func handlerSnapshot(n *node, id HandlerID) HandlerSnapshot {
	for _, h := range n.Snapshot().Handlers {
		if h.ID == id {
			return h
		}
	}
	return HandlerSnapshot{}
}

func TestRequests_that_are_cancelled_leave_no_handler_running(t *testing.T) {
	inBubble(t, func(b *bubble) {
		x, y := b.pair(nil)
		ctx, cancel := context.WithCancel(context.Background())
		n := 20_000
		if testing.Short() {
			n = 3000
		}
		var wg sync.WaitGroup
		var notSent atomic.Int64
		for range n {
			wg.Go(func() {
				_, err := x.to(y).Request(ctx, hangID, nil)
				var e *Error
				if !errors.As(err, &e) || e.Code != Canceled {
					b.Errorf("another error: %v", err)
				} else if e.Sent == NotSent {
					notSent.Add(1)
				}
			})
		}
		synctest.Wait()
		require.Equal(b, 1024, handlerSnapshot(y, hangID).Running)
		cancel()
		wg.Wait()
		synctest.Wait()
		h := handlerSnapshot(y, hangID)
		require.Zero(b, h.Running+h.Waiting)
		require.Equal(b, int64(n)-int64(h.Started), notSent.Load(), "what waited here was not sent")
		require.Empty(b, x.to(y).Snapshot().Active)
		require.Empty(b, y.to(x).Snapshot().Active)
		_, err := x.to(y).Request(within(b), echoID, nil)
		require.NoError(b, err)
	})
}

func TestDeadline_travels_as_the_time_that_remains_when_it_is_sent(t *testing.T) {
	inBubble(t, func(b *bubble) {
		x, y := b.pair(func(c *Config) { c.Timing.Write = time.Minute })
		left := make(chan time.Duration, 2)
		require.NoError(b, y.HandleSingle(firstFree, func(ctx context.Context, _ *Call) ([]byte, error) {
			d, _ := ctx.Deadline()
			left <- time.Until(d)
			<-ctx.Done()
			left <- 0
			return nil, context.Cause(ctx)
		}))
		// The writer is stuck in a write, and the request behind it waits for three seconds.
		b.net.Set("a", "b", gridtest.Faults{Path: gridtest.Stalled, Buffer: 1000})
		go func() { _, _ = x.to(y).Request(context.Background(), echoID, make([]byte, 10_000)) }()
		synctest.Wait()
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		got := make(chan error, 1)
		go func() {
			_, err := x.to(y).Request(ctx, firstFree, nil)
			got <- err
		}()
		time.Sleep(3 * time.Second)
		b.net.Set("a", "b", gridtest.Faults{})
		require.InDelta(b, 7, (<-left).Seconds(), 0.1)
		began := time.Now()
		require.ErrorIs(b, <-got, context.DeadlineExceeded)
		<-left
		require.InDelta(b, 7, time.Since(began).Seconds(), 0.1)
	})
}

func TestRequest_in_the_queue_whose_context_ends_is_not_sent(t *testing.T) {
	inBubble(t, func(b *bubble) {
		x, y := b.pair(func(c *Config) { c.Timing.Write = time.Minute; c.Limits.SendQueue = 100_000 })
		b.net.Set("a", "b", gridtest.Faults{Path: gridtest.Stalled, Buffer: 1000})
		go func() { _, _ = x.to(y).Request(context.Background(), echoID, make([]byte, 10_000)) }()
		synctest.Wait()
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		var wg sync.WaitGroup
		for i := range 40 {
			wg.Go(func() {
				_, err := x.to(y).Request(ctx, failID, make([]byte, 1000*i))
				var e *Error
				require.ErrorAs(b, err, &e)
				require.Equal(b, DeadlineExceeded, e.Code)
				require.Equal(b, NotSent, e.Sent)
			})
		}
		wg.Wait()
		require.LessOrEqual(b, x.to(y).Snapshot().Traffic.QueueBytes, 120_000)
		require.NotZero(b, x.to(y).Snapshot().Traffic.QueueStalls)
		b.net.Set("a", "b", gridtest.Faults{})
		_, err := x.to(y).Request(within(b), echoID, nil)
		require.NoError(b, err)
		require.Zero(b, handlerSnapshot(y, failID).Started)
	})
}

func TestTimeout_answers_for_a_handler_that_takes_longer(t *testing.T) {
	inBubble(t, func(b *bubble) {
		x, y := b.pair(nil)
		release := make(chan struct{})
		require.NoError(b, y.HandleSingle(firstFree, func(context.Context, *Call) ([]byte, error) {
			<-release
			return nil, nil
		}, Timeout(time.Second)))
		require.NoError(b, y.HandleStream(firstFree+1, func(ctx context.Context, s *ServerStream) error {
			_, err := s.Recv(ctx)
			<-release
			return err
		}, Timeout(time.Second), InCapacity(1)))
		began := time.Now()
		_, err := x.to(y).Request(context.Background(), firstFree, nil)
		require.ErrorIs(b, err, context.DeadlineExceeded)
		st, err := x.to(y).OpenStream(context.Background(), firstFree+1, nil)
		require.NoError(b, err)
		_, err = st.Recv(context.Background())
		require.ErrorIs(b, err, ErrDeadlineExceeded)
		require.Equal(b, 2*time.Second, time.Since(began))
		close(release)
		synctest.Wait()
		require.Equal(b, uint64(1), handlerSnapshot(y, firstFree).Canceled)
	})
}

func TestLarge_messages_are_refused_before_there_is_memory_for_them(t *testing.T) {
	inBubble(t, func(b *bubble) {
		x, y := b.pair(func(c *Config) { c.Limits.Message, c.Limits.Large = 1<<20, 1<<20+256<<10 })
		_, err := x.to(y).Request(within(b), echoID, make([]byte, 1<<20+1))
		require.ErrorIs(b, err, ErrTooLarge)
		release := make(chan struct{})
		require.NoError(b, y.HandleSingle(firstFree, func(context.Context, *Call) ([]byte, error) {
			<-release
			return nil, nil
		}))
		first := make(chan error, 1)
		go func() {
			_, err := x.to(y).Request(context.Background(), firstFree, make([]byte, 700_000))
			first <- err
		}()
		synctest.Wait()
		b.net.Set("a", "b", gridtest.Faults{Bandwidth: 1 << 20})
		began := time.Now()
		_, err = x.to(y).Request(within(b), firstFree, make([]byte, 700_000))
		require.ErrorIs(b, err, ErrResourceExhausted)
		s := x.to(y).current.Load()
		s.mu.Lock()
		more := s.q.Bulk()
		s.mu.Unlock()
		require.False(b, more, "the rest is not sent")
		require.Less(b, time.Since(began), 500*time.Millisecond)
		b.net.Set("a", "b", gridtest.Faults{})
		var e *Error
		require.ErrorAs(b, err, &e)
		require.Equal(b, NotSent, e.Sent)
		_, err = x.to(y).Request(within(b), echoID, make([]byte, 200_000))
		require.NoError(b, err)
		require.NoError(b, y.HandleSingle(firstFree+1, func(context.Context, *Call) ([]byte, error) { return make([]byte, 1<<20+1), nil }))
		_, err = x.to(y).Request(within(b), firstFree+1, nil)
		require.ErrorIs(b, err, ErrTooLarge)
		close(release)
		require.NoError(b, <-first)
		synctest.Wait()
		for _, s := range []*session{x.to(y).current.Load(), y.to(x).current.Load()} {
			require.Zero(b, s.large.Load(), "the budget is whole again")
			require.Zero(b, s.servedN[0].Load())
		}
	})
}

// Beside four large requests at a time a small one waits for little of theirs. Only the path takes time here, so
// that the times are the same on every machine; behind whole messages of 8 MiB they were 30 ms and more on the fast path.
func TestSmall_requests_pass_large_ones(t *testing.T) {
	poison.Store(false)
	defer poison.Store(true)
	const fast, slow = 250_000_000, 50_000_000
	for _, c := range []struct {
		size, bandwidth int
		latency         time.Duration
		most            time.Duration // ten times what the slowest takes, 30 ms where that is more
	}{
		{64 << 10, fast, 50 * time.Microsecond, 15 * time.Millisecond},
		{1 << 20, fast, 50 * time.Microsecond, 15 * time.Millisecond},
		{8 << 20, fast, 50 * time.Microsecond, 15 * time.Millisecond},
		// 256 KiB of large messages may be under way.
		{8 << 20, slow, time.Millisecond, 30 * time.Millisecond},
	} {
		t.Run(fmt.Sprintf("%d at %d a second", c.size, c.bandwidth), func(t *testing.T) {
			inBubble(t, func(b *bubble) {
				x, y := b.pair(nil)
				require.NoError(b, y.HandleSingle(firstFree, func(context.Context, *Call) ([]byte, error) { return nil, nil }))
				b.net.SetBoth("a", "b", gridtest.Faults{Latency: c.latency, Bandwidth: c.bandwidth, Buffer: 64 << 20})
				ctx, cancel := context.WithCancel(context.Background())
				var wg sync.WaitGroup
				for range 4 {
					wg.Go(func() {
						large := make([]byte, c.size)
						for ctx.Err() == nil {
							_, _ = x.to(y).Request(ctx, firstFree, large)
						}
					})
				}
				time.Sleep(10 * time.Millisecond)
				began, before := time.Now(), b.net.Traffic("a", "b")
				var worst time.Duration
				for range 20 {
					began := time.Now()
					_, err := x.to(y).Request(within(b), echoID, make([]byte, 64))
					require.NoError(b, err)
					worst = max(worst, time.Since(began))
					time.Sleep(time.Millisecond)
				}
				rate := float64(b.net.Traffic("a", "b")-before) / time.Since(began).Seconds()
				cancel()
				wg.Wait()
				t.Logf("%v at most, beside %.0f MB/s", worst, rate/1e6)
				require.Less(b, worst, c.most)
				require.Greater(b, rate, float64(c.bandwidth)/2, "the path is full meanwhile")
			})
		})
	}
}

func TestRequests_find_room_in_the_shortest_queue(t *testing.T) {
	inBubble(t, func(b *bubble) {
		x, y := b.pair(func(c *Config) { c.Limits.SendQueue = 1 })
		outcomes := make(chan error, 100)
		for range cap(outcomes) {
			go func() {
				_, err := x.to(y).Request(within(b), echoID, make([]byte, 10))
				outcomes <- err
			}()
		}
		for range cap(outcomes) {
			require.NoError(b, <-outcomes)
		}
	})
}

// A peer may answer a request that it guesses, while its caller takes it back.
func TestSlot_is_given_back_once(t *testing.T) {
	inBubble(t, func(b *bubble) {
		x, y := b.pair(nil)
		c := x.to(y)
		b.net.Set("a", "b", gridtest.Faults{Path: gridtest.Stalled, Buffer: 1})
		fill := func() {
			go func() { _, _ = c.Request(within(b), echoID, make([]byte, 16<<10)) }()
			synctest.Wait()
		}
		for range 10 {
			fill()
		}
		s := c.current.Load()
		before := s.calls.used
		ctx, cancel := context.WithCancel(context.Background())
		go func() { _, _ = c.Request(ctx, hangID, nil) }()
		synctest.Wait()
		var r *request
		s.issued.all(func(x *request) {
			if x.handler.Load() == uint32(hangID) {
				r = x
			}
		})
		cancel()
		synctest.Wait()
		s.free(r) // as the reader does that has found it before
		s.settle()
		require.Equal(b, before, s.calls.used)
		fill()
		fill()
		active := 0
		s.issued.all(func(*request) { active++ })
		require.Equal(b, before+2, active)
		b.net.Set("a", "b", gridtest.Faults{})
	})
}

// The time of a handler begins with the first fragment of a request.
func TestTimeout_counts_from_the_arrival(t *testing.T) {
	inBubble(t, func(b *bubble) {
		x, y := b.pair(nil)
		release := make(chan struct{})
		defer close(release)
		require.NoError(b, y.HandleSingle(firstFree, func(context.Context, *Call) ([]byte, error) {
			<-release
			return nil, nil
		}, Timeout(12*time.Second)))
		b.net.Set("a", "b", gridtest.Faults{Bandwidth: 100 << 10})
		began := time.Now()
		_, err := x.to(y).Request(within(b), firstFree, make([]byte, 1<<20))
		require.ErrorIs(b, err, ErrDeadlineExceeded)
		require.InDelta(b, 12, time.Since(began).Seconds(), 3)
	})
}

func TestSnapshot_has_the_names_of_handlers_with_a_subroute(t *testing.T) {
	inBubble(t, func(b *bubble) {
		x, y := b.pair(nil)
		require.NoError(b, y.HandleSingle(hangID, func(ctx context.Context, _ *Call) ([]byte, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}, Subroute("sub"), Name("the other")))
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		go func() { _, _ = x.to(y).Request(ctx, hangID, nil, Subroute("sub")) }()
		synctest.Wait()
		active := y.to(x).Snapshot().Active
		require.Len(b, active, 1)
		require.Equal(b, "the other", active[0].Name)
	})
}
