package parity

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom"
	"github.com/ratmom/ratmom/config"
	"github.com/ratmom/ratmom/internal/testserver"
)

// method expects what call sends to have the method and no body.
func method(t *testing.T, want string, call func(c *ratmom.Client, url string) (*ratmom.Response, error)) {
	t.Helper()
	m := testserver.MockReply(t)
	resp, err := call(newClient(t), m.URL)
	require.NoError(t, err)
	require.NoError(t, resp.Discard())
	assert.Equal(t, want, m.Request().Method)
	assert.Empty(t, m.Request().Body)
}

func TestMethods_get(t *testing.T) {
	method(t, "GET", func(c *ratmom.Client, url string) (*ratmom.Response, error) { return c.Get(url) })
}

func TestMethods_head(t *testing.T) {
	method(t, "HEAD", func(c *ratmom.Client, url string) (*ratmom.Response, error) { return c.Head(url) })
}

func TestMethods_post(t *testing.T) {
	method(t, "POST", func(c *ratmom.Client, url string) (*ratmom.Response, error) { return c.Post(url, "", nil) })
}

func TestMethods_put(t *testing.T) {
	method(t, "PUT", func(c *ratmom.Client, url string) (*ratmom.Response, error) { return c.Put(url, "", nil) })
}

func TestMethods_delete(t *testing.T) {
	method(t, "DELETE", func(c *ratmom.Client, url string) (*ratmom.Response, error) { return c.Delete(url) })
}

func TestMethods_patch(t *testing.T) {
	method(t, "PATCH", func(c *ratmom.Client, url string) (*ratmom.Response, error) { return c.Patch(url, "", nil) })
}

func TestMethods_of_any_name(t *testing.T) {
	for _, name := range []string{"FOOBAR", "get", "M-SEARCH", "OPTIONS", "TRACE", "QUERY"} {
		method(t, name, func(c *ratmom.Client, url string) (*ratmom.Response, error) {
			return c.Send(newRequest(t, name, url, nil))
		})
	}
	method(t, "GET", func(c *ratmom.Client, url string) (*ratmom.Response, error) {
		req := newRequest(t, "", url, nil)
		req.Method = ""
		return c.Send(req, config.Timeout(soon))
	})
}
