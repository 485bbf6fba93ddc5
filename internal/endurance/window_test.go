package endurance

import (
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom"
	"github.com/ratmom/ratmom/internal/testserver"
)

// Beside traffic that keeps libcurl reading, it fills its own window of a stream
// that is paused: that is the price of a body which nobody reads on HTTP/2.
func TestPaused_streams_cost_no_more_than_the_window_of_libcurl(t *testing.T) {
	heavy(t)
	const paused = 4
	n := testserver.Nginx(t)
	big, small := n.File("big", 256<<20), n.File("small", 1<<20)
	client := clientFor(t, testserver.H2, n.CAFile)
	var held []*ratmom.Response
	fill := func() {
		for range 300 {
			resp, err := client.Send(request(t, patient(t), "GET", n.TLSURL+small))
			require.NoError(t, err)
			_, err = resp.CopyTo(io.Discard)
			require.NoError(t, err)
		}
	}
	fill()
	grown := growth(t, func() {
		for range paused {
			resp, err := client.Send(request(t, patient(t), "GET", n.TLSURL+big))
			require.NoError(t, err)
			t.Cleanup(func() { _ = resp.Body.Close() })
			held = append(held, resp)
		}
		fill()
	})
	t.Logf("%d paused streams beside 300 MiB of others: %.1f MiB each", paused, mib(grown)/paused)
	requireGrowth(t, grown, windows(paused))
	for _, resp := range held {
		got, err := io.CopyN(io.Discard, resp.Body, 64<<20)
		require.NoError(t, err)
		require.EqualValues(t, 64<<20, got)
	}
}
