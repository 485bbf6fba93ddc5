package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"net"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	_ "google.golang.org/grpc/encoding/proto" // the codec of protobuf
	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// overGRPC is gRPC-Go as it comes, with a limit of message size that is out of the way. Messages are bytes
// that its codec leaves alone, or protobuf's BytesValue.
type overGRPC struct {
	server  *grpc.Server
	conn    *grpc.ClientConn
	form    form
	dialled *lastConn
}

// form is how bytes become messages.
type form interface {
	empty() any
	message(b []byte) any
	bytes(m any) []byte
	options() []grpc.CallOption
}

type protobuf struct{}

func (protobuf) empty() any                 { return new(wrapperspb.BytesValue) }
func (protobuf) message(b []byte) any       { return wrapperspb.Bytes(b) }
func (protobuf) bytes(m any) []byte         { return m.(*wrapperspb.BytesValue).GetValue() }
func (protobuf) options() []grpc.CallOption { return nil }

type raw struct{}

func (raw) empty() any                 { return new([]byte) }
func (raw) message(b []byte) any       { return &b }
func (raw) bytes(m any) []byte         { return *m.(*[]byte) }
func (raw) options() []grpc.CallOption { return []grpc.CallOption{grpc.ForceCodecV2(rawCodec{})} }

// rawCodec leaves bytes alone.
type rawCodec struct{}

func (rawCodec) Name() string { return "raw" }

func (rawCodec) Marshal(v any) (mem.BufferSlice, error) {
	b, ok := v.(*[]byte)
	if !ok {
		return nil, fmt.Errorf("%T is not bytes", v)
	}
	return mem.BufferSlice{mem.SliceBuffer(*b)}, nil
}

func (rawCodec) Unmarshal(data mem.BufferSlice, v any) error {
	b, ok := v.(*[]byte)
	if !ok {
		return fmt.Errorf("%T is not bytes", v)
	}
	*b = data.Materialize()
	return nil
}

const service = "/bench/"

// serveGRPC makes a server whose methods are those of the grid's handlers.
func serveGRPC(o options, f form) *grpc.Server {
	opts := []grpc.ServerOption{grpc.MaxRecvMsgSize(math.MaxInt32)}
	if _, ok := f.(raw); ok {
		opts = append(opts, grpc.ForceServerCodecV2(rawCodec{}))
	}
	if o.server != nil {
		opts = append(opts, grpc.Creds(credentials.NewTLS(o.server.Clone())))
	}
	s := grpc.NewServer(opts...)
	s.RegisterService(&grpc.ServiceDesc{
		ServiceName: "bench",
		HandlerType: (*any)(nil),
		Methods: []grpc.MethodDesc{{MethodName: "echo", Handler: func(_ any, _ context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
			m := f.empty()
			err := decode(m)
			return m, err
		}}},
		Streams: []grpc.StreamDesc{
			{StreamName: "reads", ServerStreams: true, Handler: func(_ any, s grpc.ServerStream) error {
				m := f.empty()
				if err := s.RecvMsg(m); err != nil {
					return err
				}
				ask := f.bytes(m)
				answer := f.message(make([]byte, binary.BigEndian.Uint32(ask[4:])))
				for range binary.BigEndian.Uint32(ask) {
					if err := s.SendMsg(answer); err != nil {
						return err
					}
				}
				return nil
			}},
			{StreamName: "flood", ClientStreams: true, ServerStreams: true, Handler: func(_ any, s grpc.ServerStream) error {
				m := f.empty()
				for {
					if err := s.RecvMsg(m); err != nil {
						return only(err)
					}
				}
			}},
		},
	}, nil)
	return s
}

func openGRPC(o options) (carrier, error) {
	var f form = raw{}
	if o.carrier == "protobuf" {
		f = protobuf{}
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := serveGRPC(o, f)
	go func() { _ = s.Serve(l) }()
	g := &overGRPC{server: s, form: f, dialled: new(lastConn)}
	if g.conn, err = g.connect(o, l.Addr().String()); err != nil {
		return nil, err
	}
	call, err := g.caller()
	if err != nil {
		return nil, err
	}
	return g, call(nil) // it dials for the first call
}

func (g *overGRPC) connect(o options, addr string) (*grpc.ClientConn, error) {
	creds := insecure.NewCredentials()
	if o.client != nil {
		creds = credentials.NewTLS(o.client.Clone())
	}
	return grpc.NewClient("passthrough:///"+addr, grpc.WithTransportCredentials(creds),
		grpc.WithDefaultCallOptions(append(g.form.options(), grpc.MaxCallRecvMsgSize(math.MaxInt32))...),
		grpc.WithContextDialer(func(ctx context.Context, addr string) (net.Conn, error) { return g.dialled.dial(ctx, "tcp", addr) }))
}

func (g *overGRPC) caller() (func([]byte) error, error) {
	ctx := ofCaller()
	return func(req []byte) error {
		answer := g.form.empty()
		if err := g.conn.Invoke(ctx, service+"echo", g.form.message(req), answer); err != nil {
			return err
		}
		if len(g.form.bytes(answer)) != len(req) {
			return errLength
		}
		return nil
	}, nil
}

var bothWays = &grpc.StreamDesc{ServerStreams: true, ClientStreams: true}

func (g *overGRPC) reader() (func(int, int) error, error) {
	ctx := ofCaller()
	return func(messages, size int) error {
		ask := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, uint32(messages)), uint32(size))
		s, err := g.conn.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true}, service+"reads")
		if err != nil {
			return err
		}
		if err := errors.Join(s.SendMsg(g.form.message(ask)), s.CloseSend()); err != nil {
			return err
		}
		m := g.form.empty()
		for n := 0; ; n++ {
			if err := s.RecvMsg(m); err != nil {
				if err = only(err); err == nil && n != messages {
					err = errLength
				}
				return err
			}
		}
	}, nil
}

func (g *overGRPC) flood(message []byte, more func() bool) error {
	s, err := g.conn.NewStream(ofCaller(), bothWays, service+"flood")
	if err != nil {
		return err
	}
	m := g.form.message(message)
	for more() {
		if err := s.SendMsg(m); err != nil {
			return err
		}
	}
	if err := s.CloseSend(); err != nil {
		return err
	}
	if err := s.RecvMsg(g.form.empty()); err != io.EOF {
		return fmt.Errorf("a flood without its end: %w", err)
	}
	return nil
}

func (g *overGRPC) open() error {
	_, err := g.conn.NewStream(ofCaller(), bothWays, service+"flood")
	return err
}

func (g *overGRPC) cut() error {
	ctx := ofCaller()
	if err := g.dialled.reset(); err != nil {
		return err
	}
	for {
		err := g.conn.Invoke(ctx, service+"echo", g.form.message(nil), g.form.empty(), grpc.WaitForReady(true))
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return err
		}
	}
}

func (g *overGRPC) close() {
	g.conn.Close()
	g.server.Stop()
}

// meshGRPC has one connection between two servers, as the grid does: with gRPC they would need two to
// call each other.
func meshGRPC(o options) (connect func() error, closeAll func(), err error) {
	var (
		servers []*grpc.Server
		addrs   []string
		conns   []*grpc.ClientConn
	)
	closeAll = func() {
		for _, c := range conns {
			c.Close()
		}
		for _, s := range servers {
			s.Stop()
		}
	}
	for range o.callers {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, closeAll, err
		}
		s := serveGRPC(o, raw{})
		servers, addrs = append(servers, s), append(addrs, l.Addr().String())
		go func() { _ = s.Serve(l) }()
	}
	return func() error {
		for i := range addrs {
			for _, addr := range addrs[:i] {
				g := &overGRPC{form: raw{}, dialled: new(lastConn)}
				if g.conn, err = g.connect(o, addr); err != nil {
					return err
				}
				conns = append(conns, g.conn)
				call, err := g.caller()
				if err != nil {
					return err
				}
				if err := call(nil); err != nil { // it dials for the first call
					return err
				}
			}
		}
		return nil
	}, closeAll, nil
}
