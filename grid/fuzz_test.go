package grid

import (
	"encoding/binary"
	"io"
	"net"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom/grid/internal/frame"
	"github.com/ratmom/ratmom/grid/internal/ws"
)

// script is a connection to a peer that says what it says, whatever the answers are. It closes when all of it was
// read.
type script struct {
	left    [][]byte
	reading []byte
	once    sync.Once
	closed  chan struct{}
}

func (s *script) Next() (int, error) {
	if len(s.left) == 0 {
		return 0, &ws.CloseError{Code: ws.CloseGoingAway}
	}
	s.reading, s.left = s.left[0], s.left[1:]
	return len(s.reading), nil
}

func (s *script) Read(p []byte) (int, error) {
	if len(s.reading) == 0 {
		return 0, io.EOF
	}
	n := copy(p, s.reading)
	s.reading = s.reading[n:]
	return n, nil
}

func (s *script) Masks() bool { return false }

func (s *script) WriteOver(net.Buffers) error {
	select {
	case <-s.closed:
		return net.ErrClosed
	default:
		return nil
	}
}

func (s *script) Handle(_, _ func([]byte))     {}
func (s *script) WritePong([]byte) error       { return nil }
func (s *script) WriteClose(int, string) error { return nil }

func (s *script) Close() error {
	s.once.Do(func() { close(s.closed) })
	return nil
}

// batches cuts what a fuzzer made: each batch has its length in two bytes before it.
func batches(in []byte) (all [][]byte) {
	for len(in) >= 2 {
		n := min(int(binary.BigEndian.Uint16(in)), len(in)-2)
		all = append(all, in[2:2+n])
		in = in[2+n:]
	}
	return all
}

func batchOf(frames ...[]byte) []byte {
	b := []byte{0, 0}
	for _, f := range frames {
		b = append(b, f...)
	}
	binary.BigEndian.PutUint16(b, uint16(len(b)-2))
	return b
}

func frameOf(h frame.Header, ext frame.Extensions, payload string) []byte {
	h.Ext = ext.Len()
	h.Length = h.Ext + len(payload)
	return append(ext.Append(h.Append(nil)), payload...)
}

// FuzzSession has a peer say anything: a session ends, with all that ran on it, and nothing else happens.
func FuzzSession(f *testing.F) {
	var none frame.Extensions
	window := frame.Extensions{Has: frame.HasWindow, Window: minWindow}
	total := frame.Extensions{Has: frame.HasTotal, Total: 70_000}
	call := func(id HandlerID, slot uint32, payload string) []byte {
		return frameOf(frame.Header{Type: frame.Call, Flags: frame.First, Code: uint16(id), ID: makeID(0, slot, 1)}, none, payload)
	}
	stream := makeID(0, 3, 1)
	f.Add(batchOf(call(echoID, 0, "a"), call(failID, 1, "b"), call(hangID, 2, "")))
	f.Add(append(
		batchOf(frameOf(frame.Header{Type: frame.Open, Flags: frame.First, Code: uint16(pingPongID), ID: stream}, window, "")),
		batchOf(
			frameOf(frame.Header{Type: frame.Data, Flags: frame.First, ID: stream}, none, "ping"),
			frameOf(frame.Header{Type: frame.Credit, ID: stream}, none, "\x00\x00\x00\x04\x00\x00\x00\x01"),
			frameOf(frame.Header{Type: frame.End, ID: stream}, none, ""),
			frameOf(frame.Header{Type: frame.Reset, Code: 1, ID: stream}, none, ""),
		)...))
	f.Add(batchOf(
		frameOf(frame.Header{Type: frame.Call, Flags: frame.First | frame.More | frame.Bulk, Code: uint16(echoID), ID: stream}, total, "abc"),
		frameOf(frame.Header{Type: frame.Ping}, none, "12345678"),
		frameOf(frame.Header{Type: frame.ConnCredit}, none, "\x00\x00\x00\x00\x00\x00\x00\x00"),
		frameOf(frame.Header{Type: frame.Goaway, Flags: frame.Err, Code: 4}, none, "\x00\x00\x00\x00\x01x"),
	))

	m, err := NewManager(Config{Self: "a"})
	require.NoError(f, err)
	f.Cleanup(func() { _ = m.Close() })
	handlers(f, m)
	f.Fuzz(func(t *testing.T, in []byte) {
		peer := params{calls: 8, streams: 8, message: 1 << 20}
		conn := &script{left: batches(in), closed: make(chan struct{})}
		c := newConnection(m, Peer{Name: "b"})
		defer c.remove()
		s := newSession(c, conn, peer, instance{1}, true, false)
		s.run()
		<-s.finished
		<-s.gone
		require.LessOrEqual(t, s.large.Load(), m.limits.Large)
		require.LessOrEqual(t, s.ahead.Load(), m.limits.Large/aheadShare)
		s.issued.all(func(r *request) { t.Error("a request that nobody has issued") })
	})
}
