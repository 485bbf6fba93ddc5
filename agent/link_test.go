package agent

import (
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom/handler"
)

// linkLog notes what a link was told.
type linkLog struct {
	up   chan handler.LinkInfo
	down chan time.Time
}

func newLinkLog() *linkLog {
	return &linkLog{make(chan handler.LinkInfo, 16), make(chan time.Time, 16)}
}

func (l *linkLog) LinkUp(i handler.LinkInfo) { l.up <- i }
func (l *linkLog) LinkDown()                 { l.down <- time.Now() }

// linkServer counts connections and remembers the last.
type linkServer struct {
	*httptest.Server
	conns, hits atomic.Int64
	last        atomic.Pointer[net.Conn]
}

func newLinkServer(t *testing.T) *linkServer {
	s := new(linkServer)
	s.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.hits.Add(1)
		_, _ = w.Write([]byte(r.RemoteAddr))
	}))
	s.Config.ConnState = func(c net.Conn, st http.ConnState) {
		if st == http.StateNew {
			s.conns.Add(1)
			s.last.Store(&c)
		}
	}
	s.Start()
	t.Cleanup(s.Close)
	return s
}

func (c *call) Arrived(*handler.Handler)          {}
func (c *call) Ended(_ *handler.Handler, _ error) { close(c.over) }

// onLink makes a request on a link without giving it to the agent.
func onLink(t *testing.T, h *Handle, l *handler.Link, bound bool, method, url string) *call {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	require.NoError(t, err)
	c := &call{done: make(chan struct{}), over: make(chan struct{})}
	c.Handler, err = handler.New(h.Pool(), &handler.Spec{
		Request: req, Plan: plan(t), Driver: h.Driver(), Done: c, Watcher: c, Link: l, Bound: bound,
	})
	require.NoError(t, err)
	return c
}

func (c *call) end(t *testing.T) error {
	t.Helper()
	err := c.wait(t)
	if err == nil {
		resp, rerr := c.Response()
		require.NoError(t, rerr)
		_ = resp.Body.Close()
	}
	await(t, c.over)
	return err
}

func await[T any](t *testing.T, c <-chan T) (v T) {
	t.Helper()
	select {
	case v = <-c:
	case <-time.After(patience):
		t.Fatal("nothing happened")
	}
	return v
}

func TestLink_is_one_connection_that_all_its_requests_use(t *testing.T) {
	s, h, log := newLinkServer(t), start(t), newLinkLog()
	l, err := handler.NewLink(s.Listener.Addr().String(), log)
	require.NoError(t, err)
	for i := range 20 {
		c := onLink(t, h, l, i > 0, http.MethodGet, "http://no.host.invalid/")
		h.Execute(c.Handler)
		require.NoError(t, c.end(t))
		assert.True(t, c.Committed())
		assert.False(t, c.Revoke(), "it was sent")
	}
	assert.EqualValues(t, 1, s.conns.Load())
	info := await(t, log.up)
	assert.Equal(t, s.Listener.Addr().String(), info.Remote.String())
	assert.Positive(t, info.Fd)
	h.CloseLink(l)
	h.CloseLink(l) // no more than once
	c := onLink(t, h, l, false, http.MethodGet, s.URL)
	h.Execute(c.Handler)
	require.Error(t, c.end(t), "the link is closed")
	assert.True(t, c.Unsent())
}

func TestLink_tells_in_time_that_the_server_has_closed_it(t *testing.T) {
	s, h, log := newLinkServer(t), start(t), newLinkLog()
	l, err := handler.NewLink("", log)
	require.NoError(t, err)
	c := onLink(t, h, l, false, http.MethodGet, s.URL)
	h.Execute(c.Handler)
	require.NoError(t, c.end(t))
	at := time.Now()
	require.NoError(t, (*s.last.Load()).Close())
	assert.Less(t, await(t, log.down).Sub(at), noticed)
	c = onLink(t, h, l, true, http.MethodPost, s.URL)
	h.Execute(c.Handler)
	require.Error(t, c.end(t))
	assert.True(t, c.Unsent())
	assert.EqualValues(t, 1, s.hits.Load())
	assert.EqualValues(t, 1, s.conns.Load(), "a bound request makes no connection")
	h.CloseLink(l)
}

func TestLinks_to_one_server_do_not_share_connections(t *testing.T) {
	s, h := newLinkServer(t), start(t)
	for range 5 {
		l, err := handler.NewLink("", newLinkLog())
		require.NoError(t, err)
		for i := range 2 {
			c := onLink(t, h, l, i > 0, http.MethodGet, s.URL)
			h.Execute(c.Handler)
			require.NoError(t, c.end(t))
		}
	}
	assert.EqualValues(t, 5, s.conns.Load())
	c := get(t, h, s.URL)
	require.NoError(t, c.wait(t))
	resp, err := c.Response()
	require.NoError(t, err)
	_ = resp.Body.Close()
	assert.EqualValues(t, 6, s.conns.Load(), "plain requests keep off the links")
}

func TestLink_does_not_send_what_was_taken_back(t *testing.T) {
	s, h := newLinkServer(t), start(t)
	l, err := handler.NewLink("", newLinkLog())
	require.NoError(t, err)
	c := onLink(t, h, l, false, http.MethodPost, s.URL)
	require.True(t, c.Revoke())
	require.True(t, c.Revoke(), "and says so again")
	h.Execute(c.Handler)
	require.Error(t, c.end(t))
	assert.True(t, c.Unsent())
	assert.Zero(t, s.hits.Load())
	h.CloseLink(l)
}

func TestLink_decides_between_sending_and_taking_back_once(t *testing.T) {
	s, h := newLinkServer(t), start(t)
	sent := int64(0)
	for i := range 300 {
		l, err := handler.NewLink("", newLinkLog())
		require.NoError(t, err)
		c := onLink(t, h, l, false, http.MethodPost, s.URL)
		h.Execute(c.Handler)
		for range i * 20 {
			_ = c.Canceled() // for a while
		}
		back := c.Withdraw()
		_ = c.end(t)
		if !back {
			sent++
		}
		assert.Equal(t, back, c.Unsent())
		h.CloseLink(l)
	}
	assert.Equal(t, sent, s.hits.Load())
	t.Logf("%d of 300 were sent", sent)
}

func TestLinks_end_with_their_agent(t *testing.T) {
	s, h, log := newLinkServer(t), startBare(t), newLinkLog()
	l, err := handler.NewLink("", log)
	require.NoError(t, err)
	c := onLink(t, h, l, false, http.MethodGet, s.URL)
	h.Execute(c.Handler)
	require.NoError(t, c.end(t))
	unused, err := handler.NewLink("", newLinkLog())
	require.NoError(t, err)
	h.Close()
	await(t, log.down)
	h.CloseLink(l)
	h.CloseLink(unused)
}
