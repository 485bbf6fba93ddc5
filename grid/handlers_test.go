package grid

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
)

var errOfHandler = errors.New("as the handler was asked to")

func handlers(t testing.TB, m *Manager) {
	t.Helper()
	echo := func(_ context.Context, c *Call) ([]byte, error) { return c.Payload(), nil }
	require.NoError(t, m.HandleSingle(echoID, echo, MaxConcurrent(4096), Name("echo")))
	require.NoError(t, m.HandleSingle(inlineEchoID, echo, Inline(), MaxConcurrent(4096)))
	require.NoError(t, m.HandleSingle(failID, func(_ context.Context, c *Call) ([]byte, error) {
		return nil, errors.New(string(c.Payload()))
	}))
	require.NoError(t, m.HandleSingle(hangID, func(ctx context.Context, _ *Call) ([]byte, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	}, Name("hang")))
	require.NoError(t, m.HandleSingle(panicID, func(context.Context, *Call) ([]byte, error) { panic("secret") }))
	require.NoError(t, m.HandleStream(pingPongID, func(ctx context.Context, s *ServerStream) error {
		for {
			b, err := s.Recv(ctx)
			if errors.Is(err, io.EOF) {
				return nil
			}
			if err != nil {
				return err
			}
			if err := s.Send(ctx, b.Bytes()); err != nil {
				return err
			}
			b.Release()
		}
	}, InCapacity(16), OutCapacity(16), MaxConcurrent(4096)))
	require.NoError(t, m.HandleStream(countID, func(ctx context.Context, s *ServerStream) error {
		n, err := strconv.Atoi(string(s.Payload()))
		if err != nil {
			return err
		}
		for i := range n {
			if err := s.Send(ctx, []byte(strconv.Itoa(i))); err != nil {
				return err
			}
		}
		return nil
	}, MaxConcurrent(4096)))
	require.NoError(t, m.HandleStream(sinkID, func(ctx context.Context, s *ServerStream) error {
		var total uint64
		for {
			b, err := s.Recv(ctx)
			if errors.Is(err, io.EOF) {
				return s.Send(ctx, binary.BigEndian.AppendUint64(nil, total))
			}
			if err != nil {
				return err
			}
			total += uint64(len(b.Bytes()))
			b.Release()
		}
	}, InCapacity(16)))
}

type panickingError struct{}

func (*panickingError) Error() string { panic("asked") }

// A handler that returns a nil pointer for an error has returned an error, and that panics when it is used.
func TestHandler_whose_error_panics_is_an_internal_error(t *testing.T) {
	a, b := tcpPair(t, nil)
	var none *Error
	for i, err := range []error{none, &panickingError{}} {
		id := firstFree + 2*HandlerID(i)
		require.NoError(t, b.HandleSingle(id, func(context.Context, *Call) ([]byte, error) { return nil, err }, Dedupe(1, 1)))
		require.NoError(t, b.HandleStream(id+1, func(context.Context, *ServerStream) error { return err }))
		_, got := a.to(b).Request(within(t), id, nil, NewIdempotencyKey())
		require.ErrorIs(t, got, ErrInternal)
		st, err := a.to(b).OpenStream(within(t), id+1, nil)
		require.NoError(t, err)
		_, got = st.Recv(within(t))
		require.ErrorIs(t, got, ErrInternal)
	}
}

// An inline handler that ends its goroutine ends the connection, whose goroutine that is, and nothing else.
func TestInline_handler_that_ends_its_goroutine_ends_the_connection(t *testing.T) {
	inBubble(t, func(b *bubble) {
		x, y := b.pair(nil)
		require.NoError(b, y.HandleSingle(firstFree, func(context.Context, *Call) ([]byte, error) {
			runtime.Goexit()
			return nil, nil
		}, Inline()))
		_, err := x.to(y).Request(context.Background(), firstFree, nil)
		require.Error(b, err)
		_, err = x.to(y).Request(within(b), echoID, nil, Retry(5))
		if err != nil { // it was on its way when the connection ended
			require.ErrorIs(b, err, ErrDisconnected)
			_, err = x.to(y).Request(within(b), echoID, nil, Retry(5))
		}
		require.NoError(b, err)
	})
}

var (
	errMissing     = errors.New("missing")
	errMissingFile = fmt.Errorf("of files: %w", errMissing)
	errMissingName = fmt.Errorf("of names: %w", errMissing)
)

// Of two registered errors, one of which is the other, the caller gets the one that the handler has returned.
func TestRegisterError_of_an_error_that_wraps_another_keeps_both(t *testing.T) {
	RegisterError(40_001, errMissingName)
	RegisterError(40_002, errMissing)
	RegisterError(40_003, errMissingFile)
	a, b := tcpPair(t, nil)
	for i, err := range []error{errMissingName, errMissing, errMissingFile} {
		id := firstFree + HandlerID(i)
		require.NoError(t, b.HandleSingle(id, func(context.Context, *Call) ([]byte, error) { return nil, err }))
		for range 20 {
			_, got := a.to(b).Request(within(t), id, nil)
			require.ErrorIs(t, got, err)
			require.ErrorIs(t, got, errMissing)
		}
	}
}

func TestContextWithTrace_that_panics_is_an_internal_error(t *testing.T) {
	a, b := tcpPair(t, func(c *Config) {
		c.Trace = func(context.Context) (TraceContext, bool) { return TraceContext{}, true }
		c.ContextWithTrace = func(context.Context, TraceContext) context.Context { panic("secret") }
	})
	_, err := a.to(b).Request(within(t), echoID, nil)
	require.ErrorIs(t, err, ErrInternal)
	_, err = a.to(b).Request(within(t), inlineEchoID, nil)
	require.ErrorIs(t, err, ErrInternal)
}
