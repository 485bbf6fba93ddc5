package peer

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"runtime/debug"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom"
	"github.com/ratmom/ratmom/body"
	"github.com/ratmom/ratmom/config"
	"github.com/ratmom/ratmom/internal/testserver"
)

func TestPeer_behind_a_proxy_has_links_too(t *testing.T) {
	for _, scheme := range []string{"http", "https"} {
		t.Run(scheme, func(t *testing.T) {
			s := plain(t, nil)
			if scheme == "https" {
				s = secure(t, nil, 0)
			}
			proxy := testserver.StartProxy(t, testserver.Proxy{})
			m := openMap(t, trusting(), Requests(config.Proxy(proxy.URL)))
			for range 10 {
				res, err := m.Do(request(t, http.MethodPost, s.URL))
				require.NoError(t, err)
				assert.Equal(t, proxy.Addr, res.RemoteAddr.String())
			}
			p, err := m.Get(s.URL)
			require.NoError(t, err)
			assert.NotEmpty(t, p.ID().Proxy)
			assert.Len(t, states(p), 1)
			assert.Same(t, p, m.Find(p.ID()))
		})
	}
}

func TestPeer_answers_the_challenge_of_a_digest_on_its_link(t *testing.T) {
	for _, pinned := range []bool{false, true} {
		s := testserver.Start(t, testserver.H1, testserver.Digest{OneUse: true}.Handler(testserver.Echo()))
		m := openMap(t, Requests(config.DigestAuth(testserver.User, testserver.Password)))
		p, err := m.Get(s.URL)
		require.NoError(t, err)
		pin, err := p.Pin()
		require.NoError(t, err)
		for range 5 {
			req := request(t, http.MethodPost, s.URL)
			req.Body = body.String("content")
			do := m.Do
			if pinned {
				do = pin.Do
			}
			_, err := do(req)
			require.NoError(t, err)
		}
		assert.Len(t, states(p), 1)
	}
}

func TestPeer_refuses_what_it_cannot_do(t *testing.T) {
	for _, opt := range []config.RequestOption{
		config.HTTPVersion(config.HTTP3Only),
		config.DialContext(func(context.Context, string, string) (net.Conn, error) { return nil, io.EOF }),
	} {
		m := openMap(t)
		m.opt.requests = append(m.opt.requests, opt)
		_, err := m.Do(request(t, http.MethodGet, "https://127.0.0.1/"))
		require.ErrorIs(t, err, ratmom.ErrUnsupported)
	}
	m := openMap(t)
	for _, url := range []string{"ftp://127.0.0.1/", "http:///path", "//host/"} {
		_, err := m.Do(request(t, http.MethodGet, url))
		require.ErrorIs(t, err, ratmom.ErrInvalidRequest, url)
	}
	_, err := m.Do(nil)
	require.ErrorIs(t, err, ratmom.ErrInvalidRequest)
	_, err = Open(m.client, MaxLinks(0))
	require.ErrorContains(t, err, "MaxLinks")
	bad := request(t, http.MethodGet, "http://127.0.0.1/")
	bad.Header["X"] = []string{"a\r\nb"}
	r := m.Go(bad)
	_, err = r.Result()
	require.ErrorIs(t, err, ratmom.ErrInvalidRequest)
	assert.False(t, r.Revealed())
	p, err := m.Get("http://127.0.0.1/")
	require.NoError(t, err)
	eventually(t, "no link is left", func() bool { return len(states(p)) == 0 })
	require.NoError(t, p.Err())
}

func TestPeer_sends_a_stream_and_closes_it(t *testing.T) {
	s := plain(t, func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		_, _ = w.Write(b)
	})
	m := openMap(t)
	long := strings.Repeat("0123456789", 50_000)
	b := &closing{Reader: strings.NewReader(long), closed: make(chan struct{})}
	req := request(t, http.MethodPost, s.URL)
	req.Body = b
	res, err := m.Do(req)
	require.NoError(t, err)
	assert.True(t, long == string(res.Content))
	await(t, b.closed)
	for _, url := range []string{"http://127.0.0.1:1/", "ftp://x/"} {
		b := &closing{Reader: strings.NewReader(long), closed: make(chan struct{})}
		req := request(t, http.MethodPost, url)
		req.Body = b
		_, err = m.Do(req)
		require.Error(t, err)
		await(t, b.closed)
	}
}

type closing struct {
	io.Reader
	closed chan struct{}
}

func (c *closing) Close() error {
	close(c.closed) // twice panics
	return nil
}

// loud notes on whose goroutine it is asked.
type loud struct{ bad atomic.Bool }

func (p *loud) Pick([]*Endpoint, Key, time.Time) int {
	if bytes.Contains(debug.Stack(), []byte("agent.(*agent)")) {
		p.bad.Store(true)
	}
	return 0
}

func TestPolicy_is_not_asked_on_an_agents_goroutine(t *testing.T) {
	s := plain(t, nil)
	policy := new(loud)
	m := openMap(t, MaxLinks(2), WithPolicy(func() Policy { return policy }))
	var rs []*Request
	for range 100 {
		rs = append(rs, m.Go(request(t, http.MethodGet, s.URL)))
	}
	for _, r := range rs {
		_, err := r.Result()
		require.NoError(t, err)
	}
	assert.False(t, policy.bad.Load())
}
