package grid

import (
	"context"
	"errors"
	"io"
)

// NewStream begins a streaming request and waits until the handler has been
// found. The channels of the stream are served by a goroutine for each direction that it
// has. If ctx ends while as many responses wait in the channel as it holds, its error takes the place of the
// oldest of them, so that nothing has to wait for a reader: who reads on then misses a response before the
// error. The Recv of OpenStream loses none.
func (c *Connection) NewStream(ctx context.Context, h HandlerID, payload []byte, opts ...CallOption) (*Stream, error) {
	st, err := c.OpenStream(ctx, h, payload, opts...)
	if err != nil {
		return nil, err
	}
	capacity, err := st.Accepted(ctx)
	if err != nil {
		st.Cancel(nil)
		return nil, err
	}
	responses := make(chan Response, 8)
	go st.pumpOut(ctx, responses)
	out := &Stream{Responses: responses}
	if capacity > 0 {
		requests := make(chan []byte)
		out.Requests = requests
		go st.pumpIn(ctx, requests)
	}
	return out, nil
}

// pumpOut hands out what is received, then the error if there is one, and closes the
// channel. Who does not read any more has to end the context.
func (st *ClientStream) pumpOut(ctx context.Context, out chan Response) {
	defer close(out)
	for {
		b, err := st.Recv(ctx)
		r := Response{Msg: b.Bytes()} // left to the garbage collector with its reader
		if err != nil {
			if errors.Is(err, io.EOF) {
				return
			}
			r = Response{Err: err}
		}
		select {
		case out <- r:
		case <-ctx.Done():
			if err == nil {
				r = Response{Err: st.core.s.c.ended(ctx, MaybeExecuted)}
			}
			lastWord(out, r)
			return
		}
		if err != nil {
			return
		}
	}
}

// lastWord puts r into the channel, in place of the oldest message if it is full: who
// ended the context may not be reading any more.
func lastWord(out chan Response, r Response) {
	for {
		select {
		case out <- r:
			return
		default:
		}
		select {
		case <-out:
		default:
		}
	}
}

// pumpIn sends what comes, until the channel is closed, or the context ends.
func (st *ClientStream) pumpIn(ctx context.Context, in <-chan []byte) {
	var ended bool
	for {
		select {
		case b, more := <-in:
			if !more {
				_ = st.CloseSend()
				return
			}
			if ended {
				continue // what comes is dropped
			}
			if err := st.Send(ctx, b); err != nil {
				ended = true
				st.cannotSend(err)
			}
		case <-ctx.Done():
			return
		}
	}
}

// cannotSend ends a stream that would go on without one of its messages.
func (st *ClientStream) cannotSend(err error) {
	if e := (*Error)(nil); errors.As(err, &e) && e.Code == TooLarge {
		st.giveUp(TooLarge, st.core.s.c.fail(TooLarge, MaybeExecuted, e.Message))
	}
}
