package ratmom_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom"
)

func TestGet_names_a_malformed_URL_without_its_password(t *testing.T) {
	c, err := ratmom.New()
	require.NoError(t, err)
	defer func() { _ = c.Close() }()
	for url, want := range map[string]string{
		"http://ann:secret@[::1/":  "GET http://xxxxx@[::1/: invalid request: missing ']' in host",
		"http://ann:secret@a b/":   `GET http://xxxxx@a b/: invalid request: invalid character " " in host name`,
		"http://ann:sec\x00ret@a/": `GET http://xxxxx@a/: invalid request: net/url: invalid control character in URL`,
	} {
		resp, err := c.Get(url)
		if err == nil {
			_ = resp.Body.Close()
		}
		require.ErrorIs(t, err, ratmom.ErrInvalidRequest)
		assert.EqualError(t, err, want)
	}
}
