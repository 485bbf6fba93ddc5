package grid_test

import (
	"context"
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom/grid"
)

// readClose reads up to the close frame, and checks that nothing is behind it.
func (f *foreign) readClose() (payload []byte) {
	f.t.Helper()
	for {
		op, b, err := f.readRaw()
		f.must(err)
		if op != 0x88 {
			require.EqualValues(f.t, 0x82, op)
			continue
		}
		_, _, err = f.readRaw()
		require.ErrorIs(f.t, err, io.EOF)
		return b
	}
}

// RFC 6455, section 5.5.1: who gets a close frame, and has not sent one, sends one back, with the same code.
func TestClose_frame_of_the_peer_is_answered_before_the_socket_is_closed(t *testing.T) {
	for name, payload := range map[string]string{
		"normal": "\x03\xe8", "going away, with a reason": "\x03\xe9bye", "no code": "", "a code of its own": "\x0f\xa0",
	} {
		for _, busy := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				m, addr := serveGrid(t, "", nil)
				f := dialForeign(t, addr)
				f.hello("node-a", "node-b", "")
				c := m.Connection("node-a")
				ctx, cancel := context.WithTimeout(context.Background(), wirePatience)
				defer cancel()
				require.NoError(t, c.WaitReady(ctx))
				lost := make(chan error, 1)
				if busy {
					// A call each way, and answers that are on their way.
					go func() {
						_, err := c.Request(ctx, 77, nil)
						lost <- err
					}()
					require.EqualValues(t, wireCall, f.next().kind)
					for slot := range uint32(8) {
						f.send(fragments(wireFrame{kind: wireCall, code: uint16(handlerEcho), id: f.wireID(slot, 0)}, random(60_000))...)
					}
				}
				f.raw(8, []byte(payload))
				require.Equal(t, payload[:min(len(payload), 2)], string(f.readClose()))
				if busy {
					require.ErrorIs(t, <-lost, grid.ErrDisconnected)
				}
			})
		}
	}
}
