package parity

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom"
	"github.com/ratmom/ratmom/config"
	"github.com/ratmom/ratmom/internal/testserver"
)

// wall is user code that says that it runs and blocks until it is let go.
type wall struct {
	once   sync.Once
	hit    chan struct{}
	letgo  chan struct{}
	opened sync.Once
}

func newWall(t *testing.T) *wall {
	w := &wall{hit: make(chan struct{}), letgo: make(chan struct{})}
	t.Cleanup(w.open) // before the client's Close, which comes later in the list
	return w
}

func (w *wall) open() { w.opened.Do(func() { close(w.letgo) }) }

func (w *wall) block() {
	w.once.Do(func() { close(w.hit) })
	<-w.letgo
}

type blockingReader struct{ w *wall }

func (b blockingReader) Read([]byte) (int, error) {
	b.w.block()
	return 0, io.EOF
}

type blockingCloser struct {
	io.Reader
	w *wall
}

func (b blockingCloser) Close() error {
	b.w.block()
	return nil
}

type blockingJar struct {
	http.CookieJar
	w *wall
}

func (b blockingJar) SetCookies(u *url.URL, c []*http.Cookie) {
	b.w.block()
	b.CookieJar.SetCookies(u, c)
}

func TestFix_user_code_that_blocks_does_not_stop_other_requests(t *testing.T) {
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	url := func(base, path string) *http.Request { return newRequest(t, "GET", base+path, nil) }
	for name, block := range map[string]func(w *wall, c *ratmom.Client, base string) *ratmom.Future{
		"a body's Read": func(w *wall, c *ratmom.Client, base string) *ratmom.Future {
			return c.SendAsync(newRequest(t, "POST", base, blockingReader{w}))
		},
		"a body's Close": func(w *wall, c *ratmom.Client, base string) *ratmom.Future {
			return c.SendAsync(newRequest(t, "POST", base, blockingCloser{unknownLength{strings.NewReader("x")}, w}))
		},
		"a GetBody": func(w *wall, c *ratmom.Client, base string) *ratmom.Future {
			req := newRequest(t, "POST", base+"/307", strings.NewReader("x"))
			req.GetBody = func() (io.ReadCloser, error) { w.block(); return io.NopCloser(strings.NewReader("x")), nil }
			return c.SendAsync(req)
		},
		"a CheckRedirect": func(w *wall, c *ratmom.Client, base string) *ratmom.Future {
			return c.SendAsync(url(base, "/302"), config.CheckRedirect(func(*http.Request, []*http.Request) error { w.block(); return nil }))
		},
		"a cookie jar": func(w *wall, c *ratmom.Client, base string) *ratmom.Future {
			return c.SendAsync(url(base, "/cookie"), config.CookieJar(blockingJar{jar, w}))
		},
		"a wire log": func(w *wall, c *ratmom.Client, base string) *ratmom.Future {
			return c.SendAsync(url(base, ""), config.WireLog(func(config.WireEvent) { w.block() }))
		},
	} {
		t.Run(name, func(t *testing.T) { blocks(t, nil, block) })
	}
	header := func(req *http.Request) bool { return req.Header.Get("X-Block") != "" }
	blocked := func(_ *wall, c *ratmom.Client, base string) *ratmom.Future {
		req := url(base, "")
		req.Header.Set("X-Block", "1")
		return c.SendAsync(req)
	}
	for name, intercept := range map[string]func(w *wall) ratmom.Interceptor{
		"an interceptor": func(w *wall) ratmom.Interceptor {
			return ratmom.InterceptFunc(func(req *http.Request, next ratmom.Next) (*ratmom.Response, error) {
				if header(req) {
					w.block()
				}
				return next(req)
			})
		},
		"a step's response": func(w *wall) ratmom.Interceptor {
			return ratmom.Step{Response: func(req *http.Request, resp *ratmom.Response, err error) (*ratmom.Response, *http.Request, error) {
				if header(req) {
					w.block()
				}
				return resp, nil, err
			}}
		},
	} {
		t.Run(name, func(t *testing.T) { blocks(t, intercept, blocked) })
	}
}

// blocks has one request of a client block in user code while others go on.
func blocks(t *testing.T, intercept func(*wall) ratmom.Interceptor, block func(*wall, *ratmom.Client, string) *ratmom.Future) {
	t.Helper()
	m := testserver.NewMock(t, testserver.ByPath(map[string]testserver.Reply{
		"/": testserver.Text(200, "ok"), "/302": testserver.Redirect(302, "/"), "/307": testserver.Redirect(307, "/"),
		"/cookie": {Header: []string{"Set-Cookie: a=b"}},
	}))
	w := newWall(t)
	var opts []config.ClientOption
	if intercept != nil {
		opts = append(opts, ratmom.Intercept(intercept(w)))
	}
	c := newClient(t, opts...)
	t.Cleanup(w.open)
	f := block(w, c, m.URL)
	done(t, w.hit, "the user's code should run")
	for range 20 { // more than any pool of workers
		_, text := get(t, c, m.URL)
		assert.Equal(t, "ok", text)
		other := c.SendAsync(newRequest(t, "GET", m.URL+"/302", nil))
		done(t, other.Done(), "a redirect of another request")
		resp, err := other.Result()
		require.NoError(t, err)
		require.NoError(t, resp.Discard())
	}
	w.open()
	done(t, f.Done(), "the request that was blocked")
	resp, err := f.Result()
	require.NoError(t, err)
	require.NoError(t, resp.Discard())
}

func TestFix_one_failure_does_not_end_the_agent(t *testing.T) {
	c := newClient(t)
	good := testserver.MockReply(t, testserver.Text(200, "ok"))
	for name, script := range map[string]testserver.Script{
		"closed at once":           testserver.CloseAtOnce(),
		"closed unanswered":        testserver.CloseUnanswered(),
		"reset unanswered":         testserver.ResetUnanswered(),
		"garbage":                  testserver.GarbageStatusLine(),
		"truncated length":         testserver.TruncatedContentLength(),
		"truncated chunk":          testserver.TruncatedChunked(),
		"no last chunk":            testserver.MissingLastChunk(),
		"bad chunk size":           testserver.BadChunkSize(),
		"endless head":             testserver.EndlessHead(),
		"endless header line":      testserver.EndlessHeaderLine(),
		"endless informational":    testserver.EndlessInformational(),
		"endless trailers":         testserver.EndlessTrailers(),
		"huge length":              testserver.HugeContentLength(),
		"no head for the deadline": testserver.HalfHead(),
	} {
		t.Run(name, func(t *testing.T) {
			s := testserver.Raw(t, script)
			resp, err := c.Send(newRequest(t, "GET", s.URL, nil), config.ResponseHeadTimeout(soon/10))
			if err == nil {
				err = resp.Discard()
			}
			var e *ratmom.Error
			require.ErrorAs(t, err, &e, "typed, and never a silent short body")
			assert.NotEqual(t, ratmom.ErrUnknown, e.Kind)
			assert.NotEqual(t, ratmom.ErrAgentStopped, e.Kind)
			_, text := get(t, c, good.URL)
			assert.Equal(t, "ok", text)
		})
	}
}
