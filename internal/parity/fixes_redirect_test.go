package parity

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom"
	"github.com/ratmom/ratmom/body"
	"github.com/ratmom/ratmom/config"
	"github.com/ratmom/ratmom/internal/testserver"
)

func TestFix_redirect_to_another_origin_drops_what_is_for_the_first(t *testing.T) {
	for name, opts := range map[string][]config.RequestOption{
		"headers":              nil,
		"configured Basic":     {config.BasicAuth("clark", "querty")},
		"configured, any auth": {config.AnyAuth("clark", "querty")},
	} {
		t.Run(name, func(t *testing.T) {
			// The last server asks, so that one with credentials would answer.
			last := testserver.MockReply(t, testserver.Reply{Status: 401, Header: []string{`WWW-Authenticate: Basic realm="x"`}})
			first := testserver.NewMock(t, testserver.ByPath(map[string]testserver.Reply{
				"/":     testserver.Redirect(302, "/same"),
				"/same": testserver.Redirect(302, last.URL+"/x"),
			}))
			req := newRequest(t, "GET", first.URL, nil)
			req.Host = "virtual.test"
			secret := map[string]string{"Cookie": "a=b", "Proxy-Authorization": "Basic Zm9vOmJhcg==", "Cookie2": "x"}
			if opts == nil {
				secret["Authorization"] = "Bearer 42"
			}
			for k, v := range secret {
				req.Header.Set(k, v)
			}
			req.Header.Set("X-Other", "stays")
			resp, _ := send(t, newClient(t), req, opts...)
			assert.Equal(t, 401, resp.StatusCode)

			require.Len(t, first.Requests(), 2)
			for _, r := range first.Requests() {
				for k, v := range secret {
					assert.Equal(t, v, r.Get(k))
				}
				assert.Equal(t, "virtual.test", r.Get("Host"))
				assert.Equal(t, strings.Contains(name, "Basic") || opts == nil, r.Has("Authorization"))
			}
			require.Len(t, last.Requests(), 1)
			r := last.Request()
			for _, k := range []string{"Authorization", "Cookie", "Cookie2", "Proxy-Authorization"} {
				assert.False(t, r.Has(k), k)
			}
			assert.Equal(t, last.Addr, r.Get("Host"))
			assert.Equal(t, "stays", r.Get("X-Other"))
		})
	}
}

func TestFix_redirect_that_becomes_a_GET_drops_the_body_and_its_headers(t *testing.T) {
	for _, status := range []int{301, 302, 303} {
		for name, b := range map[string]func() *http.Request{
			"in memory": func() *http.Request { return newRequest(t, "POST", "http://x", strings.NewReader("hello")) },
			"a stream": func() *http.Request {
				return newRequest(t, "POST", "http://x", unknownLength{strings.NewReader("hello")})
			},
		} {
			t.Run(fmt.Sprint(status, " ", name), func(t *testing.T) {
				m := testserver.NewMock(t, testserver.ByPath(map[string]testserver.Reply{
					"POST /": testserver.Redirect(status, "/next"), "GET /next": testserver.Text(200, "ok"),
				}))
				req := b()
				req.URL = newRequest(t, "GET", m.URL, nil).URL
				req.Host = ""
				gone := []string{"Content-Type", "Content-Encoding", "Content-Language", "Content-Location", "Digest", "Last-Modified"}
				for _, k := range gone {
					req.Header.Set(k, "x")
				}
				req.Header.Set("Content-Length", "5")
				_, text := send(t, newClient(t), req)
				assert.Equal(t, "ok", text)
				require.Len(t, m.Requests(), 2)
				assert.Equal(t, "hello", string(m.Requests()[0].Body))
				r := m.Requests()[1]
				assert.Equal(t, "GET", r.Method)
				assert.Empty(t, r.Body)
				for _, k := range append(gone, "Content-Length", "Transfer-Encoding", "Expect") {
					assert.False(t, r.Has(k), k)
				}
			})
		}
	}
	t.Run("of a PUT only for 303", func(t *testing.T) {
		for status, want := range map[int]string{301: "PUT", 302: "PUT", 303: "GET", 307: "PUT", 308: "PUT"} {
			m := testserver.MockReply(t, testserver.Redirect(status, "/next"), testserver.Reply{})
			send(t, newClient(t), newRequest(t, "PUT", m.URL, strings.NewReader("hello")))
			require.Len(t, m.Requests(), 2)
			assert.Equal(t, want, m.Requests()[1].Method, status)
			assert.Equal(t, want == "PUT", string(m.Requests()[1].Body) == "hello", status)
		}
	})
}

func TestFix_redirect_that_stays_a_POST_sends_the_body_again(t *testing.T) {
	for name, b := range map[string]func() *http.Request{
		"of net/http":       func() *http.Request { return newRequest(t, "POST", "http://x", strings.NewReader("hello")) },
		"of ours":           func() *http.Request { return newRequest(t, "POST", "http://x", body.String("hello")) },
		"of ours and empty": func() *http.Request { return newRequest(t, "POST", "http://x", body.Bytes(nil)) },
		"that is opened anew": func() *http.Request {
			req := newRequest(t, "POST", "http://x", unknownLength{strings.NewReader("hello")})
			req.GetBody = body.GetBody(newRequest(t, "POST", "http://x", body.String("hello")))
			return req
		},
	} {
		t.Run(name, func(t *testing.T) {
			m := testserver.MockReply(t, testserver.Redirect(307, "/next"), testserver.Reply{})
			req := b()
			req.URL = newRequest(t, "GET", m.URL, nil).URL
			req.Host = ""
			req.Header.Set("Content-Type", "text/plain")
			send(t, newClient(t), req)
			require.Len(t, m.Requests(), 2)
			for _, r := range m.Requests() {
				assert.Equal(t, "POST", r.Method)
				assert.Equal(t, !strings.Contains(name, "empty"), string(r.Body) == "hello")
				assert.Equal(t, "text/plain", r.Get("Content-Type"))
			}
		})
	}
}

func TestFix_redirect_keeps_HEAD(t *testing.T) {
	for _, status := range []int{301, 302, 303, 307, 308} {
		m := testserver.MockReply(t, testserver.Redirect(status, "/next"), testserver.Reply{})
		resp, err := newClient(t).Head(m.URL)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		require.Len(t, m.Requests(), 2)
		assert.Equal(t, "HEAD", m.Requests()[1].Method, status)
	}
}

func TestFix_redirect_hops_share_one_deadline(t *testing.T) {
	const d = 200 * time.Millisecond
	m := testserver.NewMock(t, func(*testserver.Request) testserver.Reply {
		r := testserver.Redirect(302, "/again")
		r.Hold = after(d / 8)
		return r
	})
	c := newClient(t, config.MaxRedirects(1000))
	t.Run("of the option", func(t *testing.T) {
		start := time.Now()
		timedOut(t, failed(t, c, newRequest(t, "GET", m.URL, nil), config.Timeout(d)), start, d)
	})
	t.Run("of the option, with a future", func(t *testing.T) {
		start := time.Now()
		_, err := c.SendAsync(newRequest(t, "GET", m.URL, nil), config.Timeout(d)).Result()
		timedOut(t, err, start, d)
	})
	t.Run("of the context", func(t *testing.T) {
		start := time.Now()
		req, _ := withTimeout(t, newRequest(t, "GET", m.URL, nil), d)
		timedOut(t, failed(t, c, req), start, d)
	})
	assert.Less(t, len(m.Requests()), 3*9)
}

func TestFix_redirect_drains_a_small_body_and_uses_the_connection_again(t *testing.T) {
	for name, reply := range map[string]testserver.Reply{
		"of known length":  {Status: 302, Header: []string{"Location: /next"}, Body: strings.Repeat("x", 32<<10)},
		"in chunks":        {Status: 302, Header: []string{"Location: /next"}, Body: strings.Repeat("x", 32<<10), Chunked: true},
		"that is encoded":  {Status: 302, Header: []string{"Location: /next", "Content-Encoding: gzip"}, Body: gzipped(t, plain)},
		"badly encoded":    {Status: 302, Header: []string{"Location: /next", "Content-Encoding: foo"}, Body: "foo"},
		"of length 0":      {Status: 302, Header: []string{"Location: /next"}},
		"with an own text": {Status: 302, Header: []string{"Location: /next"}, Body: "moved"},
	} {
		t.Run(name, func(t *testing.T) {
			m := testserver.MockReply(t, reply, testserver.Text(200, "ok"))
			c := newClient(t)
			_, text := get(t, c, m.URL)
			assert.Equal(t, "ok", text)
			assert.Equal(t, 1, m.Accepted())
		})
		t.Run(name+", with a future", func(t *testing.T) {
			m := testserver.MockReply(t, reply, testserver.Text(200, "ok"))
			resp, err := newClient(t).SendAsync(newRequest(t, "GET", m.URL, nil)).Result()
			require.NoError(t, err)
			require.NoError(t, resp.Discard())
			assert.Equal(t, 1, m.Accepted())
		})
	}
	t.Run("but does not wait for a large one", func(t *testing.T) {
		m := testserver.MockReply(t, testserver.Reply{
			Status: 302, Header: []string{"Location: /next", "Content-Length: 1000000000"}, From: testserver.Pattern(1e9),
		}, testserver.Text(200, "ok"))
		_, text := get(t, newClient(t), m.URL)
		assert.Equal(t, "ok", text)
		assert.Equal(t, 2, m.Accepted())
	})
	t.Run("nor for one that does not come", func(t *testing.T) {
		s := testserver.Raw(t, testserver.PerConnection(
			testserver.AnswerAndHang("HTTP/1.1 302 Found\r\nLocation: /next\r\nContent-Length: 5\r\n\r\n"),
			testserver.Answer(testserver.OK("ok"))))
		_, text := get(t, newClient(t), s.URL)
		assert.Equal(t, "ok", text)
	})
}

func TestFix_redirect_goes_to_http_and_https_alone(t *testing.T) {
	for _, to := range []string{
		"ftp://127.0.0.1/x", "file:///etc/passwd", "gopher://127.0.0.1:1/_x", "dict://127.0.0.1/d:x", "ldap://127.0.0.1/",
		"smb://127.0.0.1/x", "telnet://127.0.0.1", "javascript:alert(1)", "data:text/plain,x", "ws://127.0.0.1/", "HTTPX://h/",
	} {
		m := testserver.MockReply(t, testserver.Redirect(302, to))
		err := failed(t, newClient(t), newRequest(t, "GET", m.URL, nil))
		assert.ErrorIs(t, err, ratmom.ErrProtocol, to)
		assert.Contains(t, err.Error(), to)
		assert.Equal(t, m.AddrPort(), err.RemoteAddr)
		assert.Len(t, m.Requests(), 1)
	}
	t.Run("as the first URL does", func(t *testing.T) {
		for _, u := range []string{"ftp://127.0.0.1/x", "file:///etc/passwd", "gopher://127.0.0.1/", "127.0.0.1/x", "//127.0.0.1/"} {
			req := newRequest(t, "GET", u, nil)
			assert.ErrorIs(t, failed(t, newClient(t), req), ratmom.ErrInvalidRequest, u)
		}
	})
	t.Run("in any case, and without a scheme", func(t *testing.T) {
		to := testserver.MockReply(t, testserver.Text(200, "ok"))
		for _, location := range []string{"HTTP://" + to.Addr, "//" + to.Addr, "hTtP://" + to.Addr + "/x"} {
			m := testserver.MockReply(t, testserver.Redirect(302, location))
			_, text := get(t, newClient(t), m.URL)
			assert.Equal(t, "ok", text)
		}
	})
}

func TestFix_redirect_follows_the_five_statuses_alone(t *testing.T) {
	for _, status := range []int{300, 304, 305, 306, 200, 201} {
		m := testserver.MockReply(t, testserver.Redirect(status, "/next"))
		resp, _ := get(t, newClient(t), m.URL)
		assert.Equal(t, status, resp.StatusCode)
		assert.Len(t, m.Requests(), 1)
	}
	t.Run("and only with a Location", func(t *testing.T) {
		m := testserver.MockReply(t, testserver.Text(302, "where?"))
		resp, text := get(t, newClient(t), m.URL)
		assert.Equal(t, 302, resp.StatusCode)
		assert.Equal(t, "where?", text)
	})
	t.Run("that is a URL", func(t *testing.T) {
		for _, location := range []string{"http://[::1", "http://", "http://h:99999/", "http://a b/", "%zz"} {
			m := testserver.MockReply(t, testserver.Redirect(302, location))
			err := failed(t, newClient(t), newRequest(t, "GET", m.URL, nil))
			assert.True(t, err.Kind == ratmom.ErrProtocol || err.Kind == ratmom.ErrInvalidRequest, "%s: %v", location, err)
		}
	})
}
