//go:build linux && !ratmom_poll

package ratmom_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom"
	"github.com/ratmom/ratmom/config"
	"github.com/ratmom/ratmom/internal/testserver"
)

// Bodies and requests share connections on which little gets through at a time, and some are given
// up in the middle: what the others send must be what arrives.
func TestUploads_arrive_whole_however_the_way_takes_them(t *testing.T) {
	const workers, each = 8, 6
	for seed := range uint64(4) {
		testserver.Modes(t, func(t *testing.T, mode testserver.Mode) {
			t.Logf("seed %d", seed)
			var mu sync.Mutex
			r := rand.New(rand.NewPCG(seed, 2))
			dice := func(n int) int {
				mu.Lock()
				defer mu.Unlock()
				return r.IntN(n)
			}
			s := testserver.StartFunc(t, mode, func(w http.ResponseWriter, r *http.Request) {
				if n, err := testserver.CheckPattern(r.Body); err != nil || n != r.ContentLength {
					w.WriteHeader(http.StatusBadRequest)
				}
			}, testserver.WithServer(func(s *http.Server) {
				s.HTTP2 = &http.HTTP2Config{MaxReceiveBufferPerConnection: 16 << 20, MaxReceiveBufferPerStream: 4 << 20}
			}))
			valve := testserver.NewValve(t, s.Addr, func() int { return 1 << dice(17) }, nil)
			client := newTestClient(t, config.CAFile(s.CAFile), config.Timeout(time.Minute))
			one := func() {
				size := int64(1) << (10 + dice(12))
				testserver.Narrow(t, valve.Addr)
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				req, err := http.NewRequestWithContext(ctx, http.MethodPut, "https://"+valve.Addr, testserver.Pattern(size))
				require.NoError(t, err)
				req.ContentLength = size
				given := dice(4) == 0
				var options []config.RequestOption
				if given {
					at := int64(dice(int(size)))
					options = append(options, config.UploadProgress(func(sent, _ int64) {
						if sent >= at {
							cancel()
						}
					}))
				}
				resp, err := client.Send(req, options...)
				if err != nil {
					assert.True(t, given, "%v", err)
					assert.True(t, errors.Is(err, ratmom.ErrCanceled), "%v", err)
					return
				}
				if err := resp.Discard(); !given {
					assert.NoError(t, err)
				}
				assert.Equal(t, http.StatusOK, resp.StatusCode)
			}
			var all sync.WaitGroup
			for range workers {
				all.Go(func() {
					for range each {
						one()
					}
				})
			}
			all.Wait()
		}, testserver.HTTPS1, testserver.H2)
	}
}
