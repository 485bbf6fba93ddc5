package parity

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom/config"
	"github.com/ratmom/ratmom/internal/testserver"
)

func TestAuth_sends_nothing_without_a_scheme(t *testing.T) {
	for name, opts := range map[string][]config.RequestOption{
		"none given":   nil,
		"switched off": {config.BasicAuth("clark", "querty"), config.NoAuth()},
	} {
		t.Run(name, func(t *testing.T) {
			m := testserver.MockReply(t)
			get(t, newClient(t), m.URL, opts...)
			assert.False(t, m.Request().Has("Authorization"))
		})
	}
	t.Run("switched off for one request of a client", func(t *testing.T) {
		m := testserver.MockReply(t)
		get(t, newClient(t, config.BasicAuth("clark", "querty")), m.URL, config.NoAuth())
		assert.False(t, m.Request().Has("Authorization"))
	})
}

func TestAuth_basic_sends_the_authorization_header(t *testing.T) {
	m := testserver.MockReply(t)
	resp, _ := get(t, newClient(t), m.URL, config.BasicAuth("clark", "querty"))
	assert.Equal(t, http.StatusOK, resp.StatusCode)
	assert.Equal(t, "Basic Y2xhcms6cXVlcnR5", m.Request().Get("Authorization"))
}

func TestAuth_hands_a_negotiate_challenge_to_the_caller(t *testing.T) {
	for name, opts := range map[string][]config.RequestOption{
		"no scheme":  nil,
		"any scheme": {config.AnyAuth("clark", "querty")},
	} {
		t.Run(name, func(t *testing.T) {
			m := testserver.MockReply(t, testserver.Reply{Status: 401, Header: []string{"WWW-Authenticate: Negotiate"}, Body: "no"})
			resp, text := get(t, newClient(t), m.URL, opts...)
			assert.Equal(t, http.StatusUnauthorized, resp.StatusCode)
			assert.Equal(t, "Negotiate", resp.Header.Get("WWW-Authenticate"))
			assert.Equal(t, "no", text)
			require.Len(t, m.Requests(), 1)
			assert.False(t, m.Request().Has("Authorization"))
		})
	}
}
