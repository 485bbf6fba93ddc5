package grid

import (
	"bytes"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom/grid/internal/sched"
)

// An answer is written from where the handler left it, which may be memory that is used again: once it was written, or,
// when the call is given up amid it, by nobody.
func TestAnswer_that_is_being_written_stays_what_it_is(t *testing.T) {
	for _, cut := range []bool{false, true} {
		m, err := NewManager(Config{Self: "a"})
		require.NoError(t, err)
		peer := newConnection(m, Peer{Name: "b"})
		s := newSession(peer, &script{closed: make(chan struct{})}, params{message: 1 << 20}, instance{1}, true, false)
		call := &Call{}
		in := &call.incoming
		in.s, in.call, in.h = s, call, &handler{}
		whole := bytes.Repeat([]byte("answer"), 20_000)
		in.payload.buf = copyBuf(whole)
		kept := in.payload.buf
		in.reply(in.Payload(), nil)

		var b sched.Batch
		s.q.BulkLimit = 1 << 20
		if cut {
			s.q.BulkLimit = 1 // for one fragment of two
		}
		require.True(t, s.q.Next(&b, 0))
		parts := b.Parts(nil)
		if cut {
			in.cutOff()
		}
		require.Equal(t, cut, in.refusal != nil)
		got := slices.Concat(parts...)
		require.True(t, bytes.Contains(got, whole[:64<<10]))
		b.Release()
		require.Equal(t, cut, bytes.Equal(whole, kept.p), "it is given back if it was sent, and left alone if not")
		peer.remove()
		_ = m.Close()
	}
}
