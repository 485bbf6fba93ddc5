package peer

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom"
	"github.com/ratmom/ratmom/config"
	"github.com/ratmom/ratmom/internal/testserver"
)

func TestLink_whose_path_is_dead_is_given_no_new_requests_though_one_is_on_it(t *testing.T) {
	gate := make(chan struct{})
	s := testserver.Start(t, testserver.H2, testserver.TellConn(gate))
	m := openMap(t, Requests(config.CAFile(s.CAFile)))
	long, err := m.RoundTrip(request(t, http.MethodGet, s.URL+"/long"))
	require.NoError(t, err)
	require.NoError(t, s.Deafen())
	end := time.Now().Add(30 * time.Second)
	for {
		res, err := m.Do(request(t, http.MethodPost, s.URL), Timeout(800*time.Millisecond))
		if err != nil {
			require.True(t, time.Now().Before(end), "all go the same way")
			require.ErrorIs(t, err, ratmom.ErrTimeout)
			continue
		}
		require.Equal(t, "1", string(res.Content))
		break
	}
	p, err := m.Get(s.URL)
	require.NoError(t, err)
	assert.Equal(t, []string{"draining", "ready"}, states(p))
	close(gate)
	assert.NoError(t, long.Body.Close())
	eventually(t, "it is closed after that", func() bool { return len(states(p)) == 1 })
}
