package grid

import (
	"context"
	"fmt"
	"reflect"
	"sync"
)

// SingleRoute is a single request of type Req to Resp. Both sides make the same one.
type SingleRoute[Req, Resp any] struct {
	id    HandlerID
	sub   string
	calls []CallOption // the subroute, if there is one
	err   error        // why it cannot be used

	req       Codec[Req]
	resp      Codec[Resp]
	requests  *Pool[Req]
	responses *Pool[Resp]
	// both types are one pointer type, so that the response may be the request.
	same bool
}

// Single describes single requests with typed values. The form of a type as a message is chosen
// here, in this order: UseCodec; the methods of tinylib/msgp (MarshalMsg, UnmarshalMsg,
// Msgsize); those of package encoding (BinaryAppender or BinaryMarshaler, with
// BinaryUnmarshaler), of T or *T; []byte, string, and structs without fields as they are;
// UseFormat, or JSON. A type without a form is an error of all uses.
//
//	var stat = grid.Single[*StatReq, *StatResp](HandlerStat)
func Single[Req, Resp any](id HandlerID, opts ...TypedOption) *SingleRoute[Req, Resp] {
	o := collect(opts)
	r := &SingleRoute[Req, Resp]{id: id, requests: poolOf[Req](o), responses: poolOf[Resp](o)}
	if r.req, r.err = codecOf[Req](o); r.err == nil {
		r.resp, r.err = codecOf[Resp](o)
	}
	t := reflect.TypeFor[Req]()
	r.same = t == reflect.TypeFor[Resp]() && t.Kind() == reflect.Pointer
	return r
}

// Sub is the same with a subroute.
func (r *SingleRoute[Req, Resp]) Sub(name string) *SingleRoute[Req, Resp] {
	sub := *r
	sub.sub, sub.calls = name, []CallOption{Subroute(name)}
	return &sub
}

// Call performs a request, see [Connection.Request]. A request that cannot be encoded
// is InvalidMessage and NotSent, a response that cannot be decoded InvalidMessage.
func (r *SingleRoute[Req, Resp]) Call(ctx context.Context, conn *Connection, req Req, opts ...CallOption) (Resp, error) {
	var resp Resp
	b := getBytes()
	defer putBytes(b)
	if err := outgoing(conn, r.err, r.req, b, req); err != nil {
		return resp, err
	}
	got, err := conn.Do(ctx, r.id, *b, withSub(r.calls, opts)...)
	if err != nil {
		return resp, err
	}
	defer got.Release()
	if r.responses != nil {
		resp = r.responses.Get()
	}
	if err := decode(r.resp, got.Bytes(), &resp); err != nil {
		return resp, notUnderstood(conn, "the response", err)
	}
	return resp, nil
}

// Register has fn answer the requests. A request that cannot be decoded is answered
// InvalidMessage, a response that cannot be encoded is Internal.
func (r *SingleRoute[Req, Resp]) Register(m *Manager, fn func(ctx context.Context, c *Call, req Req) (Resp, error), opts ...HandlerOption) error {
	if r.err != nil {
		return r.err
	}
	if r.sub != "" {
		opts = append(opts[:len(opts):len(opts)], Subroute(r.sub))
	}
	return m.HandleSingle(r.id, func(ctx context.Context, c *Call) ([]byte, error) {
		var req Req
		if r.requests != nil {
			req = r.requests.Get()
			defer func() { r.requests.Put(req) }()
		}
		if err := decode(r.req, c.Payload(), &req); err != nil {
			return nil, &Error{Code: InvalidMessage, Message: "the request: " + err.Error()}
		}
		resp, err := fn(ctx, c, req)
		if err != nil {
			return nil, err
		}
		if itself := r.same && r.requests != nil && any(req) == any(resp); r.responses != nil && !itself {
			defer r.responses.Put(resp)
		}
		b, err := encode(r.resp, nil, resp)
		if err != nil {
			return nil, &Error{Code: Internal, Message: "the response: " + err.Error()}
		}
		return b, nil
	}, opts...)
}

func collect(opts []TypedOption) *typedOptions {
	o := &typedOptions{}
	for _, opt := range opts {
		opt.applyTyped(o)
	}
	return o
}

// withSub puts a subroute before the options of a request.
func withSub(sub, opts []CallOption) []CallOption {
	if len(opts) == 0 {
		return sub
	}
	return append(sub[:len(sub):len(sub)], opts...)
}

// outgoing encodes what a request begins with. Nothing is sent if there is an error.
func outgoing[T any](conn *Connection, bad error, c Codec[T], b *[]byte, v T) error {
	if conn == nil {
		return unknownPeer()
	}
	err := bad
	if err == nil {
		*b, err = encode(c, *b, v)
	}
	if err != nil {
		return &Error{Code: InvalidMessage, Message: "the request: " + err.Error(), Peer: conn.Name(), Sent: NotSent, cause: err}
	}
	return nil
}

// notUnderstood is the error for a message of the peer.
func notUnderstood(conn *Connection, what string, err error) *Error {
	return &Error{Code: InvalidMessage, Message: fmt.Sprintf("%s: %v", what, err), Peer: conn.Name(), cause: err}
}

// bytesKept is the largest buffer that is kept for encoding.
const bytesKept = 64 << 10

var bytesPool = sync.Pool{New: func() any { return new([]byte) }}

func getBytes() *[]byte { return bytesPool.Get().(*[]byte) }

func putBytes(b *[]byte) {
	if cap(*b) <= bytesKept {
		*b = (*b)[:0]
		bytesPool.Put(b)
	}
}
