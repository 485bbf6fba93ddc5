package h3test

import (
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom"
	"github.com/ratmom/ratmom/config"
	"github.com/ratmom/ratmom/internal/testserver"
)

// behindCaddy echoes bodies and says what way a request has come.
func behindCaddy(t *testing.T) *testserver.CaddyServer {
	s := testserver.StartFunc(t, testserver.H1, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Came", r.Header.Get("X-Forwarded-Proto")+" "+r.Method)
		b, err := io.ReadAll(r.Body) // first: over HTTP/1.1 an answer ends what is read
		assert.NoError(t, err)
		_, _ = w.Write(b)
	})
	return testserver.Caddy(t, strings.TrimPrefix(s.URL, "http://"))
}

func TestCaddy_and_we_speak_HTTP3(t *testing.T) {
	needHTTP3(t)
	s := behindCaddy(t)
	c := newClient(t, s.CAFile, config.HTTP3Only, config.IPVersion(config.IPv4))
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for _, size := range []int{0, 1, 100_000, 3_000_000} {
				sent := strings.Repeat("x", size)
				req, err := http.NewRequestWithContext(patient(t), http.MethodPost, s.URL+"/echo", strings.NewReader(sent))
				if !assert.NoError(t, err) {
					return
				}
				resp, err := c.Send(req)
				if !assert.NoError(t, err) {
					return
				}
				got, err := resp.Bytes()
				assert.NoError(t, err)
				assert.Equal(t, "HTTP/3.0", resp.Proto)
				assert.Equal(t, "https POST", resp.Header.Get("X-Came"))
				assert.True(t, sent == string(got), "%d bytes of %d", len(got), size)
			}
		})
	}
	all.Wait()
}

func TestCaddy_leads_to_HTTP3_by_Alt_Svc(t *testing.T) {
	needHTTP3(t)
	s := behindCaddy(t)
	c := newClient(t, s.CAFile, config.HTTPDefault, config.IPVersion(config.IPv4), config.AltSvc(""))
	for _, proto := range []string{"HTTP/2.0 ", "HTTP/3.0 ", "HTTP/3.0 "} {
		require.Equal(t, proto, text(t, c, s.URL))
	}
}

func TestCaddy_with_a_certificate_that_is_not_trusted_is_refused_over_HTTP3(t *testing.T) {
	needHTTP3(t)
	s := behindCaddy(t)
	c := newClient(t, testserver.NewAuthority(t).File(t), config.HTTP3Only, config.IPVersion(config.IPv4))
	_, err := c.Get(s.URL)
	require.ErrorIs(t, err, ratmom.ErrCertificateVerification)
}
