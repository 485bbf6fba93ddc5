package grid

import (
	"context"
	"errors"
	"io"
	"iter"
	"reflect"
	"sync/atomic"
)

// DefaultInCapacity is how many messages may be on their way to a handler that
// [StreamRoute.Register] registers, if no InCapacity is given and In is not struct{}.
const DefaultInCapacity = 16

// StreamRoute is a streaming request that begins with a Payload, takes messages of
// type In, and answers with messages of type Out. Both sides make the same one.
type StreamRoute[Payload, In, Out any] struct {
	id    HandlerID
	sub   string
	calls []CallOption
	err   error

	payload Codec[Payload]
	in      Codec[In]
	out     Codec[Out]
	ins     *Pool[In]
	outs    *Pool[Out]
	oneWay  bool
}

// Streaming describes streaming requests with typed values; see [Single] for how the form of
// a type is chosen. In is struct{} for streams that take no messages.
//
//	var walk = grid.Streaming[WalkReq, struct{}, Entry](HandlerWalk)
func Streaming[Payload, In, Out any](id HandlerID, opts ...TypedOption) *StreamRoute[Payload, In, Out] {
	o := collect(opts)
	r := &StreamRoute[Payload, In, Out]{id: id, ins: poolOf[In](o), outs: poolOf[Out](o)}
	r.oneWay = reflect.TypeFor[In]() == reflect.TypeFor[struct{}]()
	var errs [3]error
	r.payload, errs[0] = codecOf[Payload](o)
	r.in, errs[1] = codecOf[In](o)
	r.out, errs[2] = codecOf[Out](o)
	r.err = errors.Join(errs[:]...)
	return r
}

// Sub is the same with a subroute.
func (r *StreamRoute[Payload, In, Out]) Sub(name string) *StreamRoute[Payload, In, Out] {
	sub := *r
	sub.sub, sub.calls = name, []CallOption{Subroute(name)}
	return &sub
}

// Open begins a stream, see [Connection.OpenStream]. It ends with ctx.
func (r *StreamRoute[Payload, In, Out]) Open(ctx context.Context, conn *Connection, payload Payload, opts ...CallOption) (*TypedClientStream[In, Out], error) {
	b := getBytes()
	defer putBytes(b)
	if err := outgoing(conn, r.err, r.payload, b, payload); err != nil {
		return nil, err
	}
	s, err := conn.OpenStream(ctx, r.id, *b, withSub(r.calls, opts)...)
	if err != nil {
		return nil, err
	}
	return &TypedClientStream[In, Out]{stream: s, conn: conn, in: r.in, out: r.out, outs: r.outs}, nil
}

// All begins a stream, sends nothing on it, and gives its messages. An error is the last thing
// given. The stream ends when the loop does.
//
//	for entry, err := range walk.All(ctx, conn, req) {
func (r *StreamRoute[Payload, In, Out]) All(ctx context.Context, conn *Connection, payload Payload, opts ...CallOption) iter.Seq2[Out, error] {
	return func(yield func(Out, error) bool) {
		s, err := r.Open(ctx, conn, payload, opts...)
		if err == nil && !r.oneWay {
			err = s.CloseSend()
		}
		if err != nil {
			var none Out
			yield(none, err)
			return
		}
		for v, err := range s.All(ctx) {
			if !yield(v, err) {
				return
			}
		}
	}
}

// Register has fn serve the streams. The stream ends when fn returns. If a message could not be
// decoded, or what fn sent not encoded, the stream ends with that even if fn returns nil.
func (r *StreamRoute[Payload, In, Out]) Register(m *Manager, fn func(ctx context.Context, s *TypedServerStream[In, Out], payload Payload) error, opts ...HandlerOption) error {
	if r.err != nil {
		return r.err
	}
	var all []HandlerOption
	if !r.oneWay {
		all = append(all, InCapacity(DefaultInCapacity))
	}
	all = append(all, opts...)
	if r.sub != "" {
		all = append(all, Subroute(r.sub))
	}
	return m.HandleStream(r.id, func(ctx context.Context, s *ServerStream) error {
		var payload Payload
		if err := decode(r.payload, s.Payload(), &payload); err != nil {
			return &Error{Code: InvalidMessage, Message: "the payload: " + err.Error()}
		}
		typed := &TypedServerStream[In, Out]{ServerStream: s, in: r.in, out: r.out, ins: r.ins}
		err := fn(ctx, typed, payload)
		if bad := typed.bad.Load(); bad != nil && err == nil {
			return bad
		}
		return err
	}, all...)
}

// TypedClientStream is a [ClientStream] with typed messages.
type TypedClientStream[In, Out any] struct {
	stream *ClientStream
	conn   *Connection
	in     Codec[In]
	out    Codec[Out]
	outs   *Pool[Out]
	// bad is the message that could not be decoded, which ended the stream.
	bad atomic.Pointer[Error]
}

// Stream is the stream beneath.
func (s *TypedClientStream[In, Out]) Stream() *ClientStream { return s.stream }

// Send sends a message, see [ClientStream.Send]. What cannot be encoded is an error of
// code InvalidMessage, and the stream goes on without it.
func (s *TypedClientStream[In, Out]) Send(ctx context.Context, v In) error {
	b := getBytes()
	defer putBytes(b)
	if err := outgoing(s.conn, nil, s.in, b, v); err != nil {
		return err
	}
	return s.stream.Send(ctx, *b)
}

// SendAll sends what a sequence gives, and says then that nothing more is sent.
func (s *TypedClientStream[In, Out]) SendAll(ctx context.Context, all iter.Seq[In]) error {
	for v := range all {
		if err := s.Send(ctx, v); err != nil {
			return err
		}
	}
	return s.CloseSend()
}

// CloseSend says that nothing more is sent.
func (s *TypedClientStream[In, Out]) CloseSend() error { return s.stream.CloseSend() }

// Recv returns the next message, see [ClientStream.Recv]. One that cannot be
// decoded ends the stream with InvalidMessage.
func (s *TypedClientStream[In, Out]) Recv(ctx context.Context) (Out, error) {
	var v Out
	if s.outs != nil {
		v = s.outs.Get()
	}
	err := s.RecvInto(ctx, &v)
	return v, err
}

// RecvInto is Recv into a value that may be used again.
func (s *TypedClientStream[In, Out]) RecvInto(ctx context.Context, v *Out) error {
	if bad := s.bad.Load(); bad != nil {
		return bad
	}
	b, err := s.stream.Recv(ctx)
	if err != nil {
		return err
	}
	defer b.Release()
	if err := decode(s.out, b.Bytes(), v); err != nil {
		err := notUnderstood(s.conn, "a message", err)
		s.bad.Store(err)
		s.stream.Cancel(err)
		return err
	}
	return nil
}

// All gives the messages until the stream has ended; an error is the last thing given. A loop that
// is left earlier cancels the stream.
func (s *TypedClientStream[In, Out]) All(ctx context.Context) iter.Seq2[Out, error] {
	return func(yield func(Out, error) bool) {
		defer s.Cancel(nil)
		each(func() (Out, error) { return s.Recv(ctx) }, yield)
	}
}

// Cancel ends the stream on both sides, see [ClientStream.Cancel].
func (s *TypedClientStream[In, Out]) Cancel(cause error) { s.stream.Cancel(cause) }

// TypedServerStream is a [ServerStream] with typed messages.
type TypedServerStream[In, Out any] struct {
	*ServerStream
	in  Codec[In]
	out Codec[Out]
	ins *Pool[In]
	// bad is the first message that could not be decoded or encoded.
	bad atomic.Pointer[Error]
}

// Send sends a message, see [ServerStream.Send].
func (s *TypedServerStream[In, Out]) Send(ctx context.Context, v Out) error {
	b := getBytes()
	defer putBytes(b)
	var err error
	if *b, err = encode(s.out, *b, v); err != nil {
		return s.spoiled(&Error{Code: Internal, Message: "a message of the handler: " + err.Error(), cause: err})
	}
	return s.ServerStream.Send(ctx, *b)
}

// Recv returns the next message of the caller, and io.EOF after the last. One that cannot be
// decoded is an error of code InvalidMessage; so is what comes after it.
func (s *TypedServerStream[In, Out]) Recv(ctx context.Context) (In, error) {
	var v In
	if s.ins != nil {
		v = s.ins.Get()
	}
	err := s.RecvInto(ctx, &v)
	return v, err
}

// RecvInto is Recv into a value that may be used again.
func (s *TypedServerStream[In, Out]) RecvInto(ctx context.Context, v *In) error {
	if bad := s.bad.Load(); bad != nil {
		return bad
	}
	b, err := s.ServerStream.Recv(ctx)
	if err != nil {
		return err
	}
	defer b.Release()
	if err := decode(s.in, b.Bytes(), v); err != nil {
		return s.spoiled(&Error{Code: InvalidMessage, Message: "a message: " + err.Error(), cause: err})
	}
	return nil
}

// All gives the messages of the caller; an error is the last thing given.
func (s *TypedServerStream[In, Out]) All(ctx context.Context) iter.Seq2[In, error] {
	return func(yield func(In, error) bool) {
		each(func() (In, error) { return s.Recv(ctx) }, yield)
	}
}

func (s *TypedServerStream[In, Out]) spoiled(err *Error) *Error {
	if s.bad.CompareAndSwap(nil, err) {
		return err
	}
	return s.bad.Load()
}

// each yields what next gives until io.EOF, or an error.
func each[T any](next func() (T, error), yield func(T, error) bool) {
	for {
		v, err := next()
		if err == io.EOF { // what wraps it is an error
			return
		}
		if !yield(v, err) || err != nil {
			return
		}
	}
}
