package agent

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom/config"
	"github.com/ratmom/ratmom/handler"
	"github.com/ratmom/ratmom/internal/testserver"
)

// between has the agent take what is posted meanwhile in one turn.
func between(t *testing.T, h *Handle, post func()) {
	t.Helper()
	in, out := make(chan struct{}), make(chan struct{})
	require.True(t, h.a.post(message{kind: stats, reply: func(*agent) { close(in); <-out }}))
	await(t, in)
	post()
	close(out)
}

func TestLink_that_is_closed_before_its_request_was_added_serves_it(t *testing.T) {
	s, h := newLinkServer(t), start(t)
	for range 20 {
		l, err := handler.NewLink(s.Listener.Addr().String(), newLinkLog())
		require.NoError(t, err)
		c := onLink(t, h, l, false, http.MethodGet, s.URL)
		between(t, h, func() {
			h.Execute(c.Handler)
			h.CloseLink(l)
		})
		require.NoError(t, c.end(t))
	}
	assert.EqualValues(t, 20, s.hits.Load())
}

func TestLink_that_is_closed_is_left_by_a_request_that_was_never_added(t *testing.T) {
	s, h := newLinkServer(t), start(t)
	l, err := handler.NewLink("", newLinkLog())
	require.NoError(t, err)
	c := onLink(t, h, l, false, http.MethodGet, s.URL)
	between(t, h, func() {
		h.Execute(c.Handler)
		c.Cancel(nil)
		h.CloseLink(l)
	})
	require.Error(t, c.end(t))
	assert.Zero(t, s.hits.Load())
	c = get(t, h, s.URL)
	require.NoError(t, c.wait(t), "its handle knows nothing of the link")
	resp, err := c.Response()
	require.NoError(t, err)
	_ = resp.Body.Close()
}

func TestLink_that_is_closed_tells_nothing_of_its_connection(t *testing.T) {
	asked, answer := make(chan struct{}), make(chan struct{})
	s := testserver.Raw(t, func(c *testserver.Conn) {
		if _, err := c.ReadRequest(); err != nil {
			return
		}
		select {
		case <-answer:
			_ = c.Send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
			return
		default:
		}
		close(asked)
		<-answer
		_ = c.Send("HTTP/1.1 401 No\r\nWWW-Authenticate: Digest realm=\"r\", nonce=\"n\"\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
	})
	h := start(t)
	cfg, err := config.NewClient(config.Proxy(""), config.DigestAuth("user", "password"))
	require.NoError(t, err)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL, nil)
	require.NoError(t, err)
	closed, other := newLinkLog(), newLinkLog()
	l, err := handler.NewLink("", closed)
	require.NoError(t, err)
	c := &call{done: make(chan struct{}), over: make(chan struct{})}
	c.Handler, err = handler.New(h.Pool(), &handler.Spec{
		Request: req, Plan: handler.NewPlan(cfg.Defaults(), false), Driver: h.Driver(), Done: c, Watcher: c, Link: l,
	})
	require.NoError(t, err)
	h.Execute(c.Handler)
	await(t, asked)
	await(t, closed.up)
	h.CloseLink(l)
	// Another one has its slot.
	next := newLinkServer(t)
	l2, err := handler.NewLink("", other)
	require.NoError(t, err)
	c2 := onLink(t, h, l2, false, http.MethodGet, next.URL)
	h.Execute(c2.Handler)
	require.NoError(t, c2.end(t))
	await(t, other.up)
	close(answer)
	require.NoError(t, c.end(t))
	for _, log := range []*linkLog{closed, other} {
		select {
		case at := <-log.down:
			t.Fatalf("told at %v", at)
		default:
		}
	}
	c2 = onLink(t, h, l2, true, http.MethodGet, next.URL)
	h.Execute(c2.Handler)
	require.NoError(t, c2.end(t))
	h.CloseLink(l2)
}
