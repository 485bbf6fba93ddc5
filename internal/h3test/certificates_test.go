package h3test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom"
	"github.com/ratmom/ratmom/config"
	"github.com/ratmom/ratmom/internal/testserver"
)

func TestHTTP3_certificates_of_the_server_are_told_and_pinned(t *testing.T) {
	needHTTP3(t)
	s := start(t, func(http.ResponseWriter, *http.Request) {})
	client := newClient(t, s.CAFile, config.HTTP3Only, config.CertificateChain(true))
	for range 3 {
		resp, err := client.Send(get(t, patient(t), s.URL))
		require.NoError(t, err)
		require.NoError(t, resp.Discard())
		require.Equal(t, "HTTP/3.0", resp.Proto)
		require.NotEmpty(t, resp.TLS.PeerCertificates)
		require.Contains(t, resp.TLS.PeerCertificates[0].DNSNames, "localhost")
	}
	resp, err := client.Send(get(t, patient(t), s.URL), config.PinnedPublicKey(testserver.NewAuthority(t).File(t)))
	if err == nil {
		_ = resp.Discard()
	}
	require.ErrorIs(t, err, ratmom.ErrCertificateVerification)
}
