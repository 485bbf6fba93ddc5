package peer

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom/body"
	"github.com/ratmom/ratmom/config"
	"github.com/ratmom/ratmom/internal/testserver"
)

func TestNginx_that_closes_after_some_requests_loses_and_doubles_none(t *testing.T) {
	n := 10_000
	if testing.Short() {
		n = 1000
	}
	content, err := io.ReadAll(testserver.Pattern(100))
	require.NoError(t, err)
	for _, scheme := range []string{"http", "https"} {
		t.Run(scheme, func(t *testing.T) {
			s := testserver.Nginx(t, testserver.NginxKeepalive(7, time.Hour))
			url := s.URL
			if scheme == "https" {
				url = s.TLSURL
			}
			m := openMap(t, Requests(config.CAFile(s.CAFile)))
			_, before := s.Counters()
			var rs []*Request
			for range n {
				req := request(t, http.MethodPost, url+"/upload")
				req.Body = body.Bytes(content)
				rs = append(rs, m.Go(req))
			}
			for _, r := range rs {
				_, err := r.Result()
				require.NoError(t, err)
			}
			_, after := s.Counters()
			assert.Equal(t, n, after-before-1)
		})
	}
}

func TestNginx_that_closes_idle_connections_is_met_again(t *testing.T) {
	s := testserver.Nginx(t, testserver.NginxKeepalive(0, time.Second))
	m := openMap(t)
	p, err := m.Get(s.URL)
	require.NoError(t, err)
	for range 2 {
		_, err := m.Do(request(t, http.MethodPost, s.URL+"/upload"))
		require.NoError(t, err)
		require.Equal(t, "ready", strings.Join(states(p), " "))
		eventually(t, "the link goes", func() bool { return len(states(p)) == 0 })
	}
}
