package ratmom_test

import (
	"context"
	"crypto/tls"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom"
	"github.com/ratmom/ratmom/config"
	"github.com/ratmom/ratmom/internal/testserver"
)

func TestRequests_get_a_connection_again_after_one_has_taken_all_the_time_of_its_request(t *testing.T) {
	const (
		limit     = 500 * time.Millisecond
		handshake = 100 * time.Millisecond
	)
	var made atomic.Int64
	s := testserver.StartFunc(t, testserver.H2, func(http.ResponseWriter, *http.Request) {},
		testserver.WithTLSConfig(func(c *tls.Config) {
			c.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
				if made.Add(1) == 1 {
					<-hello.Context().Done()
				}
				<-time.After(handshake) // a server that is far away
				return nil, nil
			}
		}))
	client := newTestClient(t, config.CAFile(s.CAFile), config.Timeout(limit))
	var answered atomic.Bool
	var all sync.WaitGroup
	// Those that come meanwhile wait for the first one: the oldest have hardly any time left.
	next := time.NewTicker(10 * time.Millisecond)
	defer next.Stop()
	for begin := time.Now(); time.Since(begin) < 10*limit && !answered.Load(); <-next.C {
		all.Go(func() {
			if resp, err := client.Get(s.URL); err == nil {
				answered.Store(true)
				assert.NoError(t, resp.Discard())
			}
		})
	}
	all.Wait()
	assert.True(t, answered.Load())
}

func TestRequests_do_not_wait_for_one_connection_that_hangs_for_ever(t *testing.T) {
	var made atomic.Int64
	hangs := make(chan struct{})
	s := testserver.StartFunc(t, testserver.H2, func(http.ResponseWriter, *http.Request) {},
		testserver.WithTLSConfig(func(c *tls.Config) {
			c.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
				if made.Add(1) == 1 {
					close(hangs)
					<-hello.Context().Done()
				}
				return nil, nil
			}
		}))
	client := newTestClient(t, config.CAFile(s.CAFile))
	send := func() *ratmom.Future {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL, nil)
		require.NoError(t, err)
		return client.SendAsync(req)
	}
	first := send()
	defer first.Cancel()
	<-hangs
	var futures []*ratmom.Future
	for range 20 {
		futures = append(futures, send())
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	for _, f := range futures {
		resp, err := f.Wait(ctx)
		require.NoError(t, err)
		require.NoError(t, resp.Discard())
	}
	assert.LessOrEqual(t, made.Load(), int64(4))
}
