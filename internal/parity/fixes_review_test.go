package parity

import (
	"context"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom"
	"github.com/ratmom/ratmom/config"
	"github.com/ratmom/ratmom/internal/testserver"
)

func TestFuture_Cancel_ends_a_request_beneath_an_InterceptFunc(t *testing.T) {
	s := testserver.Raw(t, testserver.Silent())
	c := newClient(t, ratmom.Intercept(ratmom.InterceptFunc(func(req *http.Request, next ratmom.Next) (*ratmom.Response, error) {
		return next(req)
	})))
	f := c.SendAsync(newRequest(t, "GET", s.URL, nil))
	require.True(t, s.WaitAccepted(1, soon))
	f.Cancel()
	ctx, stop := context.WithTimeout(context.Background(), soon)
	defer stop()
	_, err := f.Wait(ctx)
	assert.ErrorIs(t, err, ratmom.ErrCanceled)
}

func TestRedirect_to_another_origin_drops_secrets_among_the_default_headers(t *testing.T) {
	other := testserver.MockReply(t, testserver.Text(200, "other"))
	first := testserver.MockReply(t, testserver.Redirect(302, other.URL))
	c := newClient(t, config.DefaultHeader("Authorization", "secret"), config.DefaultHeader("Cookie", "a=b"), config.DefaultHeader("X-Plain", "kept"))
	get(t, c, first.URL)
	assert.Equal(t, "secret", first.Request().Get("Authorization"))
	assert.False(t, other.Request().Has("Authorization"))
	assert.False(t, other.Request().Has("Cookie"))
	assert.Equal(t, "kept", other.Request().Get("X-Plain"))
}

func TestRedirect_errors_do_not_show_a_password(t *testing.T) {
	for _, loc := range []string{"ftp://user:SECRET@h/", "http://user:SECRET@h:bad/", "http://user:SECRET@/"} {
		m := testserver.MockReply(t, testserver.Redirect(302, loc))
		err := failed(t, newClient(t), newRequest(t, "GET", m.URL, nil))
		assert.NotContains(t, err.Error(), "SECRET", loc)
	}
}

func TestChunked_body_beside_a_Content_Length_is_read_whole_during_an_upload(t *testing.T) {
	s := testserver.Raw(t, func(c *testserver.Conn) {
		if _, err := c.ReadHead(); err != nil {
			return
		}
		_ = c.Send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n")
		c.UntilClosed()
	})
	r, w := io.Pipe()
	req := newRequest(t, "POST", s.URL, r)
	resp, err := newClient(t).Send(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	time.AfterFunc(100*time.Millisecond, func() { w.Close() }) // the upload ends after the response
	b, err := io.ReadAll(resp.Body)
	if err == nil { // refusing the message is right too; a short body is not
		assert.Equal(t, "hello world", string(b))
	}
}
