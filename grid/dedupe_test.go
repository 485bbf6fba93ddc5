package grid

import (
	"context"
	"errors"
	"strconv"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom/grid/gridtest"
)

func TestDedupe_executes_a_repeated_request_once(t *testing.T) {
	inBubble(t, func(b *bubble) {
		x, y := b.pair(nil)
		var executed atomic.Int64
		require.NoError(b, y.HandleSingle(firstFree, func(ctx context.Context, c *Call) ([]byte, error) {
			n := executed.Add(1)
			switch string(c.Payload()) {
			case "slow":
				time.Sleep(time.Second)
			case "fails":
				return nil, errOfHandler
			case "heeds":
				select {
				case <-ctx.Done():
					return nil, ctx.Err()
				case <-time.After(time.Second):
				}
			}
			return strconv.AppendInt(nil, n, 10), nil
		}, Dedupe(4, time.Minute)))
		ask := func(payload string, opts ...CallOption) (string, error) {
			got, err := x.to(y).Request(context.Background(), firstFree, []byte(payload), opts...)
			return string(got), err
		}
		key := NewIdempotencyKey()
		for range 3 {
			got, err := ask("", key)
			require.NoError(b, err)
			require.Equal(b, "1", got)
		}
		got, err := ask("")
		require.NoError(b, err)
		require.Equal(b, "2", got, "without a key it is another request")
		failing := NewIdempotencyKey()
		for range 2 {
			_, err = ask("fails", failing)
			require.ErrorContains(b, err, errOfHandler.Error())
		}
		require.Equal(b, int64(3), executed.Load())

		// The connection is lost while it runs: the repetition waits for the answer of the first.
		slow := NewIdempotencyKey()
		time.AfterFunc(500*time.Millisecond, func() { b.net.Reset("a", "b") })
		got, err = ask("slow", slow, Retry(5))
		require.NoError(b, err)
		require.Equal(b, "4", got)
		// A handler that heeds its end has not done it.
		time.Sleep(20 * time.Second)
		time.AfterFunc(500*time.Millisecond, func() { b.net.Reset("a", "b") })
		got, err = ask("heeds", NewIdempotencyKey(), Retry(5))
		require.NoError(b, err)
		require.Equal(b, "6", got)

		// After its time, and when there are too many, it is forgotten.
		time.Sleep(time.Minute)
		got, err = ask("", key)
		require.NoError(b, err)
		require.Equal(b, "7", got)
		for range 4 {
			_, err = ask("", NewIdempotencyKey())
			require.NoError(b, err)
		}
		got, err = ask("", key)
		require.NoError(b, err)
		require.Equal(b, "12", got)
		m := y.handlers.find(firstFree, false, 0).memory
		m.mu.Lock()
		defer m.mu.Unlock()
		require.Len(b, m.of["a"].known, 4)
		require.Len(b, m.of["a"].order, 4)
	})
}

func TestDedupe_lets_a_repetition_run_when_the_first_never_did(t *testing.T) {
	inBubble(t, func(b *bubble) {
		x, y := b.pair(nil)
		release := make(chan struct{})
		require.NoError(b, y.HandleSingle(firstFree, func(_ context.Context, c *Call) ([]byte, error) {
			<-release
			return append([]byte(nil), c.Payload()...), nil
		}, Dedupe(10, time.Minute), MaxConcurrent(1), MaxWaiting(1)))
		go func() { _, _ = x.to(y).Request(context.Background(), firstFree, []byte("blocks")) }()
		synctest.Wait()
		key := NewIdempotencyKey()
		ctx, cancel := context.WithCancel(context.Background())
		first, second := make(chan error, 1), make(chan string, 1)
		go func() {
			_, err := x.to(y).Request(ctx, firstFree, []byte("first"), key)
			first <- err
		}()
		synctest.Wait()
		go func() {
			got, err := x.to(y).Request(context.Background(), firstFree, []byte("second"), key)
			require.NoError(b, err)
			second <- string(got)
		}()
		synctest.Wait()
		cancel()
		require.ErrorIs(b, <-first, context.Canceled)
		synctest.Wait()
		close(release)
		require.Equal(b, "second", <-second)
	})
}

func TestRetry_repeats_what_was_not_sent(t *testing.T) {
	inBubble(t, func(b *bubble) {
		x, y := b.pair(nil)
		b.kill(y, gridtest.WithReset)
		synctest.Wait()
		time.AfterFunc(10*time.Second, func() { b.start("b", nil) })
		_, err := x.Connection("b").Request(context.Background(), echoID, nil)
		require.ErrorIs(b, err, ErrDisconnected)
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		_, err = x.Connection("b").Request(ctx, echoID, nil, Retry(1))
		require.NoError(b, err)
		// What may have been executed is not repeated without a key.
		time.AfterFunc(time.Second, func() { b.net.Reset("a", "b") })
		_, err = x.Connection("b").Request(context.Background(), hangID, nil, Retry(5))
		require.ErrorIs(b, err, ErrDisconnected)
		// Nor is what the handler has said.
		_, err = x.Connection("b").Request(ctx, failID, []byte("no"), Retry(5), WaitForReady())
		var e *Error
		require.True(b, errors.As(err, &e))
		require.Equal(b, Application, e.Code)
	})
}
