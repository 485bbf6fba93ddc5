package grid

import (
	"context"
	"errors"
	"io"
	"strconv"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom/grid/gridtest"
)

// blocked is a stream that stands still until release is closed: the handler does not read, or the caller does
// not, or both.
type blocked struct {
	release chan struct{}
	ended   chan error // why the handler's context ended, nil if it did not
	sent    atomic.Int64
	got     chan error // of the caller's side
	st      *Stream
}

const blockedMessages = 100

// block starts a stream from x to y. Each side sends as many messages as the other will take, and more when
// release is closed.
func (b *bubble) block(ctx context.Context, x, y *node, id HandlerID, oneWay, callerReads, handlerReads bool) *blocked {
	b.Helper()
	s := &blocked{release: make(chan struct{}), ended: make(chan error, 1), got: make(chan error, 1)}
	in := 4
	if oneWay {
		in = 0
	}
	require.NoError(b, y.HandleStream(id, func(ctx context.Context, st *ServerStream) error {
		read := make(chan error, 1)
		go func() {
			if !handlerReads {
				select {
				case <-s.release:
				case <-ctx.Done():
				}
			}
			for n := 0; ; n++ {
				m, err := st.Recv(ctx)
				if errors.Is(err, io.EOF) {
					if !oneWay && n != blockedMessages {
						err = errors.New(strconv.Itoa(n) + " messages")
					} else {
						err = nil
					}
				} else if err == nil && string(m.Bytes()) != strconv.Itoa(n) {
					err = errors.New("another message")
				} else if err == nil {
					continue
				}
				read <- err
				return
			}
		}()
		for i := range blockedMessages {
			if err := st.Send(ctx, []byte(strconv.Itoa(i))); err != nil {
				err = errors.Join(err, <-read)
				s.ended <- context.Cause(ctx)
				return err
			}
			s.sent.Add(1)
		}
		err := <-read
		if err == nil { // it has all it wants; now it waits for the word of the test
			select {
			case <-s.release:
			case <-ctx.Done():
			}
		}
		s.ended <- context.Cause(ctx)
		return err
	}, InCapacity(in), OutCapacity(4)))
	var err error
	s.st, err = x.to(y).NewStream(ctx, id, nil)
	require.NoError(b, err)
	require.Equal(b, oneWay, s.st.Requests == nil)
	if !oneWay {
		go func() {
			defer close(s.st.Requests)
			for i := range blockedMessages {
				select {
				case s.st.Requests <- []byte(strconv.Itoa(i)):
				case <-ctx.Done():
					return
				}
			}
		}()
	}
	go func() {
		if !callerReads {
			select {
			case <-s.release:
			case <-ctx.Done():
			}
		}
		n := 0
		for r := range s.st.Responses {
			if r.Err != nil {
				s.got <- r.Err
				return
			}
			// The error of a context that has ended may be in the place of the oldest message.
			if string(r.Msg) != strconv.Itoa(n) && ctx.Err() == nil {
				s.got <- errors.New("another message")
				return
			}
			n++
		}
		if n != blockedMessages {
			s.got <- errors.New(strconv.Itoa(n) + " messages")
			return
		}
		s.got <- nil
	}()
	synctest.Wait()
	require.Empty(b, s.got)
	require.Empty(b, s.ended)
	if !callerReads {
		require.Less(b, s.sent.Load(), int64(blockedMessages))
	}
	return s
}

// Which side of a stream does not read.
var blockings = map[string]struct{ oneWay, callerReads, handlerReads bool }{
	"two ways, nobody is blocked":     {false, true, true},
	"two ways, the requests are":      {false, true, false},
	"two ways, the responses are":     {false, false, true},
	"two ways, both directions are":   {false, false, false},
	"one way, the responses are":      {true, false, true},
	"one way, and nobody is blocked ": {true, true, true},
}

// There are no pings of streams: what keeps the connection keeps its streams.
func TestStream_that_is_blocked_for_long_goes_on(t *testing.T) {
	for name, c := range blockings {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(b *bubble) {
				x, y := b.pair(nil)
				ctx, cancel := context.WithCancel(context.Background())
				defer cancel()
				s := b.block(ctx, x, y, firstFree, c.oneWay, c.callerReads, c.handlerReads)
				time.Sleep(10 * time.Minute)
				require.Empty(b, s.got)
				require.Empty(b, s.ended)
				require.EqualValues(b, 1, x.to(y).Snapshot().Opened)
				close(s.release)
				require.NoError(b, <-s.got)
				require.NoError(b, <-s.ended)
				synctest.Wait()
				require.Empty(b, x.to(y).Snapshot().Active)
				require.Empty(b, y.to(x).Snapshot().Active)
			})
		})
	}
}

func TestStream_that_is_blocked_is_cancelled_on_both_sides_at_once(t *testing.T) {
	for name, c := range blockings {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(b *bubble) {
				x, y := b.pair(nil)
				ctx, cancel := context.WithCancel(context.Background())
				s := b.block(ctx, x, y, firstFree, c.oneWay, c.callerReads, c.handlerReads)
				began := time.Now()
				cancel()
				require.ErrorIs(b, <-s.got, context.Canceled)
				require.ErrorIs(b, <-s.ended, ErrCanceled)
				require.Zero(b, time.Since(began))
				synctest.Wait()
				require.Empty(b, x.to(y).Snapshot().Active)
				require.Empty(b, y.to(x).Snapshot().Active)
			})
		})
	}
}

// Both sides find that the path is dead, whatever a stream waits for.
func TestStream_over_a_dead_path_ends_on_both_sides_within_twelve_seconds(t *testing.T) {
	for name, c := range blockings {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(b *bubble) {
				x, y := b.pair(nil)
				s := b.block(context.Background(), x, y, firstFree, c.oneWay, c.callerReads, c.handlerReads)
				time.Sleep(20 * time.Second)
				_, err := x.to(y).Request(within(b), echoID, nil) // the last that each hears of the other
				require.NoError(b, err)
				synctest.Wait()
				b.net.SetBoth("a", "b", gridtest.Faults{Path: gridtest.Vanishing})
				dead := time.Now()
				require.ErrorIs(b, <-s.ended, ErrDisconnected)
				require.LessOrEqual(b, time.Since(dead), 12*time.Second)
				time.Sleep(time.Until(dead.Add(12*time.Second + time.Millisecond)))
				require.NotEqual(b, Up, x.to(y).State())
				close(s.release) // for a caller that does not read
				require.ErrorIs(b, <-s.got, ErrDisconnected)
			})
		})
	}
}

func TestStream_ends_with_its_deadline_on_both_sides(t *testing.T) {
	for _, responses := range []int{0, 1, 100} { // that are read before
		for _, heeds := range []bool{true, false} {
			inBubble(t, func(b *bubble) {
				x, y := b.pair(nil)
				b.net.SetBoth("a", "b", gridtest.Faults{Latency: time.Millisecond})
				release := make(chan struct{})
				ended := make(chan error, 1)
				require.NoError(b, y.HandleStream(firstFree, func(ctx context.Context, s *ServerStream) error {
					until, ok := ctx.Deadline()
					assert.True(b, ok)
					assert.InDelta(b, 10, time.Until(until).Seconds(), 0.1)
					for range responses {
						assert.NoError(b, s.Send(ctx, nil))
					}
					<-ctx.Done()
					ended <- context.Cause(ctx)
					if !heeds {
						<-release
					}
					return nil
				}))
				ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
				defer cancel()
				began := time.Now()
				st, err := x.to(y).NewStream(ctx, firstFree, nil)
				require.NoError(b, err)
				for range responses {
					require.NoError(b, (<-st.Responses).Err)
				}
				require.ErrorIs(b, (<-st.Responses).Err, context.DeadlineExceeded)
				_, more := <-st.Responses
				require.False(b, more)
				require.Equal(b, 10*time.Second, time.Since(began))
				require.ErrorIs(b, <-ended, context.DeadlineExceeded)
				require.InDelta(b, 10, time.Since(began).Seconds(), 0.1)
				time.Sleep(time.Second)
				require.Empty(b, x.to(y).Snapshot().Active, "even if the handler goes on")
				close(release)
			})
		}
	}
}

// The word that accepts a stream does not wait in the queue, and the reader not for it.
func TestStream_is_accepted_beside_a_full_queue(t *testing.T) {
	inBubble(t, func(b *bubble) {
		x, y := b.pair(func(c *Config) { c.Limits.SendQueue = 16 << 10; c.Timing.Write = time.Hour; c.Timing.Dead = time.Hour })
		b.net.Set("b", "a", gridtest.Faults{Path: gridtest.Stalled, Buffer: 1 << 10})
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		answered := make(chan error, 100)
		for range cap(answered) {
			go func() {
				_, err := x.to(y).Request(ctx, echoID, make([]byte, 4<<10))
				answered <- err
			}()
		}
		synctest.Wait()
		require.Empty(b, answered)
		require.GreaterOrEqual(b, y.to(x).Snapshot().Traffic.QueueBytes, 16<<10, "the queue is full")
		// The reader goes on: the stream begins, and what it is sent after that is taken.
		began := make(chan struct{})
		require.NoError(b, y.HandleStream(firstFree, func(ctx context.Context, s *ServerStream) error {
			close(began)
			<-ctx.Done()
			return ctx.Err()
		}, InCapacity(4)))
		st, err := x.to(y).OpenStream(ctx, firstFree, nil)
		require.NoError(b, err)
		<-began
		accepted := make(chan error, 1)
		go func() {
			_, err := st.Accepted(ctx)
			accepted <- err
		}()
		synctest.Wait()
		require.Empty(b, accepted)
		// A trickle of what is queued brings the acceptance first, for it is a control frame.
		b.net.Set("b", "a", gridtest.Faults{Bandwidth: 10 << 10})
		require.NoError(b, <-accepted)
		require.Less(b, len(answered), cap(answered)/2)
		b.net.Set("b", "a", gridtest.Faults{})
		for range cap(answered) {
			require.NoError(b, <-answered)
		}
	})
}

func TestCapacities_bound_the_messages_on_their_way(t *testing.T) {
	inBubble(t, func(b *bubble) {
		x, y := b.pair(nil)
		const in, out, all = 5, 3, 50
		var sentBack atomic.Int64
		read := make(chan struct{})
		require.NoError(b, y.HandleStream(firstFree, func(ctx context.Context, s *ServerStream) error {
			for range all {
				if err := s.Send(ctx, nil); err != nil {
					return err
				}
				sentBack.Add(1)
			}
			for range read {
				if _, err := s.Recv(ctx); err != nil {
					return err
				}
			}
			return nil
		}, InCapacity(in), OutCapacity(out)))
		st, err := x.to(y).OpenStream(within(b), firstFree, nil)
		require.NoError(b, err)
		n, err := st.Accepted(within(b))
		require.NoError(b, err)
		require.Equal(b, in, n)
		var sent atomic.Int64
		done := make(chan error, 1)
		go func() {
			for range all {
				if err := st.Send(context.Background(), nil); err != nil {
					done <- err
					return
				}
				sent.Add(1)
			}
			done <- st.CloseSend()
		}()
		synctest.Wait()
		require.EqualValues(b, in, sent.Load())
		require.EqualValues(b, out, sentBack.Load())
		for i := range all {
			_, err := st.Recv(within(b))
			require.NoError(b, err)
			synctest.Wait()
			require.LessOrEqual(b, sentBack.Load(), int64(i+1+out))
		}
		require.EqualValues(b, all, sentBack.Load())
		for i := range all {
			read <- struct{}{}
			synctest.Wait()
			require.LessOrEqual(b, sent.Load(), int64(i+1+in))
		}
		require.NoError(b, <-done)
		close(read)
		_, err = st.Recv(within(b))
		require.ErrorIs(b, err, io.EOF)
	})
}
