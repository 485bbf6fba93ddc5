package ratmom_test

import (
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom"
)

// libcurl 8.14.1 lets go of a socket that it still wanted to write to when the
// response comes early; being writable was then taken for input out of turn.
func TestRequests_one_after_the_other_share_a_connection(t *testing.T) {
	var connections atomic.Int64
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write(make([]byte, 1000))
	}))
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			connections.Add(1)
		}
	}
	s.Start()
	defer s.Close()
	for range 50 {
		c, err := ratmom.New()
		require.NoError(t, err)
		connections.Store(0)
		for range 3 {
			resp, err := c.Get(s.URL)
			require.NoError(t, err)
			require.NoError(t, resp.Discard())
		}
		require.NoError(t, c.Close())
		assert.EqualValues(t, 1, connections.Load())
	}
}
