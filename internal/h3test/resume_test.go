package h3test

import (
	"crypto/tls"
	"io"
	"net/http"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom/config"
)

func TestHTTP3_makes_a_second_connection_with_the_tickets_of_the_first(t *testing.T) {
	needHTTP3(t)
	s := start(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, strconv.FormatBool(r.TLS.DidResume))
	})
	for _, c := range []struct {
		name    string
		options []config.ClientOption
		version config.Version
		resumed bool
	}{
		{"HTTP/3 only", nil, config.HTTP3Only, true},
		{"HTTP/3", nil, config.HTTP3, false}, // see docs/limits.md
		{"HTTP/3 with TLS 1.3", []config.ClientOption{config.TLSMinVersion(tls.VersionTLS13)}, config.HTTP3, true},
		{"HTTP/3 with what the TLS library does", []config.ClientOption{config.TLSMinVersion(0)}, config.HTTP3, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			client := newClient(t, s.CAFile, c.version, c.options...)
			for i := range 4 {
				resp, err := client.Send(get(t, patient(t), s.URL), config.FreshConnection())
				require.NoError(t, err, "connection %d", i)
				resumed, err := resp.Text()
				require.NoError(t, err)
				require.Equal(t, "HTTP/3.0", resp.Proto)
				if i > 0 {
					require.Equal(t, strconv.FormatBool(c.resumed), resumed, "connection %d", i)
				}
			}
		})
	}
}
