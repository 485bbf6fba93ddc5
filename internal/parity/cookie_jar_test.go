package parity

import (
	"net/http"
	"net/url"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom/config"
	"github.com/ratmom/ratmom/cookie"
	"github.com/ratmom/ratmom/internal/testserver"
)

// Over a redirect, with names that net/http would not take, into a file and back.
func TestCookies_of_the_persistent_jar_go_over_redirects_and_into_a_file(t *testing.T) {
	m := testserver.MockReply(t,
		testserver.Reply{Status: 302, Header: []string{
			"Location: /b/c", "Set-Cookie: first=1; Path=/", "Set-Cookie: b[]=2; Path=/b", `Set-Cookie: bare; Max-Age=18446744073709551615`,
			"Set-Cookie: secure=1; Secure", "Set-Cookie: other=1; Domain=example.org",
		}},
		testserver.Reply{Header: []string{`Set-Cookie: deep="é, \\"; Path=/b/c; HttpOnly`, "Set-Cookie: first=; Path=/; Max-Age=-1"}},
		testserver.Reply{}, testserver.Reply{})
	jar := new(cookie.Jar)
	c := newClient(t, config.CookieJar(jar))
	get(t, c, m.URL+"/a")

	file := filepath.Join(t.TempDir(), "cookies.txt")
	require.NoError(t, jar.SaveFile(file, cookie.Netscape))
	loaded := new(cookie.Jar)
	require.NoError(t, loaded.LoadFile(file, cookie.Netscape))

	req := newRequest(t, "GET", m.URL+"/b/c", nil)
	req.Header.Set("Cookie", "own=1")
	resp := open(t, c, req, config.CookieJar(loaded))
	require.NoError(t, resp.Discard())
	assert.Equal(t, "own=1", req.Header.Get("Cookie"), "the caller's request is as it was")
	get(t, c, m.URL+"/elsewhere")

	requests := m.Requests()
	require.Len(t, requests, 4)
	assert.False(t, requests[0].Has("Cookie"))
	assert.Equal(t, []string{"b[]=2; first=1; bare"}, requests[1].Values("Cookie"))
	assert.Equal(t, []string{`own=1; deep="é, \\"; b[]=2; bare`}, requests[2].Values("Cookie"))
	assert.Equal(t, []string{"bare"}, requests[3].Values("Cookie"))
}

func TestCookies_of_the_persistent_jar_work_with_net_http(t *testing.T) {
	m := testserver.MockReply(t, testserver.Reply{Status: 302, Header: []string{"Location: /b", "Set-Cookie: a=1; Path=/"}}, testserver.Reply{})
	jar := new(cookie.Jar)
	hc := &http.Client{Transport: newClient(t).Transport(), Jar: jar}
	resp, err := hc.Get(m.URL)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	assert.Equal(t, []string{"a=1"}, m.Requests()[1].Values("Cookie"))
	u, err := url.Parse(m.URL)
	require.NoError(t, err)
	assert.Equal(t, "a=1", jar.CookieHeader(u))
}
