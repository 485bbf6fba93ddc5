package grid

import (
	"bytes"
	"context"
	"errors"
	"io"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// sendsLarge sends n messages of 40 KiB that are made of the byte b alone, in memory that is used again as soon
// as Send has returned. It returns how often another sender stood in the way.
func sendsLarge(ctx context.Context, send func(context.Context, []byte) error, b byte, n int) (refused int64, err error) {
	p := make([]byte, 40<<10)
	for range n {
		fill(p, b)
		err := send(ctx, p)
		for errors.Is(err, ErrInvalidMessage) {
			refused++
			runtime.Gosched()
			err = send(ctx, p)
		}
		fill(p, '!')
		if err != nil {
			return refused, err
		}
	}
	return refused, nil
}

func fill(p []byte, b byte) {
	for i := range p {
		p[i] = b
	}
}

// pure reports whether a message is of one sender.
func pure(p []byte) bool {
	return len(p) == 40<<10 && p[0] != '!' && bytes.Count(p, p[:1]) == len(p)
}

// receivesPure takes messages until the end, and returns how many.
func receivesPure(t assert.TestingT, recv func() (Buf, error)) (n int64) {
	for {
		b, err := recv()
		if err != nil {
			assert.ErrorIs(t, err, io.EOF)
			return n
		}
		assert.True(t, pure(b.Bytes()), "a message that another has spoilt")
		b.Release()
		n++
	}
}

// Two that send on one stream at once are not what a stream is for. They may get errors, but what was sent was
// sent, none waits for what is another's, and memory that Send has returned is not used any more.
func TestStream_of_several_senders_spoils_no_message_and_leaves_none_waiting(t *testing.T) {
	const senders, each = 4, 60
	several := func(ctx context.Context, send func(context.Context, []byte) error) (refused int64) {
		var sum atomic.Int64
		var all sync.WaitGroup
		for i := range senders {
			all.Go(func() {
				n, err := sendsLarge(ctx, send, byte('a'+i), each)
				assert.NoError(t, err)
				sum.Add(n)
			})
		}
		all.Wait()
		return sum.Load()
	}
	a, b := tcpPair(t, nil)
	received := make(chan int64, 1)
	require.NoError(t, b.HandleStream(firstFree, func(ctx context.Context, s *ServerStream) error {
		received <- receivesPure(t, func() (Buf, error) { return s.Recv(ctx) })
		several(ctx, s.Send)
		return nil
	}, InCapacity(16)))
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	s, err := a.to(b).OpenStream(ctx, firstFree, nil)
	require.NoError(t, err)
	assert.Positive(t, several(ctx, s.Send), "they were in each other's way")
	require.NoError(t, s.CloseSend())
	assert.EqualValues(t, senders*each, <-received, "the caller's")
	n := receivesPure(t, func() (Buf, error) { return s.Recv(ctx) })
	assert.EqualValues(t, senders*each, n, "the handler's")
}
