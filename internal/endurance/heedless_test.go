package endurance

import (
	"bytes"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom/config"
	"github.com/ratmom/ratmom/internal/testserver"
)

// Handlers that do not read the body: Go's server answers, and then resets the stream with NO_ERROR.
func TestAnswer_to_an_upload_that_nobody_reads_is_whole(t *testing.T) {
	text := strings.Repeat("not for you", 10_000)
	s := testserver.Start(t, testserver.H2, http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		n, _ := strconv.Atoi(req.URL.Query().Get("n"))
		if req.URL.Path == "/flushed" {
			w.Header().Set("Trailer", "X-End")
			_ = http.NewResponseController(w).Flush()
			defer w.Header().Set("X-End", "here")
		}
		_, _ = io.WriteString(w, text[:n])
	}))
	for _, c := range []struct {
		name, path string
		n          int // bytes of the answer
		upload     int // bytes of the largest body
		sized      bool
		buffer     int
	}{
		{"a small upload", "/", 11, 30_000, true, 1 << 18},
		{"an upload", "/", 11, 500_000, true, 1 << 18},
		{"an upload of unknown length", "/", 11, 500_000, false, 1 << 18},
		{"an answer without a length", "/flushed", 11, 500_000, true, 1 << 18},
		{"an answer without a body", "/flushed", 0, 500_000, true, 1 << 18},
		{"a long answer", "/", len(text), 500_000, true, 1 << 20},
		{"a long answer that is read slowly", "/", len(text), 500_000, true, 4 << 10},
		{"a long answer that is read slowly to an upload of unknown length", "/", len(text), 500_000, false, 4 << 10},
	} {
		t.Run(c.name, func(t *testing.T) {
			client := clientFor(t, testserver.H2, s.CAFile)
			ctx := patient(t)
			var callers sync.WaitGroup
			for range 3 {
				callers.Go(func() {
					for i := range 6 {
						n := 1 + i*c.upload/6
						req := request(t, ctx, http.MethodPost, s.URL+c.path+"?n="+strconv.Itoa(c.n))
						req.Body = io.NopCloser(bytes.NewReader(make([]byte, n)))
						req.ContentLength = -1
						if c.sized {
							req.ContentLength = int64(n)
						}
						resp, err := client.Send(req, config.BodyBuffer(c.buffer))
						if !assert.NoError(t, err) {
							return
						}
						got, err := resp.Text()
						assert.NoError(t, err)
						assert.Equal(t, 2, resp.ProtoMajor)
						assert.True(t, got == text[:c.n], "%d bytes of %d", len(got), c.n)
						if c.path == "/flushed" && c.n > 0 {
							assert.Equal(t, "here", resp.Trailer.Get("X-End"))
						}
					}
				})
			}
			callers.Wait()
		})
	}
	require.False(t, t.Failed())
}
