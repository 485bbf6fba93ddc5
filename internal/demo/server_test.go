package demo

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func start(t *testing.T) (*Server, *http.Client) {
	t.Helper()
	s, err := Start(t.Context())
	require.NoError(t, err)
	t.Cleanup(s.Close)
	c := &http.Client{Transport: &http.Transport{}, Timeout: 10 * time.Second}
	t.Cleanup(c.CloseIdleConnections)
	return s, c
}

func get(t *testing.T, c *http.Client, url string) (int, string) {
	t.Helper()
	resp, err := c.Get(url)
	require.NoError(t, err)
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return resp.StatusCode, string(b)
}

func TestServer_has_the_pages_that_its_index_lists(t *testing.T) {
	s, c := start(t)
	_, home := get(t, c, s.URL)
	for path, want := range map[string]string{
		"/json":               `{"name":"ratmom"`,
		"/page/7":             "This is page 7.",
		"/bytes/3":            "All",
		"/bytes/100?rate=1e9": "not a number of bytes",
		"/bytes/9?rate=100":   "All work ",
		"/events":             "data: tick 5 of 5\n\n",
		"/echo?a=b":           `"url":"/echo?a=b"`,
		"/upload":             "0 bytes, sha256 e3b0c442",
		"/status/404":         "404 Not Found",
		"/status/9":           "not a status",
		"/redirect/3":         home,
		"/redirect/x":         "not found",
		"/page/x":             "not found",
	} {
		_, body := get(t, c, s.URL+path)
		assert.Contains(t, body, want, path)
		name := "/" + strings.Split(strings.Split(path, "?")[0], "/")[1]
		assert.Contains(t, home, "  "+name)
	}
	code, _ := get(t, c, s.URL+"/status/204")
	assert.Equal(t, 204, code)
}

func TestServer_ends_while_a_client_waits(t *testing.T) {
	s, c := start(t)
	failed := make(chan error, 1)
	go func() {
		resp, err := c.Get(s.URL + "/silence")
		if err == nil {
			_ = resp.Body.Close()
		}
		failed <- err
	}()
	s.Close()
	assert.Error(t, <-failed)
}

func TestURL_starts_a_server_only_without_arguments(t *testing.T) {
	url, stop, err := URL(t.Context(), []string{"http://example.com/"}, "/x")
	require.NoError(t, err)
	stop()
	assert.Equal(t, "http://example.com/", url)

	for bad, want := range map[string]string{
		"-h":                     `"-h" is no URL, such as http://example.com/`,
		"nonsense":               `"nonsense" is no URL`,
		"http://ann:secret@[/":   "http://xxxxx@[/: invalid request: missing ']' in host",
		"http://ann:secret@a b/": "http://xxxxx@a b/: invalid request: invalid",
	} {
		_, _, err := URL(t.Context(), []string{bad}, "/x")
		assert.ErrorContains(t, err, want)
		assert.NotContains(t, err.Error(), "secret")
	}

	url, stop, err = URL(t.Context(), nil, "/x")
	require.NoError(t, err)
	defer stop()
	assert.Regexp(t, `^http://127\.0\.0\.1:\d+/x$`, url)
}
