package cgo_test

import (
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom/cgo"
)

// gate is a server of HTTP/1.1 that answers when as many requests are there as open says.
type gate struct {
	*httptest.Server
	connections atomic.Int64
	alive       atomic.Int64
	mu          sync.Mutex
	open        int
	held        []chan struct{}
}

func newGate(t *testing.T) *gate {
	t.Helper()
	g := &gate{}
	g.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-g.wait() }))
	g.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		switch s {
		case http.StateNew:
			g.connections.Add(1)
			g.alive.Add(1)
		case http.StateClosed:
			g.alive.Add(-1)
		}
	}
	g.Start()
	t.Cleanup(g.Close)
	return g
}

func (g *gate) wait() chan struct{} {
	g.mu.Lock()
	defer g.mu.Unlock()
	ch := make(chan struct{})
	if g.held = append(g.held, ch); len(g.held) == g.open {
		for _, ch := range g.held {
			close(ch)
		}
		g.held = nil
	}
	return ch
}

// keeping makes a driver that keeps up to n idle connections.
func keeping(t *testing.T, n int) *driver {
	t.Helper()
	var o cgo.MultiOptions
	o.Long(cgo.MultiOptMaxConnects, int64(n))
	return newDriverWith(t, &o)
}

// burst has n requests at once at the server.
func (d *driver) burst(g *gate, n int, serial bool) {
	d.t.Helper()
	g.mu.Lock()
	g.open = n
	g.mu.Unlock()
	runs := make([]*run, n)
	for i := range runs {
		runs[i] = d.begin(g.URL, func(_ *run, s *cgo.Setup, _ *cgo.Options) { s.Origin, s.Serial = 7, serial })
	}
	for _, r := range runs {
		res := d.finish(r)
		require.Zero(d.t, res.Code, "%+v", res)
	}
}

func TestRequests_that_share_no_connection_are_spread_over_pools(t *testing.T) {
	g := newGate(t)
	d := keeping(t, 1000)
	d.burst(g, 64, true)
	require.Zero(t, d.m.Pools(), "one pool holds so many")
	d.burst(g, 250, true)
	require.Equal(t, 3, d.m.Pools(), "beside the first")
	d.burst(g, 250, true)
	d.burst(g, 100, true)
	require.EqualValues(t, 250, g.connections.Load(), "as many as there were requests at once")
	require.Equal(t, 3, d.m.Pools())
}

func TestRequests_are_spread_when_the_server_has_turned_out_to_speak_HTTP_1(t *testing.T) {
	g := newGate(t)
	d := keeping(t, 1000)
	d.burst(g, 100, false)
	d.burst(g, 100, false)
	require.Zero(t, d.m.Pools(), "the connections that are there are used, wherever they are")
	require.EqualValues(t, 100, g.connections.Load())
	d.burst(g, 200, false)
	require.Equal(t, 2, d.m.Pools())
	require.EqualValues(t, 200, g.connections.Load())
}

func TestPools_in_which_all_connections_have_ended_are_closed(t *testing.T) {
	g := newGate(t)
	d := keeping(t, 1000)
	d.burst(g, 200, true)
	require.Equal(t, 3, d.m.Pools())
	d.m.CloseIdle()
	require.Zero(t, d.m.Pools())
	d.burst(g, 200, true)
	require.Equal(t, 3, d.m.Pools())
	require.EqualValues(t, 400, g.connections.Load())
	if portable {
		return // it sees the end of an idle connection at its next use
	}
	g.CloseClientConnections()
	d.until("the pools are closed", func() bool { return d.m.Pools() == 0 })
}

func TestLimits_of_connections_keep_them_in_one_pool(t *testing.T) {
	g := newGate(t)
	for _, o := range []cgo.MultiOpt{cgo.MultiOptMaxHostConnections, cgo.MultiOptMaxTotalConnections} {
		var limits cgo.MultiOptions
		limits.Long(o, 1000)
		d := newDriverWith(t, &limits)
		d.burst(g, 200, true)
		require.Zero(t, d.m.Pools())
	}
}

func TestNot_more_connections_are_kept_in_all_pools_than_the_limit_says(t *testing.T) {
	for _, c := range []struct {
		name string
		d    *driver
		most int64
	}{
		{"a limit", keeping(t, 100), 100},
		// Those of the first pool are libcurl's matter.
		{"libcurl's own, four times the transfers under way", newDriver(t), 64},
	} {
		g := newGate(t)
		c.d.burst(g, 250, true)
		for range 250 {
			c.d.burst(g, 1, true)
		}
		require.Eventually(t, func() bool { return g.alive.Load() <= c.most }, patience, time.Millisecond,
			"%s: %d connections", c.name, g.alive.Load())
		require.EqualValues(t, 250, g.connections.Load(), "%s: one that is idle was used", c.name)
	}
}
