package grid

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func within(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}

func TestRequest_gets_the_answer_of_the_handler_at_either_side(t *testing.T) {
	a, b := tcpPair(t, nil)
	for _, c := range []*Connection{a.to(b), b.to(a)} {
		for _, id := range []HandlerID{echoID, inlineEchoID} {
			for _, size := range []int{0, 1, 512, 16 << 10, 16<<10 + 1, 64 << 10, 64<<10 + 1, 300_000, 1 << 20} {
				req := bytes.Repeat([]byte("0123456789"), size/10+1)[:size]
				got, err := c.Request(within(t), id, req)
				require.NoError(t, err, size)
				require.True(t, bytes.Equal(req, got), size)
				buf, err := c.Do(within(t), id, req)
				require.NoError(t, err, size)
				require.True(t, bytes.Equal(req, buf.Bytes()), size)
				buf.Release()
			}
		}
	}
}

func TestRequest_gets_the_error_of_the_handler(t *testing.T) {
	a, b := tcpPair(t, nil)
	for _, text := range []string{"no such thing", strings.Repeat("x", 1024)} {
		_, err := a.to(b).Request(within(t), failID, []byte(text))
		var e *Error
		require.ErrorAs(t, err, &e)
		assert.Equal(t, Application, e.Code)
		assert.Equal(t, text, e.Message)
		assert.True(t, e.Remote)
		assert.Equal(t, "b", e.Peer)
		assert.Equal(t, MaybeExecuted, e.Sent)
	}
	_, err := a.to(b).Request(within(t), 999, nil)
	require.ErrorIs(t, err, ErrUnknownHandler)
	_, err = a.to(b).Request(within(t), countID, nil)
	require.ErrorIs(t, err, ErrUnknownHandler)
	_, err = a.to(b).Request(within(t), panicID, nil)
	require.ErrorIs(t, err, ErrInternal)
	assert.NotContains(t, err.Error(), "secret")
}

func TestRequests_of_many_callers_do_not_mix(t *testing.T) {
	a, b := tcpPair(t, nil)
	var wg sync.WaitGroup
	for i := range 34 {
		wg.Go(func() {
			c := a.to(b)
			if i%2 == 0 {
				c = b.to(a)
			}
			req := bytes.Repeat([]byte{byte(i)}, 1<<(i%17))
			for range 20 {
				got, err := c.Request(context.Background(), echoID, req)
				if err != nil || !bytes.Equal(got, req) {
					assert.Fail(t, "another answer", "%v", err)
					return
				}
			}
		})
	}
	wg.Wait()
}

func TestRequest_returns_at_once_when_cancelled_and_the_handler_is_told(t *testing.T) {
	a, b := tcpPair(t, nil)
	causes := make(chan error, 1)
	started := make(chan struct{}, 1)
	require.NoError(t, b.HandleSingle(firstFree, func(ctx context.Context, c *Call) ([]byte, error) {
		started <- struct{}{}
		<-ctx.Done()
		causes <- context.Cause(ctx)
		return nil, ctx.Err()
	}))
	ctx, cancel := context.WithCancelCause(context.Background())
	go func() {
		<-started
		cancel(errOfHandler)
	}()
	_, err := a.to(b).Request(ctx, firstFree, nil)
	require.ErrorIs(t, err, context.Canceled)
	require.ErrorIs(t, err, ErrCanceled)
	require.ErrorIs(t, err, errOfHandler)
	var e *Error
	require.True(t, errors.As(err, &e))
	assert.Equal(t, MaybeExecuted, e.Sent)
	assert.ErrorIs(t, <-causes, ErrCanceled)
}
