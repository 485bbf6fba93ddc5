package resolve_test

import (
	"io"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom"
	"github.com/ratmom/ratmom/config"
	"github.com/ratmom/ratmom/internal/testserver"
	"github.com/ratmom/ratmom/peer/resolve"
)

func TestMatrix_fetches_its_document_with_a_client(t *testing.T) {
	a := testserver.LocalAuthority(t)
	s := testserver.StartFunc(t, testserver.H2, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/.well-known/matrix/server":
			http.Redirect(w, r, "/elsewhere", http.StatusFound)
		case "/elsewhere":
			_, _ = io.WriteString(w, `{"m.server": "192.0.2.7:443"}`)
		}
	}, testserver.WithCertificate(a.Host(t, "example.test")))
	client, err := ratmom.New(config.CAFile(a.File(t)), config.ConnectTo(map[string]string{"example.test:443": s.Addr}))
	require.NoError(t, err)
	defer func() { _ = client.Close() }()
	names := resolve.Matrix(resolve.Literal, client.Transport().RoundTrip)
	defer names.Close()
	answer, err := names.Resolve(t.Context(), resolve.Name{Scheme: "https", Host: "example.test"})
	require.NoError(t, err)
	assert.Equal(t, "192.0.2.7:443", answer.Endpoints[0].Addr.String())
	assert.Equal(t, "192.0.2.7:443", answer.Authority)
}
