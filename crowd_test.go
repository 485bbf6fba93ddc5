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

// assembly is a server that answers requests to / at once, and those to /all when so many
// have come.
type assembly struct {
	*testserver.Server
	come atomic.Int64
}

func assemble(t *testing.T, mode testserver.Mode, all int64, options ...testserver.Option) *assembly {
	t.Helper()
	a := &assembly{}
	there := make(chan struct{})
	a.Server = testserver.StartFunc(t, mode, func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/all" {
			return
		}
		if a.come.Add(1) == all {
			close(there)
		}
		select {
		case <-there:
		case <-r.Context().Done():
		}
	}, options...)
	return a
}

func streams(n int) testserver.Option {
	return testserver.WithServer(func(s *http.Server) { s.HTTP2 = &http.HTTP2Config{MaxConcurrentStreams: n} })
}

// together sends n requests at once and waits for their answers.
func together(t *testing.T, c *ratmom.Client, url string, n int, options ...config.RequestOption) {
	t.Helper()
	futures := make([]*ratmom.Future, n)
	for i := range futures {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
		require.NoError(t, err)
		futures[i] = c.SendAsync(req, options...)
	}
	for _, f := range futures {
		resp, err := f.Result()
		require.NoError(t, err)
		require.NoError(t, resp.Discard())
	}
}

func TestBurst_makes_hardly_more_HTTP2_connections_than_it_needs(t *testing.T) {
	const n = 1000
	for _, c := range []struct {
		name    string
		streams int
		warm    bool
	}{
		{"with a connection", 100, true},
		{"without one", 100, false},
		{"with more streams than libcurl uses", 250, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := assemble(t, testserver.H2, n, streams(c.streams))
			client := newTestClient(t, config.CAFile(s.CAFile), config.Timeout(30*time.Second))
			if c.warm {
				together(t, client, s.URL, 1)
			}
			together(t, client, s.URL+"/all", n)
			need := n / min(c.streams, 100)
			t.Logf("%d connections, %d needed", s.Accepted(), need)
			assert.LessOrEqual(t, s.Accepted(), need+need/4+20)
		})
	}
}

func TestBurst_makes_no_needless_connections_beside_one_that_takes_no_more_requests(t *testing.T) {
	const n = 1000
	gate := testserver.NewGate()
	s := testserver.StartFunc(t, testserver.H2, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/hold":
			_ = gate.Wait(r.Context())
		case "/last":
			w.Header().Set("Connection", "close") // GOAWAY
		}
	}, streams(100), testserver.WithTLSConfig(func(c *tls.Config) {
		c.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) {
			<-time.After(100 * time.Millisecond) // a server that is far away
			return nil, nil
		}
	}))
	client := newTestClient(t, config.CAFile(s.CAFile), config.Timeout(30*time.Second))
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL+"/hold", nil)
	require.NoError(t, err)
	long := client.SendAsync(req)
	require.True(t, gate.WaitArrived(1, 10*time.Second))
	together(t, client, s.URL+"/last", 1)
	together(t, client, s.URL, n)
	gate.Open()
	resp, err := long.Result()
	require.NoError(t, err)
	require.NoError(t, resp.Discard())
	assert.LessOrEqual(t, s.Accepted(), 50, "some 11 are needed")
}

func TestRequests_of_HTTP1_at_once_do_not_wait_for_one_anothers_answers(t *testing.T) {
	const n = 50
	s := assemble(t, testserver.H2, n, testserver.WithServer(func(s *http.Server) {
		s.Protocols.SetHTTP2(false)
		s.Protocols.SetHTTP1(true)
	}))
	client := newTestClient(t, config.CAFile(s.CAFile), config.Timeout(30*time.Second))
	together(t, client, s.URL+"/all", n)
	assert.Equal(t, n, s.Accepted())
}

func TestRequests_do_not_wait_one_after_the_other_for_connections_that_fail(t *testing.T) {
	const limit = 300 * time.Millisecond
	s := testserver.Raw(t, func(c *testserver.Conn) { c.UntilClosed() })
	client := newTestClient(t, config.ConnectTimeout(limit))
	begin := time.Now()
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			_, err := client.Get("https://" + s.Addr)
			assert.ErrorIs(t, err, ratmom.ErrTimeout)
		})
	}
	all.Wait()
	assert.Less(t, time.Since(begin), 20*limit, "two limits, on a slow machine")
}

// silence is a client whose requests wait for a connection that is not made.
func silence(t *testing.T, n int) (*ratmom.Client, []*ratmom.Future, []context.CancelFunc) {
	t.Helper()
	s := testserver.Raw(t, func(c *testserver.Conn) { c.UntilClosed() })
	client := newTestClient(t)
	futures, cancels := make([]*ratmom.Future, n), make([]context.CancelFunc, n)
	for i := range futures {
		ctx, cancel := context.WithCancel(t.Context())
		t.Cleanup(cancel)
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://"+s.Addr, nil)
		require.NoError(t, err)
		futures[i], cancels[i] = client.SendAsync(req), cancel
	}
	require.True(t, s.WaitAccepted(1, 10*time.Second))
	return client, futures, cancels
}

func TestRequest_that_waits_for_anothers_connection_can_be_cancelled(t *testing.T) {
	_, futures, cancels := silence(t, 5)
	for _, i := range []int{2, 4, 0, 1, 3} { // amid those that wait, the last, the one that connects
		cancels[i]()
		_, err := futures[i].Result()
		require.ErrorIs(t, err, context.Canceled)
	}
}

func TestClient_that_is_closed_ends_requests_that_wait_for_anothers_connection(t *testing.T) {
	client, futures, _ := silence(t, 5)
	require.NoError(t, client.Close())
	for _, f := range futures {
		_, err := f.Result()
		require.ErrorIs(t, err, ratmom.ErrClosed)
	}
}

func TestRequests_whose_options_differ_do_not_wait_for_one_anothers_connections(t *testing.T) {
	s := testserver.StartFunc(t, testserver.H2, func(http.ResponseWriter, *http.Request) {})
	silent := testserver.Raw(t, func(c *testserver.Conn) { c.UntilClosed() })
	client := newTestClient(t, config.CAFile(s.CAFile), config.Timeout(30*time.Second))
	together(t, client, s.URL, 1)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL, nil)
	require.NoError(t, err)
	elsewhere := client.SendAsync(req, config.Proxy("http://"+silent.Addr))
	require.True(t, silent.WaitAccepted(1, 10*time.Second))
	together(t, client, s.URL, 10)
	cancel()
	_, err = elsewhere.Result()
	require.ErrorIs(t, err, context.Canceled)
}

func TestMetrics_count_the_time_in_which_a_request_waited_for_anothers_connection(t *testing.T) {
	const handshake = 200 * time.Millisecond
	s := testserver.StartFunc(t, testserver.H2, func(http.ResponseWriter, *http.Request) {},
		testserver.WithTLSConfig(func(c *tls.Config) {
			c.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) {
				<-time.After(handshake) // a server that is far away
				return nil, nil
			}
		}))
	client := newTestClient(t, config.CAFile(s.CAFile), config.Metrics(true))
	futures := make([]*ratmom.Future, 2)
	for i := range futures {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL, nil)
		require.NoError(t, err)
		futures[i] = client.SendAsync(req)
	}
	for i, f := range futures {
		resp, err := f.Result()
		require.NoError(t, err)
		require.NoError(t, resp.Discard())
		m, ok := resp.Metrics()
		require.True(t, ok)
		assert.Equal(t, i == 1, m.ConnectionReused)
		assert.Greater(t, m.Total, handshake/2)
		assert.Greater(t, m.PreTransfer, handshake/2)
	}
	assert.Equal(t, 1, s.Accepted())
}
