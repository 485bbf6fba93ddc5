package grid

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What an error is can be asked without looking at its words, and so can which side has said it.
func TestError_says_what_it_is_and_which_side_has_said_it(t *testing.T) {
	inBubble(t, func(b *bubble) {
		x, y := b.pair(nil)
		for i, err := range []error{ErrDisconnected, fmt.Errorf("of another: %w", ErrDisconnected), y.Connection("a").notConnected()} {
			require.NoError(b, y.HandleSingle(firstFree+HandlerID(i), func(context.Context, *Call) ([]byte, error) { return nil, err }))
		}
		ask := func(id HandlerID, want *Error, remote bool) {
			b.Helper()
			_, err := x.to(y).Request(within(b), id, []byte("words"))
			var e *Error
			require.ErrorAs(b, err, &e)
			assert.ErrorIs(b, err, want)
			assert.Equal(b, want.Code, e.Code)
			assert.Equal(b, remote, e.Remote)
			assert.Equal(b, "b", e.Peer)
			for _, other := range []error{ErrCanceled, ErrDeadlineExceeded, ErrDisconnected, ErrDraining, ErrUnknownHandler, ErrOverloaded, ErrInternal} {
				assert.Equal(b, other == error(want), errors.Is(err, other), "%v is %v", err, other)
			}
			if want != ErrUnknownHandler {
				return
			}
			st, err := x.to(y).OpenStream(within(b), id, nil)
			require.NoError(b, err)
			_, err = st.Recv(within(b))
			require.ErrorAs(b, err, &e)
			assert.ErrorIs(b, err, ErrUnknownHandler)
			assert.True(b, e.Remote)
			assert.Equal(b, NotSent, e.Sent)
		}
		ask(999, ErrUnknownHandler, true)
		for i := range HandlerID(3) {
			ask(firstFree+i, ErrDisconnected, true) // of the handler, not of the connection
		}
		ask(panicID, ErrInternal, true)
		hung := hang(x.to(y))
		synctest.Wait()
		b.net.Reset("a", "b")
		var e *Error
		require.ErrorAs(b, <-hung, &e)
		assert.Equal(b, Disconnected, e.Code)
		assert.False(b, e.Remote, "nobody has said that")
		ready(b, x, y)
		x.stop()
		ask(echoID, ErrDisconnected, false)
	})
}

// Buffers are overwritten when they are given back, in tests. What an error says is no part of one.
func TestError_keeps_its_words_while_others_come(t *testing.T) {
	a, b := tcpPair(t, nil)
	words, details := bytes.Repeat([]byte("words "), 50), bytes.Repeat([]byte("details "), 50)
	require.NoError(t, b.HandleSingle(firstFree, func(_ context.Context, c *Call) ([]byte, error) {
		return nil, &Error{Code: Application, Message: string(c.Payload()), Details: details}
	}))
	require.NoError(t, b.HandleStream(firstFree+1, func(_ context.Context, s *ServerStream) error {
		return &Error{Code: Application, Message: string(s.Payload()), Details: details}
	}))
	var all []*Error
	for range 10 {
		_, err := a.to(b).Request(within(t), firstFree, words)
		var e *Error
		require.ErrorAs(t, err, &e)
		all = append(all, e)
		st, err := a.to(b).OpenStream(within(t), firstFree+1, words)
		require.NoError(t, err)
		_, err = st.Recv(within(t))
		require.ErrorAs(t, err, &e)
		all = append(all, e)
		for range 20 {
			_, err = a.to(b).Request(within(t), failID, bytes.Repeat([]byte("x"), 700))
			require.Error(t, err)
		}
	}
	for _, e := range all {
		require.Equal(t, string(words), e.Message)
		require.Equal(t, string(details), string(e.Details))
	}
}

// What goes with one request is not found on the next.
func TestRequest_bears_nothing_of_the_one_before_it(t *testing.T) {
	type key struct{}
	inBubble(t, func(b *bubble) {
		x, y := b.pair(func(c *Config) {
			c.Trace = func(ctx context.Context) (TraceContext, bool) {
				trace, ok := ctx.Value(key{}).(TraceContext)
				return trace, ok
			}
		})
		seen := func(ctx context.Context, in *incoming, sub string) []byte {
			_, deadline := ctx.Deadline()
			_, traced := in.Trace()
			return fmt.Appendf(nil, "%q %v %v", sub, deadline, traced)
		}
		executed := 0
		for _, opts := range [][]HandlerOption{nil, {Subroute("sub")}} {
			sub := ""
			if opts != nil {
				sub = "sub"
			}
			require.NoError(b, y.HandleSingle(firstFree, func(ctx context.Context, c *Call) ([]byte, error) {
				executed++
				return seen(ctx, &c.incoming, sub), nil
			}, append(opts, Dedupe(10, time.Hour))...))
			require.NoError(b, y.HandleStream(firstFree+1, func(ctx context.Context, s *ServerStream) error {
				return s.Send(ctx, seen(ctx, &s.incoming, sub))
			}, opts...))
		}
		bare := context.Background()
		laden, cancel := context.WithTimeout(context.WithValue(bare, key{}, TraceContext{1}), time.Hour)
		defer cancel()
		idempotency := NewIdempotencyKey()
		for range 3 {
			for _, c := range []struct {
				ctx  context.Context
				opts []CallOption
				want string
			}{
				{laden, []CallOption{Subroute("sub"), idempotency}, `"sub" true true`},
				{bare, nil, `"" false false`},
			} {
				got, err := x.to(y).Request(c.ctx, firstFree, nil, c.opts...)
				require.NoError(b, err)
				require.Equal(b, c.want, string(got))
				st, err := x.to(y).OpenStream(c.ctx, firstFree+1, nil, c.opts...)
				require.NoError(b, err)
				m, err := st.Recv(bare)
				require.NoError(b, err)
				require.Equal(b, c.want, string(m.Bytes()))
			}
		}
		require.Equal(b, 1+3, executed, "the one with a key once, the others each time")
	})
}
