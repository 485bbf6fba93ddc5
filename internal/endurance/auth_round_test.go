package endurance

import (
	"bytes"
	"io"
	"net/http"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom/body"
	"github.com/ratmom/ratmom/config"
	"github.com/ratmom/ratmom/internal/testserver"
)

const askDigest = `www-authenticate: Digest realm="r", nonce="n", qop="auth"`

// The body comes with the second round alone, and both end their streams.
func TestRound_that_asks_for_a_password_ends_where_its_head_says_so(t *testing.T) {
	const size = 300_000
	for name, c := range map[string]struct {
		waits bool // for the end of the first round, before it answers
		body  func(req *http.Request)
	}{
		"the server waits for the end, in memory": {true, func(req *http.Request) {
			req.Body, req.ContentLength = body.Bytes(make([]byte, size)), size
		}},
		"the server waits for the end, a stream": {true, func(req *http.Request) {
			req.Body, req.ContentLength = io.NopCloser(bytes.NewReader(make([]byte, size))), size
		}},
		"the server waits for the end, a stream of unknown length": {true, func(req *http.Request) {
			req.Body, req.ContentLength = io.NopCloser(bytes.NewReader(make([]byte, size))), -1
		}},
		"the server answers at once and resets nothing": {false, func(req *http.Request) {
			req.Body, req.ContentLength = body.Bytes(make([]byte, size)), size
		}},
	} {
		t.Run(name, func(t *testing.T) {
			var got atomic.Int64
			s := testserver.Frames(t, func(conn *testserver.FrameConn) {
				_ = conn.WriteWindowUpdate(0, size)
				for {
					s, err := conn.NextRequest()
					if err != nil {
						return
					}
					if !s.Has("authorization") {
						if c.waits && conn.ReadAll(s) != nil {
							return
						}
						_ = conn.Head(s, true, 401, askDigest)
						continue
					}
					_ = conn.WriteWindowUpdate(s.ID, size)
					for !s.Ended {
						frame, err := conn.Next()
						if err != nil {
							return
						}
						if data, ok := frame.(interface{ Data() []byte }); ok {
							got.Add(int64(len(data.Data())))
						}
					}
					_ = conn.Head(s, true, 204)
				}
			}, testserver.WithTLS())
			client := clientFor(t, testserver.H2, s.CAFile)
			req := request(t, patient(t), http.MethodPost, s.URL)
			c.body(req)
			resp, err := client.Send(req, config.DigestAuth("user", "password"))
			require.NoError(t, err)
			require.NoError(t, resp.Discard())
			assert.Equal(t, 204, resp.StatusCode)
			assert.EqualValues(t, size, got.Load())
			assert.Len(t, s.Requests(), 2)
			assert.Equal(t, 1, s.Accepted())
		})
	}
}
