//go:build unix

package cgo_test

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom/cgo"
	"github.com/ratmom/ratmom/internal/testserver"
)

// libcurl 7.88.1 closes a socket that never became a connection without its callback.
func TestSockets_that_were_never_connected_do_not_count_as_connections(t *testing.T) {
	const n, kept = 150, 128
	nobody := "http://" + testserver.Unanswering(t)
	g := newGate(t)
	d := keeping(t, 200)
	lost := make([]*run, n)
	for i := range lost {
		lost[i] = d.begin(nobody, func(_ *run, s *cgo.Setup, _ *cgo.Options) { s.Origin, s.Serial = 9, true })
	}
	d.m.Step(d.adds, cgo.Never, true)
	d.adds = nil
	for _, r := range lost {
		require.False(t, r.done)
		d.cancel(r)
	}
	for range n + 16 { // what takes their numbers is none of the loop's business
		f, err := os.Open(os.DevNull)
		require.NoError(t, err)
		defer f.Close()
	}
	d.burst(g, kept, true)
	d.burst(g, kept, true)
	require.EqualValues(t, kept, g.connections.Load(), "fewer are kept than the limit says")
}
