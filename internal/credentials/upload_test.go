package credentials

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom"
	"github.com/ratmom/ratmom/body"
	"github.com/ratmom/ratmom/cgo"
	"github.com/ratmom/ratmom/config"
	"github.com/ratmom/ratmom/internal/testserver"
)

// counted is a stream that tells how often it was read to its end, and how much of it.
type counted struct {
	io.Reader
	ends, bytes *atomic.Int64
}

func (c counted) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.bytes.Add(int64(n))
	if errors.Is(err, io.EOF) {
		c.ends.Add(1)
	}
	return n, err
}

func TestUploads_arrive_whole_and_once_after_rounds_of_authentication(t *testing.T) {
	const user, password = testserver.User, testserver.Password
	for _, c := range []struct {
		name   string
		guard  func(http.Handler) http.Handler
		option config.Option
		modes  []testserver.Mode
		// asks: the body goes along with the first request, too.
		asks bool
	}{
		{"Basic", testserver.Basic, config.BasicAuth(user, password), []testserver.Mode{testserver.H1, testserver.H2}, false},
		{"Digest", testserver.Digest{}.Handler, config.DigestAuth(user, password), []testserver.Mode{testserver.H1, testserver.HTTPS1, testserver.H2}, false},
		{"Digest, each nonce once", testserver.Digest{OneUse: true}.Handler, config.DigestAuth(user, password), []testserver.Mode{testserver.H1}, false},
		{"NTLM", func(h http.Handler) http.Handler { return testserver.NTLM(h) }, config.NTLMAuth(user, password), []testserver.Mode{testserver.H1, testserver.HTTPS1}, false},
		{"any of Digest", testserver.Digest{}.Handler, config.AnyAuth(user, password), []testserver.Mode{testserver.H1, testserver.H2}, true},
		{"any of NTLM", func(h http.Handler) http.Handler { return testserver.NTLM(h) }, config.AnySafeAuth(user, password), []testserver.Mode{testserver.H1}, true},
		{"any of Basic", testserver.Basic, config.AnyAuth(user, password), []testserver.Mode{testserver.H1, testserver.H2}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			if strings.Contains(c.name, "NTLM") && !cgo.Features().NTLM {
				testserver.Lacks(t, "libcurl without NTLM")
			}
			testserver.Modes(t, func(t *testing.T, mode testserver.Mode) {
				if mode.HTTP2() && !cgo.Features().HTTP2 {
					t.Skip("libcurl without HTTP/2")
				}
				var served atomic.Int64
				var got atomic.Value
				s := testserver.Start(t, mode, c.guard(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
					b, err := io.ReadAll(r.Body)
					assert.NoError(t, err)
					served.Add(1)
					got.Store(b)
				})))
				opts := []config.ClientOption{c.option}
				if mode.TLS() {
					opts = append(opts, config.CAFile(s.CAFile))
				}
				for _, size := range []int{1, 3000, 200_000, 2 << 20} {
					text := bytes.Repeat([]byte("0123456789abcdef"), size/16+1)[:size]
					for kind, make := range map[string]func(*http.Request, *atomic.Int64, *atomic.Int64){
						"in memory": func(req *http.Request, _, _ *atomic.Int64) {
							req.Body, req.ContentLength = body.Bytes(text), int64(size)
						},
						"a stream that can be had again": func(req *http.Request, ends, n *atomic.Int64) {
							req.GetBody = func() (io.ReadCloser, error) {
								return io.NopCloser(counted{bytes.NewReader(text), ends, n}), nil
							}
							req.Body, _ = req.GetBody()
							req.ContentLength = int64(size)
						},
						"a stream": func(req *http.Request, ends, n *atomic.Int64) {
							req.Body = io.NopCloser(counted{bytes.NewReader(text), ends, n})
							req.ContentLength = -1
						},
					} {
						for _, method := range []string{"POST", "PUT"} {
							what := []any{kind, size, method}
							client := newClient(t, opts...)
							served.Store(0)
							var ends, read atomic.Int64
							req, err := http.NewRequestWithContext(t.Context(), method, s.URL, nil)
							require.NoError(t, err)
							make(req, &ends, &read)
							resp, err := client.Send(req)
							if c.asks && mode.HTTP2() && cgo.Features().Version < 0x080000 && errors.Is(err, ratmom.ErrHTTP2) {
								continue // the server resets what it does not read: see docs/limits.md
							}
							if c.asks && kind == "a stream" && err != nil {
								// It is gone, unless the answer came before any of it was read.
								require.ErrorIs(t, err, ratmom.ErrBodyNotRewindable, "%v", what)
								assert.Zero(t, served.Load(), "%v", what)
								continue
							}
							require.NoError(t, err, "%v", what)
							require.NoError(t, resp.Discard())
							require.Equal(t, 200, resp.StatusCode, "%v", what)
							assert.Equal(t, int64(1), served.Load(), "%v", what)
							assert.True(t, bytes.Equal(text, got.Load().([]byte)), "%v", what)
							if !c.asks && kind != "in memory" {
								assert.Equal(t, int64(size), read.Load(), "read once: %v", what)
							}
						}
					}
				}
			}, c.modes...)
		})
	}
}
