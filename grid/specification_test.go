package grid_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom/grid"
)

// Handlers of the server that a foreign implementation speaks with.
const (
	handlerEcho   grid.HandlerID = 1
	handlerFails  grid.HandlerID = 2
	handlerWaits  grid.HandlerID = 3
	handlerStream grid.HandlerID = 4 // sends back what it gets
)

var errOfHandler = errors.New("the handler's own words")

// serveGrid is a server with the name node-b that knows node-a at the address given.
func serveGrid(t testing.TB, peer string, change func(*grid.Config)) (m *grid.Manager, addr string) {
	t.Helper()
	cfg := grid.Config{Self: "node-b", Peers: []grid.Peer{{Name: "node-a", Addr: peer}}}
	if peer == "" {
		cfg.Dial = func(context.Context, string, string) (net.Conn, error) { return nil, errors.New("nobody is there") }
	}
	if change != nil {
		change(&cfg)
	}
	m, err := grid.NewManager(cfg)
	require.NoError(t, err)
	single := func(id grid.HandlerID, h grid.SingleHandler) { require.NoError(t, m.HandleSingle(id, h)) }
	single(handlerEcho, func(_ context.Context, c *grid.Call) ([]byte, error) { return c.Payload(), nil })
	single(handlerFails, func(context.Context, *grid.Call) ([]byte, error) { return nil, errOfHandler })
	single(handlerWaits, func(ctx context.Context, _ *grid.Call) ([]byte, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	})
	require.NoError(t, m.HandleStream(handlerStream, func(ctx context.Context, s *grid.ServerStream) error {
		for {
			b, err := s.Recv(ctx)
			if err != nil {
				if err == io.EOF {
					return nil
				}
				return err
			}
			if err := s.Send(ctx, b.Bytes()); err != nil {
				return err
			}
			b.Release()
		}
	}, grid.InCapacity(4), grid.OutCapacity(4)))
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	s := &http.Server{Handler: m.Handler(), ReadHeaderTimeout: wirePatience}
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = s.Serve(l)
	}()
	t.Cleanup(func() {
		_ = m.Close()
		_ = s.Close()
		<-served
	})
	return m, l.Addr().String()
}

func TestSpecification_suffices_for_a_dialer(t *testing.T) {
	for name, secret := range map[string]string{"nothing to prove": "", "a secret": "the secret"} {
		for _, sums := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				m, addr := serveGrid(t, "", func(c *grid.Config) { c.Secret = []byte(secret) })
				f := dialForeign(t, addr)
				f.asks = sums
				f.hello("node-a", "node-b", secret)
				assert.Equal(t, sums, f.sums)
				issues(t, f)
				serves(t, f, m.Connection("node-a"))
			})
		}
	}
}

func TestSpecification_suffices_for_an_acceptor(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = l.Close() })
	m, _ := serveGrid(t, l.Addr().String(), func(c *grid.Config) {
		c.Secret = []byte("the secret")
		c.Timing.DialGrace = time.Millisecond
	})
	f := acceptForeign(t, l)
	f.asks = true
	f.welcome("node-a", "node-b", "the secret")
	assert.True(t, f.sums)
	issues(t, f)
	serves(t, f, m.Connection("node-a"))
}

// issues is what the foreign side asks of the grid's.
func issues(t *testing.T, f *foreign) {
	// A call.
	id := f.wireID(0, 0)
	f.send(wireFrame{kind: wireCall, flags: wireFirst, code: uint16(handlerEcho), id: id, payload: []byte("hello")})
	assert.Equal(t, "hello", string(f.message(wireReply, id)))

	// The slot again, in its next generation, with a deadline, and in fragments both ways.
	id = f.wireID(0, 1)
	large := random(200_000)
	f.send(fragments(wireFrame{
		kind: wireCall, flags: wireBulk, code: uint16(handlerEcho), id: id, ext: []byte{1, 4, 0, 0, 0x75, 0x30},
	}, large)...)
	assert.True(t, bytes.Equal(large, f.message(wireReply, id)))

	// Errors.
	id = f.wireID(1, 0)
	f.send(wireFrame{kind: wireCall, flags: wireFirst, code: uint16(handlerFails), id: id})
	x := f.next()
	assert.EqualValues(t, 11, x.code, "application")
	never, words := f.failure(x)
	assert.False(t, never)
	assert.Equal(t, errOfHandler.Error(), words)

	id = f.wireID(2, 0)
	f.send(wireFrame{kind: wireCall, flags: wireFirst, code: 999, id: id})
	x = f.next()
	assert.EqualValues(t, 5, x.code, "unknown handler")
	never, _ = f.failure(x)
	assert.True(t, never)

	id = f.wireID(3, 0)
	f.send(wireFrame{kind: wireCall, flags: wireFirst | wireMore, code: uint16(handlerEcho), id: id,
		ext: binary.BigEndian.AppendUint64([]byte{2, 8}, 64<<30), payload: []byte("x")})
	x = f.next()
	assert.EqualValues(t, 8, x.code, "too large")

	// Giving up.
	id = f.wireID(4, 0)
	f.send(wireFrame{kind: wireCall, flags: wireFirst, code: uint16(handlerWaits), id: id},
		wireFrame{kind: wireReset, code: 1, id: id})
	x = f.next()
	assert.EqualValues(t, wireReset, x.kind)
	assert.Equal(t, id, x.id)

	// A stream.
	id = f.wireID(5, 0)
	f.send(wireFrame{kind: wireOpen, flags: wireFirst, code: uint16(handlerStream), id: id, ext: []byte{3, 4, 0, 4, 0, 0}})
	x = f.next()
	require.EqualValues(t, wireCredit, x.kind, "%v", x)
	require.Equal(t, wireFirst, x.flags)
	require.Len(t, x.payload, 12)
	window := int(binary.BigEndian.Uint32(x.payload))
	assert.EqualValues(t, 4, binary.BigEndian.Uint32(x.payload[4:]), "in capacity")
	assert.EqualValues(t, 4, binary.BigEndian.Uint32(x.payload[8:]), "out capacity")
	room, messages := window, 4
	for i := range 20 {
		sent := random(1 + i*7000)
		f.send(fragments(wireFrame{kind: wireData, id: id}, sent)...)
		cost := max(len(sent), 64)
		room, messages = room-cost, messages-1
		require.GreaterOrEqual(t, room, 0)
		require.GreaterOrEqual(t, messages, 0)
		got := false
		for !got || messages == 0 || room < 140_000 {
			if len(f.frames) == 0 || f.frames[0].kind != wireData {
				x := f.next()
				if x.kind == wireCredit {
					room += int(binary.BigEndian.Uint32(x.payload))
					messages += int(binary.BigEndian.Uint32(x.payload[4:]))
					continue
				}
				f.frames = append([]wireFrame{x}, f.frames...)
			}
			require.True(t, bytes.Equal(sent, f.message(wireData, id)))
			got = true
			f.send(wireFrame{kind: wireCredit, id: id, payload: binary.BigEndian.AppendUint32(
				binary.BigEndian.AppendUint32(nil, uint32(cost)), 1)})
		}
	}
	// A message that is longer than the window takes all of it, and may be counted as taken while it arrives.
	for room < window || messages < 4 {
		x := f.next()
		require.EqualValues(t, wireCredit, x.kind, "%v", x)
		room += int(binary.BigEndian.Uint32(x.payload))
		messages += int(binary.BigEndian.Uint32(x.payload[4:]))
	}
	long := random(window + 50_000)
	parts := fragments(wireFrame{kind: wireData, id: id}, long)
	f.send(parts[:2]...)
	x = f.next()
	require.EqualValues(t, wireCredit, x.kind, "%v", x)
	assert.EqualValues(t, window, binary.BigEndian.Uint32(x.payload))
	assert.EqualValues(t, 1, binary.BigEndian.Uint32(x.payload[4:]))
	f.send(append(parts[2:], fragments(wireFrame{kind: wireData, id: id}, long)...)...)
	for range 2 {
		var got []byte
		for more := true; more; {
			x := f.next()
			if x.kind == wireCredit {
				continue
			}
			require.EqualValues(t, wireData, x.kind, "%v", x)
			got, more = append(got, x.payload...), x.flags&wireMore != 0
		}
		require.True(t, bytes.Equal(long, got))
		f.send(wireFrame{kind: wireCredit, id: id, payload: []byte{0, 4, 0, 0, 0, 0, 0, 1}})
	}
	f.send(wireFrame{kind: wireEnd, id: id})
	for x = f.next(); x.kind == wireCredit; x = f.next() {
	}
	assert.EqualValues(t, wireEnd, x.kind)
	assert.Zero(t, x.code)
	assert.Zero(t, x.flags&wireErr)
}

// serves is what the foreign side answers to the grid's.
func serves(t *testing.T, f *foreign, c *grid.Connection) {
	ctx, cancel := context.WithTimeout(context.Background(), wirePatience)
	defer cancel()
	type answer struct {
		data []byte
		err  error
	}
	require.NoError(t, c.WaitReady(ctx))
	request := func(payload []byte) <-chan answer {
		out := make(chan answer, 1)
		go func() {
			b, err := c.Request(ctx, 77, payload)
			out <- answer{b, err}
		}()
		return out
	}
	got := request([]byte("ask"))
	x := f.next()
	require.EqualValues(t, wireCall, x.kind)
	assert.EqualValues(t, 77, x.code)
	assert.Equal(t, "ask", string(x.payload))
	require.Equal(t, []byte{1, 4}, x.ext[:2], "a deadline")
	assert.LessOrEqual(t, binary.BigEndian.Uint32(x.ext[2:]), uint32(wirePatience.Milliseconds()))
	f.send(wireFrame{kind: wireReply, flags: wireFirst, id: x.id, payload: []byte("answer")})
	a := <-got
	require.NoError(t, a.err)
	assert.Equal(t, "answer", string(a.data))

	got = request(nil)
	x = f.next()
	f.send(wireFrame{kind: wireReply, flags: wireFirst | wireErr, code: 6, id: x.id, payload: []byte("\x00\x00\x01\x00\x03too")})
	a = <-got
	require.ErrorIs(t, a.err, grid.ErrOverloaded)
	var e *grid.Error
	require.ErrorAs(t, a.err, &e)
	assert.Equal(t, grid.NotSent, e.Sent)
	assert.Equal(t, "too", e.Message)
	assert.True(t, e.Remote)

	// A ping of the WebSocket, which libraries send by themselves.
	f.raw(9, []byte("still there?"))
	for {
		op, b, err := f.readRaw()
		f.must(err)
		if op == 0x8a {
			assert.Equal(t, "still there?", string(b))
			break
		}
		f.parse(b)
	}

	// The end.
	require.NoError(t, c.WaitReady(ctx))
	f.send(wireFrame{kind: wireGoaway, flags: wireErr, code: 4, payload: []byte("\x00\x00\x01\x00\x03bye")})
	x = f.next()
	assert.EqualValues(t, wireGoaway, x.kind)
	assert.Equal(t, grid.Leaving, c.State())
	_, err := c.Request(ctx, 78, nil)
	require.ErrorIs(t, err, grid.ErrDraining)
}
