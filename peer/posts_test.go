package peer

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom"
	"github.com/ratmom/ratmom/body"
	"github.com/ratmom/ratmom/config"
	"github.com/ratmom/ratmom/internal/testserver"
)

// counter is a server that notes how often each POST has come to it.
type counter struct {
	*testserver.Server
	mu    sync.Mutex
	seen  map[string]int
	round int // the test's
}

func newCounter(t *testing.T) *counter {
	c := &counter{seen: make(map[string]int)}
	c.Server = testserver.Start(t, testserver.H1, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		c.mu.Lock()
		c.seen[string(b)]++
		c.mu.Unlock()
		_, _ = w.Write(b)
	}))
	return c
}

// post sends n POSTs, at most width at once, calls between before each, and holds that none came twice and
// that what succeeded came. It returns how many failed, which must be because a connection was closed as they were sent.
func (c *counter) post(t *testing.T, m *Map, url string, n, width int, between func(i int)) (failed int) {
	t.Helper()
	rs := make([]*Request, 0, n)
	c.round++
	name := func(i int) string { return fmt.Sprintf("%d of round %d", i, c.round) }
	for i := range n {
		if i >= width {
			<-rs[i-width].Done()
		}
		between(i)
		req := request(t, http.MethodPost, url)
		req.Body = body.String(name(i))
		rs = append(rs, m.Go(req, Timeout(30*time.Second)))
	}
	var first error
	for i, r := range rs {
		res, err := r.Result()
		c.mu.Lock()
		times := c.seen[name(i)]
		c.mu.Unlock()
		if err == nil {
			require.Equal(t, name(i), string(res.Content))
			require.Equal(t, 1, times, "%s", name(i))
			continue
		}
		failed++
		if first == nil {
			first = err
		}
		require.LessOrEqual(t, times, 1, "%s", name(i))
		require.True(t, r.Revealed(), "%v: it could have been sent elsewhere", err)
		require.True(t, slices.ContainsFunc(closings, func(k error) bool { return errors.Is(err, k) }), "%v", err)
	}
	t.Logf("%s: %d of %d were met by a closing connection: %v", url, failed, n, first)
	return failed
}

// closings are the errors of a request whose connection closes.
var closings = []error{ratmom.ErrConnectionClosed, ratmom.ErrReceive, ratmom.ErrSend, ratmom.ErrHTTP2}

func nothing(int) {}

func heavy(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("heavy")
	}
}

func TestHAProxy_that_closes_after_some_requests_loses_and_doubles_none(t *testing.T) {
	heavy(t)
	c := newCounter(t)
	h := testserver.HAProxyWith(t, c.Addr, "http-after-response set-header connection close if { rand(7) eq 0 }")
	m := openMap(t, Requests(config.CAFile(h.CAFile)))
	for _, url := range []string{h.URL, h.TLSURL} {
		assert.Zero(t, c.post(t, m, url, 10_000, 200, nothing), "all could be saved")
	}
}

func TestHAProxy_that_closes_idle_connections_doubles_none(t *testing.T) {
	heavy(t)
	c := newCounter(t)
	h := testserver.HAProxyWith(t, c.Addr, "timeout http-keep-alive 5ms")
	m := openMap(t, Requests(config.CAFile(h.CAFile)))
	for _, url := range []string{h.URL, h.TLSURL} {
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		failed := c.post(t, m, url, 600, 1, func(int) { <-tick.C })
		assert.Less(t, failed, 300, "most are told in time")
	}
}

func TestHAProxy_that_is_reloaded_loses_few_and_doubles_none(t *testing.T) {
	heavy(t)
	c := newCounter(t)
	h := testserver.HAProxyWith(t, c.Addr)
	m := openMap(t, Requests(config.CAFile(h.CAFile)))
	for _, url := range []string{h.URL, h.TLSURL} {
		reloads := 0
		failed := c.post(t, m, url, 10_000, 50, func(i int) {
			if i%2500 == 1000 {
				h.Reload()
				reloads++
			}
		})
		assert.LessOrEqual(t, failed, reloads*4, "no more than one of each connection")
		assert.NoError(t, m.Find(mustID(t, m, url)).Err())
	}
}

func mustID(t *testing.T, m *Map, url string) ID {
	t.Helper()
	p, err := m.Get(url)
	require.NoError(t, err)
	return p.ID()
}

func TestSquid_that_closes_connections_doubles_none(t *testing.T) {
	heavy(t)
	for _, lines := range [][]string{
		nil,
		{"client_persistent_connections off"},
		{"server_persistent_connections off"},
	} {
		t.Run(strings.Join(lines, " "), func(t *testing.T) {
			c := newCounter(t)
			s := testserver.SquidWith(t, lines...)
			m := openMap(t, Requests(config.Proxy(s.URL)))
			assert.Zero(t, c.post(t, m, c.URL, 3000, 50, nothing), "all could be saved")
		})
	}
}

func TestSquid_that_closes_idle_connections_is_met_again(t *testing.T) {
	heavy(t)
	c := newCounter(t)
	s := testserver.SquidWith(t, "client_idle_pconn_timeout 1 second")
	m := openMap(t, Requests(config.Proxy(s.URL)))
	p, err := m.Get(c.URL)
	require.NoError(t, err)
	for range 2 {
		c.post(t, m, c.URL, 4, 4, nothing)
		eventually(t, "the links go", func() bool { return len(states(p)) == 0 })
	}
}
