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

// hangWhere lets no handshake end for whose number, from 1, it says so: they wait at shut.
func hangWhere(shut *testserver.Gate, hangs func(n int64) bool) testserver.Option {
	var made atomic.Int64
	return testserver.WithTLSConfig(func(c *tls.Config) {
		c.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
			if hangs(made.Add(1)) {
				return nil, shut.Wait(hello.Context())
			}
			return nil, nil
		}
	})
}

func hangAt(n int64, shut *testserver.Gate) testserver.Option {
	return hangWhere(shut, func(i int64) bool { return i == n })
}

func hangFrom(n int64, shut *testserver.Gate) testserver.Option {
	return hangWhere(shut, func(i int64) bool { return i >= n })
}

// sender returns a function that begins a request of a path.
func sender(t *testing.T, c *ratmom.Client, url string) func(string, ...config.RequestOption) *ratmom.Future {
	return func(path string, options ...config.RequestOption) *ratmom.Future {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url+path, nil)
		require.NoError(t, err)
		return c.SendAsync(req, options...)
	}
}

// discard waits for a response and reads it.
func discard(t *testing.T, f *ratmom.Future) error {
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	resp, err := f.Wait(ctx)
	if err != nil {
		return err
	}
	return resp.Discard()
}

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
			// A head may come so late that there is no time for the rest.
			if resp, err := client.Get(s.URL); err == nil && resp.Discard() == nil {
				answered.Store(true)
			}
		})
	}
	all.Wait()
	assert.True(t, answered.Load())
}

func TestRequests_do_not_wait_for_one_connection_that_hangs_for_ever(t *testing.T) {
	hung := testserver.NewGate()
	s := testserver.StartFunc(t, testserver.H2, func(http.ResponseWriter, *http.Request) {}, hangAt(1, hung))
	send := sender(t, newTestClient(t, config.CAFile(s.CAFile)), s.URL)
	send("")
	require.True(t, hung.WaitArrived(1, 10*time.Second))
	var futures []*ratmom.Future
	for range 20 {
		futures = append(futures, send(""))
	}
	for _, f := range futures {
		require.NoError(t, discard(t, f))
	}
	assert.LessOrEqual(t, s.Accepted(), 4)
}
