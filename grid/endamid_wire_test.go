package grid_test

import (
	"context"
	"encoding/binary"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom/grid"
)

// A server that ends a stream well amid one of its messages breaks the protocol. Its caller learns that the session has ended.
func TestStream_that_is_ended_amid_a_message_ends_with_its_session(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = l.Close() })
	m, _ := serveGrid(t, l.Addr().String(), func(c *grid.Config) { c.Timing.DialGrace = time.Millisecond })
	f := acceptForeign(t, l)
	f.welcome("node-a", "node-b", "")
	ctx, cancel := context.WithTimeout(context.Background(), wirePatience)
	defer cancel()
	require.NoError(t, m.Connection("node-a").WaitReady(ctx))
	st, err := m.Connection("node-a").OpenStream(context.Background(), 9, nil)
	require.NoError(t, err)
	open := f.next()
	require.EqualValues(t, wireOpen, open.kind)
	accept := binary.BigEndian.AppendUint32(nil, 0)
	accept = binary.BigEndian.AppendUint32(accept, 0)
	accept = binary.BigEndian.AppendUint32(accept, 4)
	f.send(
		wireFrame{kind: wireCredit, flags: wireFirst, id: open.id, payload: accept},
		wireFrame{kind: wireData, flags: wireFirst | wireMore, id: open.id,
			ext: binary.BigEndian.AppendUint64([]byte{2, 8}, 100), payload: []byte("half")},
		wireFrame{kind: wireEnd, flags: wireFirst, id: open.id},
	)
	_, err = st.Recv(ctx)
	require.ErrorIs(t, err, grid.ErrDisconnected)
	require.ErrorContains(t, err, "END amid a message")
}
