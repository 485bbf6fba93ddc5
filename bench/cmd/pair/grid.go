package main

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/ratmom/ratmom/grid"
)

const (
	echoID grid.HandlerID = 1 + iota
	typedID
	readsID
	floodID
	openID
)

// overGrid is a pair of grid servers.
type overGrid struct {
	gridNodes
	conn    *grid.Connection
	typed   bool
	dialled *lastConn
}

// blob is a type with a codec.
type blob struct{ b []byte }

type blobCodec struct{}

func (blobCodec) Append(to []byte, v *blob) ([]byte, error) { return append(to, v.b...), nil }

func (blobCodec) Decode(from []byte, into **blob) error {
	(*into).b = append((*into).b[:0], from...)
	return nil
}

var (
	blobs  = grid.NewPool(func() *blob { return new(blob) }, func(*blob) {})
	blobOf = grid.Single[*blob, *blob](typedID, grid.UseCodec(blobCodec{}), grid.Reuse(blobs))
)

// gridNode is one server with its listener.
type gridNode struct {
	m      *grid.Manager
	server *http.Server
}

// listening starts servers that know nobody yet; the first dials with dial.
func listening(o options, n int, dial func(context.Context, string, string) (net.Conn, error)) (nodes gridNodes, err error) {
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nodes, err
		}
		m, err := grid.NewManager(grid.Config{Self: l.Addr().String(), TLS: o.client, Dial: dial})
		if err != nil {
			return nodes, err
		}
		dial = nil
		mux := http.NewServeMux()
		mux.Handle(grid.DefaultPath, m.Handler())
		node := &gridNode{m, &http.Server{Handler: mux, TLSConfig: o.server}}
		nodes = append(nodes, node)
		if err := node.register(o); err != nil {
			return nodes, err
		}
		if o.server != nil {
			go func() { _ = node.server.ServeTLS(l, "", "") }()
		} else {
			go func() { _ = node.server.Serve(l) }()
		}
	}
	return nodes, nil
}

type gridNodes []*gridNode

// connect connects each with each.
func (nodes gridNodes) connect() error {
	for i := range nodes {
		for j := range nodes {
			if i == j {
				continue
			}
			if err := nodes[i].m.AddPeer(grid.Peer{Name: nodes[j].m.Self()}); err != nil {
				return err
			}
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	for _, node := range nodes {
		for _, c := range node.m.Connections() {
			if err := c.WaitReady(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

func (nodes gridNodes) close() {
	for _, n := range nodes {
		_ = n.m.Close()
		_ = n.server.Close()
	}
}

func (n *gridNode) register(o options) error {
	var inline []grid.HandlerOption
	if o.carrier == "inline" {
		inline = append(inline, grid.Inline())
	}
	return errors.Join(
		n.m.HandleSingle(echoID, func(_ context.Context, c *grid.Call) ([]byte, error) { return c.Payload(), nil }, inline...),
		blobOf.Register(n.m, func(_ context.Context, _ *grid.Call, b *blob) (*blob, error) { return b, nil }),
		n.m.HandleStream(readsID, func(ctx context.Context, s *grid.ServerStream) error {
			n := binary.BigEndian.Uint32(s.Payload())
			message := make([]byte, binary.BigEndian.Uint32(s.Payload()[4:]))
			for range n {
				if err := s.Send(ctx, message); err != nil {
					return err
				}
			}
			return nil
		}),
		n.m.HandleStream(floodID, func(ctx context.Context, s *grid.ServerStream) error {
			for {
				b, err := s.Recv(ctx)
				if err != nil {
					return only(err)
				}
				b.Release()
			}
		}, grid.InCapacity(100), grid.Window(4<<20)),
		n.m.HandleStream(openID, func(ctx context.Context, s *grid.ServerStream) error {
			_, err := s.Recv(ctx)
			return only(err)
		}, grid.InCapacity(1)),
	)
}

// only is an error that is not the end.
func only(err error) error {
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

// openGrid has the side that asks dial, as with gRPC: what it sends is masked. Which one
// dials follows from the names, which are addresses here.
func openGrid(o options) (carrier, error) {
	for {
		last := new(lastConn)
		nodes, err := listening(o, 2, last.dial)
		if err == nil {
			err = nodes.connect()
		}
		if err == nil && last.dialled() {
			return &overGrid{nodes, nodes[0].m.Connections()[0], o.carrier == "typed", last}, nil
		}
		nodes.close()
		if err != nil {
			return nil, err
		}
	}
}

// ofCaller is a context as callers have: with a deadline, and its own.
func ofCaller() context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
	_ = cancel // it lasts as long as the process
	return ctx
}

func (g *overGrid) caller() (func([]byte) error, error) {
	ctx := ofCaller()
	if g.typed {
		b := &blob{}
		return func(req []byte) error {
			b.b = req
			answer, err := blobOf.Call(ctx, g.conn, b)
			if err != nil {
				return err
			}
			if len(answer.b) != len(req) {
				err = errLength
			}
			blobs.Put(answer)
			return err
		}, nil
	}
	return func(req []byte) error {
		answer, err := g.conn.Do(ctx, echoID, req)
		if err != nil {
			return err
		}
		if len(answer.Bytes()) != len(req) {
			err = errLength
		}
		answer.Release()
		return err
	}, nil
}

func (g *overGrid) reader() (func(int, int) error, error) {
	ctx := ofCaller()
	var ask [8]byte
	return func(messages, size int) error {
		binary.BigEndian.PutUint32(ask[:], uint32(messages))
		binary.BigEndian.PutUint32(ask[4:], uint32(size))
		s, err := g.conn.OpenStream(ctx, readsID, ask[:])
		if err != nil {
			return err
		}
		for n := 0; ; n++ {
			b, err := s.Recv(ctx)
			if err != nil {
				if err = only(err); err == nil && n != messages {
					err = errLength
				}
				return err
			}
			b.Release()
		}
	}, nil
}

func (g *overGrid) flood(message []byte, more func() bool) error {
	ctx := ofCaller()
	s, err := g.conn.OpenStream(ctx, floodID, nil)
	if err != nil {
		return err
	}
	for more() {
		if err := s.Send(ctx, message); err != nil {
			return err
		}
	}
	if err := s.CloseSend(); err != nil {
		return err
	}
	_, err = s.Recv(ctx)
	return only(err)
}

func (g *overGrid) open() error {
	ctx := ofCaller()
	s, err := g.conn.OpenStream(ctx, openID, nil)
	if err != nil {
		return err
	}
	_, err = s.Accepted(ctx)
	return err
}

func (g *overGrid) cut() error {
	ctx := ofCaller()
	if err := g.dialled.reset(); err != nil {
		return err
	}
	for {
		_, err := g.conn.Request(ctx, echoID, nil, grid.WaitForReady())
		if !errors.Is(err, grid.ErrDisconnected) {
			return err
		}
	}
}

func meshGrid(o options) (func() error, func(), error) {
	nodes, err := listening(o, o.callers, nil)
	return nodes.connect, nodes.close, err
}
