package peer

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
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
	"github.com/ratmom/ratmom/peer/health"
	"github.com/ratmom/ratmom/retry"
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
	return c.postTo(t, m, []string{url}, n, width, between)
}

// postTo is post to several in turn.
func (c *counter) postTo(t *testing.T, m *Map, urls []string, n, width int, between func(i int)) (failed int) {
	t.Helper()
	rs := make([]*Request, 0, n)
	c.round++
	name := func(i int) string { return fmt.Sprintf("%d of round %d", i, c.round) }
	for i := range n {
		if i >= width {
			<-rs[i-width].Done()
		}
		between(i)
		req := request(t, http.MethodPost, urls[i%len(urls)])
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
	t.Logf("%s: %d of %d were met by a closing connection: %v", strings.Join(urls, " "), failed, n, first)
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

// nginxBefore starts an nginx that can be reloaded before a counter, whose connections to it live on.
func nginxBefore(t *testing.T, c *counter) *testserver.NginxServer {
	t.Helper()
	return testserver.Nginx(t, testserver.NginxMaster(),
		testserver.NginxHTTP("upstream counter { server "+c.Addr+"; keepalive 64; }"),
		testserver.NginxWith(`location = /count { proxy_pass http://counter; proxy_http_version 1.1; proxy_set_header Connection ""; }`))
}

func TestNginx_that_is_reloaded_loses_few_and_doubles_none(t *testing.T) {
	heavy(t)
	c := newCounter(t)
	s := nginxBefore(t, c)
	m := openMap(t, Requests(config.CAFile(s.CAFile)))
	for _, url := range []string{s.URL, s.TLSURL} {
		reloads := 0
		failed := c.post(t, m, url+"/count", 2000, 50, func(i int) {
			if i%500 == 250 {
				s.Reload()
				reloads++
			}
		})
		p := m.Find(mustID(t, m, url))
		assert.LessOrEqual(t, failed, int(p.Counters().LinksOpened), "no more than one of each connection")
		assert.NoError(t, p.Err())
		eventually(t, "connections were closed by a reload", func() bool { return p.Counters().LinksClosed["down"] > 0 })
		t.Logf("%d reloads, %d links", reloads, p.Counters().LinksOpened)
	}
}

func TestSquid_that_is_reloaded_loses_few_and_doubles_none(t *testing.T) {
	heavy(t)
	c := newCounter(t)
	s := testserver.SquidWith(t)
	m := openMap(t, Requests(config.Proxy(s.URL)), squidsGap())
	reloads := 0
	failed := c.post(t, m, c.URL, 2000, 50, func(i int) {
		if i%500 == 250 {
			s.Reload()
			reloads++
		}
	})
	assert.LessOrEqual(t, failed, int(m.Counters().LinksOpened), "no more than one of each connection")
	eventually(t, "Squid has read its configuration anew", func() bool { return strings.Contains(s.Log(), "Reconfiguring") })
	t.Logf("%d reloads, %d links", reloads, m.Counters().LinksOpened)
}

// squidsGap has requests bear that Squid does not listen for a moment while it reads its configuration: what was not sent
// is sent later.
func squidsGap() Option {
	return func(o *options) error {
		o.errorTTL[health.KindRefused] = health.TTL{}
		return Requests(config.Retry(retry.Policy{Tries: 5, On: retry.Of(retry.Connect)}))(o)
	}
}

// soakVariable asks for the long form of tests; ci/soak.sh sets it.
const soakVariable = "RATMOM_SOAK"

func TestSoak_posts_through_servers_that_are_reloaded_come_once(t *testing.T) {
	heavy(t)
	n, every := 1500, 500
	if os.Getenv(soakVariable) != "" {
		n, every = 100_000, 5000
	}
	c := newCounter(t)
	nginx, haproxy, squid := nginxBefore(t, c), testserver.HAProxyWith(t, c.Addr), testserver.SquidWith(t)
	m := openMap(t, Requests(config.CAFile(nginx.CAFile)), squidsGap(), EachPeer(func(id ID) []Option {
		if net.JoinHostPort(id.Host, id.Port) == c.Addr {
			return []Option{Requests(config.Proxy(squid.URL))}
		}
		return nil
	}))
	urls := []string{nginx.URL + "/count", nginx.TLSURL + "/count", haproxy.URL, haproxy.TLSURL, c.URL}
	reloads := 0
	failed := c.postTo(t, m, urls, n, 100, func(i int) {
		if i%every != every/2 {
			return
		}
		nginx.Reload()
		haproxy.Reload()
		squid.Reload()
		reloads++
	})
	assert.LessOrEqual(t, failed, int(m.Counters().LinksOpened), "no more than one of each connection")
	c.mu.Lock()
	defer c.mu.Unlock()
	assert.GreaterOrEqual(t, len(c.seen), n-failed)
	assert.LessOrEqual(t, len(c.seen), n)
	t.Logf("%d POSTs, %d reloads of each, %d came to the server, none twice; %+v", n, reloads, len(c.seen), m.Counters())
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
