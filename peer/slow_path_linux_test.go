package peer

import (
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom"
	"github.com/ratmom/ratmom/config"
	"github.com/ratmom/ratmom/internal/testserver"
)

func TestLink_on_which_nothing_came_while_a_request_was_too_slow_is_given_no_new_ones(t *testing.T) {
	gate := make(chan struct{})
	s := testserver.Start(t, testserver.H2, testserver.TellConn(gate))
	m := openMap(t, Requests(config.CAFile(s.CAFile), config.LowSpeed(1, time.Second)))
	defer close(gate)
	for range 10 { // where the server is slow, something may have come
		slow, err := m.RoundTrip(request(t, http.MethodGet, s.URL+"/long"))
		if err == nil {
			_, err = io.ReadAll(slow.Body)
			require.NoError(t, slow.Body.Close())
		}
		require.ErrorIs(t, err, ratmom.ErrTimeout)
		res, err := m.Do(request(t, http.MethodGet, s.URL))
		if err != nil {
			require.ErrorIs(t, err, ratmom.ErrTimeout)
			continue
		}
		if string(res.Content) != "0" {
			return
		}
	}
	assert.Fail(t, "all went the same way")
}
