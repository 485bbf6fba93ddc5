package grid

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom/grid/gridtest"
)

func TestStream_carries_messages_both_ways_and_ends(t *testing.T) {
	a, b := tcpPair(t, nil)
	for _, c := range []*Connection{a.to(b), b.to(a)} {
		for _, size := range []int{0, 512, 16<<10 + 1, 64<<10 + 1, 256<<10 + 1} {
			st, err := c.OpenStream(within(t), pingPongID, nil)
			require.NoError(t, err)
			for i := range 5 {
				msg := bytes.Repeat([]byte{byte(i)}, size)
				require.NoError(t, st.Send(within(t), msg), size)
				got, err := st.Recv(within(t))
				require.NoError(t, err, size)
				require.True(t, bytes.Equal(msg, got.Bytes()), size)
				got.Release()
			}
			require.NoError(t, st.CloseSend())
			_, err = st.Recv(within(t))
			require.ErrorIs(t, err, io.EOF)
			require.ErrorIs(t, st.Send(within(t), nil), io.EOF)
		}
	}
}

func TestStream_delivers_all_responses_in_order_before_its_end(t *testing.T) {
	a, b := tcpPair(t, nil)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for n := range 40 {
				st, err := a.to(b).OpenStream(context.Background(), countID, []byte(strconv.Itoa(n)))
				if !assert.NoError(t, err) {
					return
				}
				for i := range n {
					got, err := st.Recv(context.Background())
					if !assert.NoError(t, err) || !assert.Equal(t, strconv.Itoa(i), string(got.Bytes())) {
						return
					}
					got.Release()
				}
				_, err = st.Recv(context.Background())
				assert.ErrorIs(t, err, io.EOF)
			}
		})
	}
	wg.Wait()
}

func TestNewStream_has_channels_for_the_directions_that_the_handler_has(t *testing.T) {
	a, b := tcpPair(t, nil)
	st, err := a.to(b).NewStream(within(t), countID, []byte("100"))
	require.NoError(t, err)
	require.Nil(t, st.Requests)
	n := 0
	for r := range st.Responses {
		require.NoError(t, r.Err)
		require.Equal(t, strconv.Itoa(n), string(r.Msg))
		n++
	}
	require.Equal(t, 100, n)

	st, err = a.to(b).NewStream(within(t), pingPongID, nil)
	require.NoError(t, err)
	for i := range 11 {
		st.Requests <- []byte{byte(i)}
		r := <-st.Responses
		require.NoError(t, r.Err)
		require.Equal(t, []byte{byte(i)}, r.Msg)
	}
	close(st.Requests)
	_, more := <-st.Responses
	require.False(t, more)

	_, err = a.to(b).NewStream(within(t), 999, nil)
	require.ErrorIs(t, err, ErrUnknownHandler)
	_, err = a.to(b).NewStream(within(t), echoID, nil)
	require.ErrorIs(t, err, ErrUnknownHandler)
}

func TestNewStream_delivers_the_error_of_the_handler_after_the_responses(t *testing.T) {
	a, b := tcpPair(t, nil)
	require.NoError(t, b.HandleStream(firstFree, func(ctx context.Context, s *ServerStream) error {
		for range 3 {
			if err := s.Send(ctx, nil); err != nil {
				return err
			}
		}
		return errOfHandler
	}))
	st, err := a.to(b).NewStream(within(t), firstFree, nil)
	require.NoError(t, err)
	for range 3 {
		require.NoError(t, (<-st.Responses).Err)
	}
	r := <-st.Responses
	var e *Error
	require.ErrorAs(t, r.Err, &e)
	require.Equal(t, errOfHandler.Error(), e.Message)
	_, more := <-st.Responses
	require.False(t, more)
}

func TestNewStream_drops_requests_after_its_end_until_they_are_closed(t *testing.T) {
	a, b := tcpPair(t, nil)
	require.NoError(t, b.HandleStream(firstFree, func(context.Context, *ServerStream) error { return nil }, InCapacity(1)))
	st, err := a.to(b).NewStream(within(t), firstFree, nil)
	require.NoError(t, err)
	_, more := <-st.Responses
	require.False(t, more)
	for range 100 {
		st.Requests <- nil
	}
	close(st.Requests)
}

func TestStream_that_is_cancelled_ends_on_both_sides(t *testing.T) {
	a, b := tcpPair(t, nil)
	causes := make(chan error, 1)
	started := make(chan struct{}, 1)
	require.NoError(t, b.HandleStream(firstFree, func(ctx context.Context, s *ServerStream) error {
		started <- struct{}{}
		var err error
		for err == nil {
			err = s.Send(ctx, []byte("more"))
		}
		causes <- err
		return nil
	}))
	for _, buffered := range []int{0, 1, 100} { // responses that are read before
		ctx, cancel := context.WithCancel(context.Background())
		st, err := a.to(b).NewStream(ctx, firstFree, nil)
		require.NoError(t, err)
		<-started
		for range buffered {
			require.NoError(t, (<-st.Responses).Err)
		}
		cancel()
		require.ErrorIs(t, <-causes, ErrCanceled)
		var last error
		for r := range st.Responses {
			last = r.Err
		}
		require.ErrorIs(t, last, context.Canceled)

		cause := errors.New("enough")
		native, err := a.to(b).OpenStream(context.Background(), firstFree, nil)
		require.NoError(t, err)
		<-started
		for range buffered {
			_, err := native.Recv(context.Background())
			require.NoError(t, err)
		}
		native.Cancel(cause)
		_, err = native.Recv(context.Background())
		require.ErrorIs(t, err, ErrCanceled)
		require.ErrorIs(t, err, cause)
		require.ErrorIs(t, <-causes, ErrCanceled)
	}
}

func TestStream_that_ended_well_says_so_after_its_context_has_ended(t *testing.T) {
	a, b := tcpPair(t, nil)
	ctx, cancel := context.WithCancel(context.Background())
	st, err := a.to(b).OpenStream(ctx, countID, []byte("10"))
	require.NoError(t, err)
	for !func() bool { st.core.mu.Lock(); defer st.core.mu.Unlock(); return st.core.over }() {
		_, err := a.to(b).Request(within(t), echoID, nil)
		require.NoError(t, err)
	}
	cancel()
	for range 10 {
		_, err := st.Recv(ctx)
		require.NoError(t, err)
	}
	_, err = st.Recv(ctx)
	require.ErrorIs(t, err, io.EOF)
}

func TestStream_that_nobody_reads_holds_up_nobody_else(t *testing.T) {
	a, b := tcpPair(t, nil)
	out, err := a.to(b).OpenStream(within(t), countID, []byte("100"))
	require.NoError(t, err)
	hold := make(chan struct{})
	require.NoError(t, b.HandleStream(firstFree, func(ctx context.Context, s *ServerStream) error {
		<-hold
		for i := range 100 {
			m, err := s.Recv(ctx)
			if err != nil {
				return err
			}
			if string(m.Bytes()) != strconv.Itoa(i) {
				return errOfHandler
			}
		}
		return nil
	}, InCapacity(10)))
	in, err := a.to(b).OpenStream(within(t), firstFree, nil)
	require.NoError(t, err)
	sent := make(chan error, 1)
	go func() {
		for i := range 100 {
			if err := in.Send(context.Background(), []byte(strconv.Itoa(i))); err != nil {
				sent <- err
				return
			}
		}
		sent <- in.CloseSend()
	}()
	for range 100 {
		_, err := a.to(b).Request(within(t), echoID, []byte("x"))
		require.NoError(t, err)
	}
	close(hold)
	require.NoError(t, <-sent)
	_, err = in.Recv(within(t))
	require.ErrorIs(t, err, io.EOF)
	for i := range 100 {
		m, err := out.Recv(within(t))
		require.NoError(t, err)
		require.Equal(t, strconv.Itoa(i), string(m.Bytes()))
	}
}

func TestStream_takes_all_that_is_sent_to_it(t *testing.T) {
	a, b := tcpPair(t, nil)
	st, err := a.to(b).OpenStream(within(t), sinkID, nil)
	require.NoError(t, err)
	total := 0
	for i := range 40 {
		size := (i * 7919) % (200 << 10)
		total += size
		require.NoError(t, st.Send(within(t), make([]byte, size)))
	}
	require.NoError(t, st.CloseSend())
	got, err := st.Recv(within(t))
	require.NoError(t, err)
	require.Equal(t, uint64(total), binary.BigEndian.Uint64(got.Bytes()))
	_, err = st.Recv(within(t))
	require.ErrorIs(t, err, io.EOF)
}

func TestStream_to_a_handler_that_takes_nothing_refuses_messages(t *testing.T) {
	a, b := tcpPair(t, nil)
	st, err := a.to(b).OpenStream(within(t), countID, []byte("1"))
	require.NoError(t, err)
	n, err := st.Accepted(within(t))
	require.NoError(t, err)
	require.Zero(t, n)
	err = st.Send(within(t), []byte("x"))
	require.True(t, errors.Is(err, ErrInvalidMessage) || errors.Is(err, io.EOF), err)
}

// The end of the requests must not overtake the payload with which the stream begins.
func TestClientStream_that_is_closed_at_once_after_a_long_payload_ends_well(t *testing.T) {
	for _, n := range []int{20 << 10, 1 << 20} {
		inBubble(t, func(b *bubble) {
			x, y := b.pair(nil)
			for range 20 {
				st, err := x.to(y).OpenStream(within(b), sinkID, make([]byte, n))
				require.NoError(b, err)
				require.NoError(b, st.CloseSend())
				_, err = st.Recv(within(b))
				require.NoError(b, err)
				_, err = st.Recv(within(b))
				require.ErrorIs(b, err, io.EOF)
			}
			b.net.Set("a", "b", gridtest.Faults{Path: gridtest.Stalled, Buffer: 1})
			ctx, cancel := context.WithCancel(context.Background())
			st, err := x.to(y).OpenStream(ctx, sinkID, make([]byte, n))
			require.NoError(b, err)
			require.NoError(b, st.CloseSend())
			cancel()
			_, err = st.Recv(within(b))
			require.ErrorIs(b, err, context.Canceled)
			b.net.Set("a", "b", gridtest.Faults{})
			_, err = x.to(y).Request(within(b), echoID, nil)
			require.NoError(b, err)
			require.Empty(b, x.to(y).Snapshot().Active)
		})
	}
}

// A message that cannot be sent must not be missing without a word.
func TestStream_with_a_request_that_is_too_long_ends_with_that(t *testing.T) {
	inBubble(t, func(b *bubble) {
		x, y := b.pair(func(c *Config) { c.Limits.Message = 64 << 10 })
		st, err := x.to(y).NewStream(within(b), sinkID, nil)
		require.NoError(b, err)
		for _, n := range []int{10, 65 << 10, 10} {
			st.Requests <- make([]byte, n)
		}
		close(st.Requests)
		var all []Response
		for r := range st.Responses {
			all = append(all, r)
		}
		require.Len(b, all, 1)
		require.ErrorIs(b, all[0].Err, ErrTooLarge)
	})
}

// A sender that waits for room in the queue waits no longer than its context, or its stream.
func TestStream_that_ends_wakes_who_waits_for_room_in_the_queue(t *testing.T) {
	for _, atServer := range []bool{false, true} {
		inBubble(t, func(b *bubble) {
			x, y := b.pair(func(c *Config) { c.Limits.SendQueue = 1 << 10 })
			outcome := make(chan error, 1)
			require.NoError(b, y.HandleStream(firstFree, func(ctx context.Context, s *ServerStream) error {
				if _, err := s.Recv(ctx); err != nil {
					return err
				}
				err := s.Send(ctx, make([]byte, 100))
				outcome <- err
				return err
			}, InCapacity(1)))
			ctx, cancel := context.WithCancel(context.Background())
			st, err := x.to(y).OpenStream(ctx, firstFree, nil)
			require.NoError(b, err)
			_, err = st.Accepted(ctx)
			require.NoError(b, err)
			from, to := x, y
			if atServer {
				from, to = y, x
			}
			b.net.Set(from.Self(), to.Self(), gridtest.Faults{Path: gridtest.Stalled, Buffer: 1 << 10})
			for range 20 {
				go func() { _, _ = from.to(to).Request(within(b), echoID, make([]byte, 10<<10)) }()
			}
			synctest.Wait()
			if atServer {
				require.NoError(b, st.Send(ctx, nil))
			} else {
				go func() { outcome <- st.Send(ctx, make([]byte, 100)) }()
			}
			synctest.Wait()
			require.Empty(b, outcome)
			cancel()
			synctest.Wait()
			require.Len(b, outcome, 1)
			require.ErrorIs(b, <-outcome, ErrCanceled)
		})
	}
}

// The handler's time may be over before the stream was accepted.
func TestStream_whose_handler_has_no_time_ends_alone(t *testing.T) {
	a, b := tcpPair(t, nil)
	require.NoError(t, b.HandleStream(firstFree, func(context.Context, *ServerStream) error { return nil }, Timeout(1)))
	for range 1000 {
		st, err := a.to(b).OpenStream(within(t), firstFree, nil)
		require.NoError(t, err)
		if _, err = st.Recv(within(t)); !errors.Is(err, io.EOF) {
			require.ErrorIs(t, err, ErrDeadlineExceeded)
		}
	}
}

// What is wrong with the use of one stream must not end the connection, and so all others.
func TestStream_that_is_used_wrongly_ends_no_other(t *testing.T) {
	inBubble(t, func(b *bubble) {
		x, y := b.pair(func(c *Config) { c.Limits.SendQueue = 1 << 10 })
		hung := make(chan error, 1)
		go func() {
			_, err := x.to(y).Request(within(b), hangID, nil)
			hung <- err
		}()
		synctest.Wait()
		path := func(p gridtest.Path) { b.net.Set("a", "b", gridtest.Faults{Path: p, Buffer: 1 << 10}) }
		open := func() *ClientStream {
			st, err := x.to(y).OpenStream(within(b), sinkID, nil)
			require.NoError(b, err)
			_, err = st.Accepted(within(b))
			require.NoError(b, err)
			return st
		}
		sends := func(st *ClientStream, n int) chan error {
			outcome := make(chan error, 1)
			go func() { outcome <- st.Send(within(b), make([]byte, n)) }()
			synctest.Wait()
			return outcome
		}

		// CloseSend while another goroutine waits for room in the queue.
		st := open()
		path(gridtest.Stalled)
		for range 20 {
			go func() { _, _ = x.to(y).Request(within(b), echoID, make([]byte, 10<<10)) }()
		}
		synctest.Wait()
		outcome := sends(st, 100)
		require.NoError(b, st.CloseSend())
		require.ErrorIs(b, <-outcome, ErrInvalidMessage)
		path(gridtest.Open)
		_, err := st.Recv(within(b))
		require.NoError(b, err)

		// Two goroutines that send.
		for _, n := range []int{100, 40 << 10} {
			st = open()
			path(gridtest.Stalled)
			first := sends(st, 200<<10)
			second := sends(st, n)
			path(gridtest.Open)
			require.NoError(b, <-first)
			require.ErrorIs(b, <-second, ErrInvalidMessage)
			require.NoError(b, st.CloseSend())
			_, err = st.Recv(within(b))
			require.NoError(b, err)
		}
		synctest.Wait()
		require.Empty(b, hung)
	})
}
