package ratmom_test

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

func TestConnection_on_which_nothing_came_while_a_request_was_too_slow_is_given_no_new_ones(t *testing.T) {
	gate := make(chan struct{})
	s := testserver.Start(t, testserver.H2, testserver.TellConn(gate))
	client, err := ratmom.New(config.Proxy(""), config.CAFile(s.CAFile))
	require.NoError(t, err)
	defer func() { assert.NoError(t, client.Close()) }()
	get := func(path string, opts ...config.RequestOption) (*ratmom.Response, error) {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL+path, nil)
		require.NoError(t, err)
		return client.Send(req, opts...)
	}
	patient, err := get("/long")
	require.NoError(t, err)
	text := "0"
	for range 10 { // where the server is slow, something may have come
		resp, err := get("/long", config.LowSpeed(1, time.Second))
		if err == nil {
			_, err = resp.Text()
		}
		require.ErrorIs(t, err, ratmom.ErrTimeout)
		resp, err = get("/")
		require.NoError(t, err)
		text, err = resp.Text()
		require.NoError(t, err)
		if text != "0" {
			break
		}
	}
	assert.Equal(t, "1", text)

	close(gate)
	text, err = patient.Text()
	require.NoError(t, err, "the one on it is left alone")
	assert.Equal(t, "0", text)
	require.Eventually(t, func() bool { return !established(t, patient.LocalAddr().Port()) }, 30*time.Second, time.Millisecond, "it is hung up after that")
}
