package parity

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/ratmom/ratmom"
	"github.com/ratmom/ratmom/config"
	"github.com/ratmom/ratmom/internal/testserver"
)

func TestRedirects_are_the_response_if_not_followed(t *testing.T) {
	m := testserver.MockReply(t, testserver.Redirect(301, "/2"))
	resp, _ := get(t, newClient(t), m.URL+"/1", config.NoRedirect())
	assert.Equal(t, 301, resp.StatusCode)
	assert.Equal(t, "/2", resp.Header.Get("Location"))
	assert.Equal(t, m.URL+"/1", resp.EffectiveURL.String())
	assert.Equal(t, "/1", m.Request().Target)
}

func TestRedirects_are_followed(t *testing.T) {
	to := testserver.MockReply(t, testserver.Text(200, "ok"))
	from := testserver.MockReply(t, testserver.Redirect(301, to.URL+"/2"))
	resp, text := get(t, newClient(t), from.URL)
	assert.Equal(t, 200, resp.StatusCode)
	assert.Equal(t, "ok", text)
	assert.Equal(t, to.URL+"/2", resp.EffectiveURL.String())
	assert.Equal(t, to.AddrPort(), resp.RemoteAddr())
	assert.Equal(t, "/", from.Request().Target)
	assert.Equal(t, "/2", to.Request().Target)

	t.Run("by nginx", func(t *testing.T) {
		n := testserver.Nginx(t)
		resp, text := get(t, newClient(t), n.URL+"/redirect")
		assert.Equal(t, testserver.Hello, text)
		assert.Equal(t, n.URL+"/hello.txt", resp.EffectiveURL.String())
	})
}

func TestRedirects_give_the_headers_of_the_last_hop_alone(t *testing.T) {
	to := testserver.MockReply(t, testserver.Reply{Header: []string{"X-Foo: bbb", "X-Baz: zzz"}})
	hop := testserver.Redirect(301, to.URL)
	hop.Header = append(hop.Header, "X-Foo: aaa", "X-Bar: zzz")
	from := testserver.MockReply(t, hop)
	resp, _ := get(t, newClient(t), from.URL)
	assert.Equal(t, []string{"bbb"}, resp.Header.Values("X-Foo"))
	assert.Equal(t, []string{"zzz"}, resp.Header.Values("X-Baz"))
	assert.Empty(t, resp.Header.Values("X-Bar"))
	assert.Empty(t, resp.Header.Values("Location"))
}

func TestRedirects_of_a_post_become_a_get(t *testing.T) {
	for _, status := range []int{301, 302, 303} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			to := testserver.MockReply(t)
			from := testserver.MockReply(t, testserver.Redirect(status, to.URL))
			resp, _ := send(t, newClient(t), newRequest(t, "POST", from.URL, nil))
			assert.Equal(t, 200, resp.StatusCode)
			assert.Equal(t, to.URL, strings.TrimSuffix(resp.EffectiveURL.String(), "/"))
			assert.Equal(t, "POST", from.Request().Method)
			assert.Equal(t, "GET", to.Request().Method)
		})
	}
}

func TestRedirects_of_a_post_stay_a_post(t *testing.T) {
	for _, status := range []int{307, 308} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			to := testserver.MockReply(t)
			from := testserver.MockReply(t, testserver.Redirect(status, to.URL))
			resp, _ := send(t, newClient(t), newRequest(t, "POST", from.URL, nil))
			assert.Equal(t, 200, resp.StatusCode)
			assert.Equal(t, "POST", from.Request().Method)
			assert.Equal(t, "POST", to.Request().Method)
		})
	}
}

func redirectWithBody(t *testing.T) (from, to *testserver.Mock) {
	t.Helper()
	to = testserver.MockReply(t, testserver.Text(200, "OK"))
	hop := testserver.Redirect(302, to.URL)
	hop.Body = "REDIRECT"
	return testserver.MockReply(t, hop), to
}

func TestRedirects_with_a_body_are_followed(t *testing.T) {
	from, to := redirectWithBody(t)
	resp, text := get(t, newClient(t), from.URL)
	assert.Equal(t, 200, resp.StatusCode)
	assert.Equal(t, "OK", text)
	assert.Len(t, from.Requests(), 1)
	assert.Len(t, to.Requests(), 1)
}

func TestRedirects_are_followed_as_the_client_says(t *testing.T) {
	from, to := redirectWithBody(t)
	_, text := get(t, newClient(t, config.MaxRedirects(8)), from.URL)
	assert.Equal(t, "OK", text)
	assert.Len(t, to.Requests(), 1)

	t.Run("unless the request says otherwise", func(t *testing.T) {
		from, to := redirectWithBody(t)
		c := newClient(t, config.NoRedirect())
		resp, text := get(t, c, from.URL)
		assert.Equal(t, 302, resp.StatusCode)
		assert.Equal(t, "REDIRECT", text)
		assert.Empty(t, to.Requests())
		_, text = get(t, c, from.URL, config.MaxRedirects(1))
		assert.Equal(t, "OK", text)
	})
}

func TestRedirects_of_a_body_that_cannot_be_sent_again_are_an_error(t *testing.T) {
	to := testserver.MockReply(t)
	from := testserver.MockReply(t, testserver.Redirect(307, to.URL))
	err := failed(t, newClient(t), newRequest(t, "POST", from.URL, unknownLength{strings.NewReader("once")}))
	assert.ErrorIs(t, err, ratmom.ErrBodyNotRewindable)
	assert.Equal(t, from.AddrPort(), err.RemoteAddr)
	assert.Equal(t, from.URL, err.URL)
	assert.Empty(t, to.Requests())
	assert.Equal(t, "once", string(from.Request().Body))
}

func TestRedirects_are_limited(t *testing.T) {
	m := testserver.MockReply(t, testserver.Redirect(301, "/next"))
	err := failed(t, newClient(t, config.MaxRedirects(5)), newRequest(t, "GET", m.URL, nil))
	assert.ErrorIs(t, err, ratmom.ErrTooManyRedirects)
	assert.Equal(t, m.AddrPort(), err.RemoteAddr)
	assert.Len(t, m.Requests(), 6)

	t.Run("to ten by default", func(t *testing.T) {
		m := testserver.MockReply(t, testserver.Redirect(301, "/next"))
		err := failed(t, newClient(t), newRequest(t, "GET", m.URL, nil))
		assert.ErrorIs(t, err, ratmom.ErrTooManyRedirects)
		assert.Len(t, m.Requests(), 11)
	})
}

func TestRedirects_set_the_referer_if_asked(t *testing.T) {
	m3 := testserver.MockReply(t)
	m2 := testserver.MockReply(t, testserver.Redirect(301, m3.URL+"/c"))
	m1 := testserver.MockReply(t, testserver.Redirect(301, m2.URL+"/b#foo"))
	get(t, newClient(t, config.AutoReferer(true)), strings.Replace(m1.URL, "://", "://user:secret@", 1)+"/a#bar")
	assert.False(t, m1.Request().Has("Referer"))
	assert.Equal(t, m1.URL+"/a", m2.Request().Get("Referer"), "without userinfo and fragment")
	assert.Equal(t, m2.URL+"/b", m3.Request().Get("Referer"))
}

func TestRedirects_to_bytes_that_are_not_ASCII_are_encoded(t *testing.T) {
	m := testserver.NewMock(t, testserver.ByPath(map[string]testserver.Reply{
		"/":           testserver.Redirect(301, "/héllo?ü=\xff"),
		"/h%C3%A9llo": testserver.Text(200, "there"),
	}))
	resp, text := get(t, newClient(t), m.URL)
	assert.Equal(t, "there", text)
	assert.Equal(t, "/h%C3%A9llo?%C3%BC=%FF", m.Requests()[1].Target)
	assert.Equal(t, http.StatusOK, resp.StatusCode)
}
