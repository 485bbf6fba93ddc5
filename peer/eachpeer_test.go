package peer

import (
	"errors"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom/config"
)

func TestEachPeer_and_ForPeer_are_asked_once_for_a_peer_that_many_want_at_once(t *testing.T) {
	bad := errors.New("a bad one")
	for _, want := range []error{nil, bad} {
		var each, requests atomic.Int32
		gate := make(chan struct{})
		m := openMap(t, EachPeer(func(ID) []Option {
			each.Add(1)
			<-gate
			return []Option{func(*options) error { return want }}
		}), ForPeer(func(ID) []config.RequestOption {
			requests.Add(1)
			return nil
		}))
		const callers = 20
		type made struct {
			p   *Peer
			err error
		}
		out := make(chan made, callers)
		for range callers {
			go func() {
				p, err := m.Get("http://one.test/")
				out <- made{p, err}
			}()
		}
		eventually(t, "all want it", func() bool { return wantPeers() == callers })
		close(gate)
		first := await(t, out)
		require.ErrorIs(t, first.err, want)
		for range callers - 1 {
			next := await(t, out)
			assert.Same(t, first.p, next.p)
			assert.Equal(t, first.err, next.err)
		}
		assert.EqualValues(t, 1, each.Load())
		assert.Equal(t, want == nil, requests.Load() == 1)
	}
}

// wantPeers is how many goroutines are about to make a peer.
func wantPeers() int {
	buf := make([]byte, 1<<20)
	return strings.Count(string(buf[:runtime.Stack(buf, true)]), "(*Map).add(")
}

func TestEachPeer_that_panics_leaves_the_peer_to_the_next_caller(t *testing.T) {
	var calls atomic.Int32
	m := openMap(t, EachPeer(func(ID) []Option {
		if calls.Add(1) == 1 {
			panic("the user's")
		}
		return nil
	}))
	require.Panics(t, func() { _, _ = m.Get("http://one.test/") })
	_, err := m.Get("http://one.test/")
	require.NoError(t, err)
}
