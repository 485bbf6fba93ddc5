package grid

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
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
