package grid

import (
	"context"
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom/grid/gridtest"
)

// promptly runs f, which must not have to wait for anything.
func promptly(b *bubble, what string, f func() error) error {
	b.Helper()
	out := make(chan error, 1)
	go func() { out <- f() }()
	synctest.Wait()
	select {
	case err := <-out:
		return err
	default:
		b.Fatalf("%s waits, after the end", what)
		return nil
	}
}

// streamEnds are the ways in which a stream ends, as its caller sees it: what brings the end about, and what it is.
var streamEnds = map[string]struct {
	end  func(b *bubble, st *ClientStream, stopCaller, stopHandler func())
	want error
}{
	"well":         {func(_ *bubble, _ *ClientStream, _, stopHandler func()) { stopHandler() }, io.EOF},
	"canceled":     {func(_ *bubble, st *ClientStream, _, _ func()) { st.Cancel(errOfHandler) }, errOfHandler},
	"context":      {func(_ *bubble, _ *ClientStream, stopCaller, _ func()) { stopCaller() }, context.Canceled},
	"disconnected": {func(b *bubble, _ *ClientStream, _, _ func()) { b.net.Reset("a", "b") }, ErrDisconnected},
	"timeout":      {func(*bubble, *ClientStream, func(), func()) { time.Sleep(time.Hour) }, ErrDeadlineExceeded},
}

func TestStream_says_again_that_it_has_ended(t *testing.T) {
	for name, c := range streamEnds {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(b *bubble) {
				x, y := b.pair(nil)
				handler := make(chan error, 3)
				stop := make(chan struct{})
				require.NoError(b, y.HandleStream(firstFree, func(ctx context.Context, st *ServerStream) error {
					for range 3 { // two at once: one of them does not take the end away from the other
						go func() {
							_, err := st.Recv(ctx)
							handler <- err
						}()
					}
					select {
					case <-ctx.Done():
					case <-stop:
					}
					return nil
				}, InCapacity(2), Timeout(time.Hour)))
				ctx, cancel := context.WithCancel(context.Background())
				defer cancel()
				st, err := x.to(y).OpenStream(ctx, firstFree, nil)
				require.NoError(b, err)
				_, err = st.Accepted(within(b))
				require.NoError(b, err)
				// There is no credit left, so that Send has to wait, too.
				require.NoError(b, st.Send(context.Background(), []byte{1}))
				require.NoError(b, st.Send(context.Background(), []byte{1}))
				recv := func(ctx context.Context) error {
					_, err := st.Recv(ctx)
					return err
				}
				waiting := make(chan error, 6)
				for range 3 {
					go func() { waiting <- recv(context.Background()) }()
				}
				synctest.Wait()
				c.end(b, st, cancel, func() { close(stop) })
				synctest.Wait()
				require.Len(b, waiting, 3, "those that waited when the stream ended")
				for range 3 {
					require.ErrorIs(b, <-waiting, c.want)
				}
				for range 3 {
					for _, ctx := range []context.Context{ctx, context.Background()} {
						require.ErrorIs(b, promptly(b, "Recv", func() error { return recv(ctx) }), c.want)
						require.ErrorIs(b, promptly(b, "Send", func() error { return st.Send(ctx, nil) }), c.want)
						require.ErrorIs(b, promptly(b, "a large Send", func() error { return st.Send(ctx, make([]byte, 100_000)) }), c.want)
					}
				}
				require.NoError(b, promptly(b, "CloseSend", st.CloseSend))
				synctest.Wait()
				require.Len(b, handler, 3)
			})
		})
	}
}

// Those that wait to send learn of the end, too: for credit, for room in the queue, and for a large message to be sent.
func TestStream_end_wakes_all_who_send(t *testing.T) {
	for name, size := range map[string]int{"small": 1, "large": 100_000} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(b *bubble) {
				x, y := b.pair(nil)
				ended := make(chan error, 5)
				require.NoError(b, y.HandleStream(firstFree, func(ctx context.Context, st *ServerStream) error {
					<-ctx.Done()
					ctx = context.WithoutCancel(ctx)
					for range 3 {
						if err := st.Send(ctx, nil); err == nil || errors.Is(err, io.EOF) {
							return errors.New("a message was sent after the end")
						}
					}
					_, err := st.Recv(ctx)
					if err == nil { // the message that was here before the end
						_, err = st.Recv(ctx)
					}
					ended <- err
					_, err = st.Recv(ctx)
					ended <- err
					return nil
				}, InCapacity(1)))
				st, err := x.to(y).OpenStream(context.Background(), firstFree, nil)
				require.NoError(b, err)
				_, err = st.Accepted(within(b))
				require.NoError(b, err)
				require.NoError(b, st.Send(context.Background(), nil))
				waiting := make(chan error, 4)
				for range 4 {
					go func() { waiting <- st.Send(context.Background(), make([]byte, size)) }()
				}
				synctest.Wait()
				st.Cancel(errOfHandler)
				synctest.Wait()
				require.Len(b, waiting, 4)
				for range 4 {
					require.ErrorIs(b, <-waiting, errOfHandler)
				}
				synctest.Wait()
				require.Len(b, ended, 2)
				for range 2 {
					require.ErrorIs(b, <-ended, ErrCanceled)
				}
			})
		})
	}
}

// Who waits for room in the queue of the session learns of the end as well.
func TestStream_end_wakes_all_who_wait_for_the_queue(t *testing.T) {
	inBubble(t, func(b *bubble) {
		x, y := b.pair(func(c *Config) { c.Limits.SendQueue = 1000 })
		st, err := x.to(y).OpenStream(context.Background(), pingPongID, nil)
		require.NoError(b, err)
		_, err = st.Accepted(within(b))
		require.NoError(b, err)
		b.net.Set("a", "b", gridtest.Faults{Path: gridtest.Stalled, Buffer: 100})
		waiting := make(chan error, 8)
		for range cap(waiting) {
			go func() { waiting <- st.Send(context.Background(), make([]byte, 1000)) }()
		}
		synctest.Wait()
		sent := len(waiting)
		require.Less(b, sent, cap(waiting)-2)
		st.Cancel(errOfHandler)
		synctest.Wait()
		require.Len(b, waiting, cap(waiting))
	})
}

// Credit for several messages that comes at once is for all who wait.
func TestStream_credit_wakes_all_for_whom_there_is_some(t *testing.T) {
	inBubble(t, func(b *bubble) {
		x, y := b.pair(nil)
		more := make(chan int)
		require.NoError(b, y.HandleStream(firstFree, func(ctx context.Context, st *ServerStream) error {
			for n := range more {
				for range n {
					m, err := st.Recv(ctx)
					if err != nil {
						return err
					}
					m.Release()
				}
			}
			return nil
		}, InCapacity(6)))
		st, err := x.to(y).OpenStream(context.Background(), firstFree, nil)
		require.NoError(b, err)
		_, err = st.Accepted(within(b))
		require.NoError(b, err)
		for range 6 {
			require.NoError(b, st.Send(within(b), nil))
		}
		sent := make(chan error, 3)
		for range cap(sent) {
			go func() { sent <- st.Send(context.Background(), nil) }()
		}
		synctest.Wait()
		require.Empty(b, sent)
		more <- 3 // half of the capacity, for which credit is given at once
		synctest.Wait()
		require.Len(b, sent, 3)
		close(more)
		st.Cancel(nil)
	})
}
