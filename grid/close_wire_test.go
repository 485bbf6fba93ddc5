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

// RFC 6455, section 7.1.7: who is sent what must not be, says so by a close frame.
func TestFrame_that_must_not_be_is_answered_by_a_close_frame_that_says_so(t *testing.T) {
	for name, c := range map[string]struct{ frame, code string }{
		"a reserved bit":                {"\xc2\x80\x00\x00\x00\x00", "\x03\xea"},
		"a reserved opcode":             {"\x83\x80\x00\x00\x00\x00", "\x03\xea"},
		"unmasked":                      {"\x82\x00", "\x03\xea"},
		"a long ping":                   {"\x89\xfe\x00\x7e\x00\x00\x00\x00", "\x03\xea"},
		"a text":                        {"\x81\x80\x00\x00\x00\x00", "\x03\xeb"},
		"a close frame of a wrong code": {"\x88\x82\x00\x00\x00\x00\x03\xed", "\x03\xea"},
	} {
		t.Run(name, func(t *testing.T) {
			m, addr := serveGrid(t, "", nil)
			f := dialForeign(t, addr)
			f.hello("node-a", "node-b", "")
			ctx, cancel := context.WithTimeout(context.Background(), wirePatience)
			defer cancel()
			require.NoError(t, m.Connection("node-a").WaitReady(ctx))
			_, err := io.WriteString(f.nc, c.frame)
			require.NoError(t, err)
			require.Equal(t, c.code, string(f.readClose()))
		})
	}
}
