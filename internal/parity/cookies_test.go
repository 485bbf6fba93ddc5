package parity

import (
	"net/http/cookiejar"
	"net/url"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom/config"
	"github.com/ratmom/ratmom/internal/testserver"
)

func newJar(t *testing.T) *cookiejar.Jar {
	t.Helper()
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	return jar
}

func TestCookies_are_kept_and_sent_again(t *testing.T) {
	m := testserver.MockReply(t, testserver.Reply{Header: []string{"Set-Cookie: foo=bar", "Set-Cookie: baz=123"}}, testserver.Reply{})
	jar := newJar(t)
	c := newClient(t, config.CookieJar(jar))

	resp, _ := get(t, c, m.URL)
	assert.Len(t, resp.Cookies(), 2)
	u, err := url.Parse(m.URL)
	require.NoError(t, err)
	assert.Len(t, jar.Cookies(u), 2)

	get(t, c, m.URL)
	requests := m.Requests()
	require.Len(t, requests, 2)
	assert.False(t, requests[0].Has("Cookie"))
	// In one line (RFC 6265, section 5.4), in the order in which they were made.
	assert.Equal(t, []string{"foo=bar; baz=123"}, requests[1].Values("Cookie"))
}
