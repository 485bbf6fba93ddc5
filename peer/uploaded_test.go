package peer

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom/body"
	"github.com/ratmom/ratmom/retry"
)

func TestOnUpload_tells_how_far_the_content_is(t *testing.T) {
	const size = 1 << 20
	content := bytes.Repeat([]byte("x"), size)
	for _, secured := range []bool{false, true} {
		for _, c := range []struct {
			name        string
			body        func() io.ReadCloser
			size, total int64
		}{
			{"in memory", func() io.ReadCloser { return body.Bytes(content) }, size, size},
			{"little, in memory", func() io.ReadCloser { return body.Bytes(content[:5]) }, 5, 5},
			{"a stream", func() io.ReadCloser { return io.NopCloser(io.LimitReader(strings.NewReader(string(content)), size)) }, size, -1},
		} {
			t.Run(c.name, func(t *testing.T) {
				h := func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) }
				var s *server
				if secured {
					s = secure(t, h, 0)
				} else {
					s = plain(t, h)
				}
				var mu sync.Mutex
				var seen []int64
				running := 0
				req := request(t, http.MethodPost, s.URL)
				req.Body, req.ContentLength = c.body(), c.total
				_, err := openMap(t, trusting()).Do(req, OnUpload(func(n, total int64) {
					mu.Lock()
					defer mu.Unlock()
					if running++; running != 1 {
						t.Error("two calls at once")
					}
					assert.Equal(t, c.total, total)
					seen = append(seen, n)
					running--
				}))
				require.NoError(t, err)
				eventually(t, "all of it is told of", func() bool {
					mu.Lock()
					defer mu.Unlock()
					return len(seen) > 0 && seen[len(seen)-1] == c.size
				})
				assert.IsNonDecreasing(t, seen)
			})
		}
	}
}

func TestOnUpload_that_blocks_holds_nobody_up_but_itself(t *testing.T) {
	s := plain(t, func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) })
	m := openMap(t)
	in, out := make(chan int64, 1000), make(chan struct{})
	req := request(t, http.MethodPost, s.URL)
	req.Body = body.Bytes(make([]byte, 4<<20))
	r := m.Go(req, OnUpload(func(n, _ int64) {
		in <- n
		<-out
	}))
	first := await(t, in)
	_, err := r.Result() // goes on all the same
	require.NoError(t, err)
	_, err = m.Do(request(t, http.MethodGet, s.URL))
	require.NoError(t, err)
	assert.Empty(t, in)
	close(out)
	if first < 4<<20 {
		assert.EqualValues(t, 4<<20, await(t, in), "what was missed is told by one call")
	}
}

func TestOnUpload_begins_again_with_the_content(t *testing.T) {
	const size = 1 << 20
	bad := plain(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.WriteHeader(http.StatusServiceUnavailable)
	})
	good := plain(t, func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) })
	m := openMap(t, of(bad, good), inOrder(), Requests(soon(retry.Policy{})))
	var mu sync.Mutex
	var seen []int64
	req := request(t, http.MethodPut, peerURL)
	req.Body = body.Bytes(make([]byte, size))
	_, err := m.Do(req, OnUpload(func(n, _ int64) {
		mu.Lock()
		defer mu.Unlock()
		seen = append(seen, n)
	}))
	require.NoError(t, err)
	assert.EqualValues(t, 1, bad.hits.Load())
	eventually(t, "all of it is told of", func() bool {
		mu.Lock()
		defer mu.Unlock()
		return len(seen) > 0 && seen[len(seen)-1] == size
	})
}
