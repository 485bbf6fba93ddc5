package parity

import (
	"io"
	"net/http"
	"runtime"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom"
	"github.com/ratmom/ratmom/config"
	"github.com/ratmom/ratmom/internal/testserver"
)

func TestFix_Close_may_be_called_again_and_from_anywhere(t *testing.T) {
	m := testserver.MockReply(t)
	for _, opts := range [][]config.ClientOption{nil, {config.Agents(4)}} {
		c := newClient(t, opts...)
		get(t, c, m.URL)
		var all sync.WaitGroup
		for range 10 {
			all.Go(func() { assert.NoError(t, c.Close()) })
		}
		ended := make(chan struct{})
		go func() { all.Wait(); close(ended) }()
		done(t, ended, "Close")
		require.NoError(t, c.Close())
		closed(t, m.Endpoint)

		err := failed(t, c, newRequest(t, "GET", m.URL, nil))
		assert.ErrorIs(t, err, ratmom.ErrClosed)
		_, err2 := c.SendAsync(newRequest(t, "GET", m.URL, nil)).Result()
		require.ErrorIs(t, err2, ratmom.ErrClosed)
		_, err2 = c.Transport().RoundTrip(newRequest(t, "GET", m.URL, nil)) //nolint:bodyclose // there is none
		require.ErrorIs(t, err2, ratmom.ErrClosed)
		c.CloseIdleConnections()
		assert.Zero(t, c.Stats().Requests)
	}
}

func TestFix_Close_ends_what_runs(t *testing.T) {
	testserver.Modes(t, func(t *testing.T, mode testserver.Mode) {
		came := make(chan struct{}, 3)
		s := testserver.StartFunc(t, mode, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/body" {
				_ = http.NewResponseController(w).Flush()
			}
			came <- struct{}{}
			<-r.Context().Done()
		})
		c := modeClient(t, s)
		pending := later(t, c, newRequest(t, "GET", s.URL, nil))
		f := c.SendAsync(newRequest(t, "GET", s.URL, nil))
		resp := open(t, c, newRequest(t, "GET", s.URL+"/body", nil))
		reading := make(chan error, 1)
		go func() {
			_, err := resp.Body.Read(make([]byte, 1))
			reading <- err
		}()
		for range 3 {
			done(t, came, "the request")
		}
		require.NoError(t, c.Close())
		require.ErrorIs(t, done(t, pending, "Send"), ratmom.ErrClosed)
		done(t, f.Done(), "the future")
		_, err := f.Result()
		require.ErrorIs(t, err, ratmom.ErrClosed)
		require.ErrorIs(t, done(t, reading, "Read"), ratmom.ErrClosed)
		closed(t, s.Endpoint)
	})
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

func TestFix_Close_is_safe_inside_the_users_code(t *testing.T) {
	s := testserver.Start(t, testserver.H1, testserver.Blob(64<<20))
	hop := testserver.MockReply(t, testserver.Redirect(302, s.URL))
	within := func(t *testing.T, what string, f func() error) {
		t.Helper()
		ended := make(chan error, 1)
		go func() { ended <- f() }()
		require.ErrorIs(t, done(t, ended, what), ratmom.ErrClosed)
	}
	t.Run("a body that is being read", func(t *testing.T) {
		c := newClient(t)
		resp := open(t, c, newRequest(t, "GET", s.URL, nil))
		within(t, "CopyTo", func() error {
			_, err := resp.CopyTo(writerFunc(func(p []byte) (int, error) { return len(p), c.Close() }))
			return err
		})
	})
	t.Run("a request body", func(t *testing.T) {
		c := newClient(t)
		sink := testserver.Start(t, testserver.H1, testserver.Sink())
		within(t, "Send", func() error {
			return <-later(t, c, newRequest(t, "POST", sink.URL, readerFunc(func(p []byte) (int, error) { return len(p), c.Close() })))
		})
	})
	t.Run("a CheckRedirect", func(t *testing.T) {
		c := newClient(t)
		within(t, "Send", func() error {
			return <-later(t, c, newRequest(t, "GET", hop.URL, nil), config.CheckRedirect(func(*http.Request, []*http.Request) error { return c.Close() }))
		})
		c = newClient(t)
		within(t, "SendAsync", func() error {
			_, err := c.SendAsync(newRequest(t, "GET", hop.URL, nil), config.CheckRedirect(func(*http.Request, []*http.Request) error { return c.Close() })).Result()
			return err
		})
	})
	t.Run("an interceptor", func(t *testing.T) {
		var c *ratmom.Client
		c = newClient(t, ratmom.Intercept(ratmom.InterceptFunc(func(req *http.Request, next ratmom.Next) (*ratmom.Response, error) {
			_ = c.Close()
			return next(req)
		})))
		within(t, "Send", func() error { return <-later(t, c, newRequest(t, "GET", s.URL, nil)) })
	})
}

func TestFix_a_client_that_is_dropped_ends(t *testing.T) {
	s := testserver.Raw(t, testserver.Silent())
	held := testserver.TakeInventory()
	var ended <-chan struct{}
	func() {
		c, err := ratmom.New()
		require.NoError(t, err)
		f := c.SendAsync(newRequest(t, "GET", s.URL, nil))
		require.True(t, s.WaitAccepted(1, soon))
		ended = f.Done()
	}()
	for deadline := after(soon); ; runtime.Gosched() {
		collect()
		if s.Open() == 0 {
			break
		}
		select {
		case <-deadline:
			require.FailNow(t, "the connection of the dropped client is open")
		default:
		}
	}
	done(t, ended, "the future that nobody holds")
	held.Require(t, soon)
}

func TestFix_an_open_body_keeps_a_dropped_client(t *testing.T) {
	gate := testserver.NewGate()
	s := testserver.Start(t, testserver.H1, testserver.Drip(gate, "one", "two"))
	var body io.ReadCloser
	func() {
		c, err := ratmom.New(config.Proxy(""))
		require.NoError(t, err)
		resp, err := c.Get(s.URL)
		require.NoError(t, err)
		body = resp.Body
	}()
	collect()
	gate.Open()
	b, err := io.ReadAll(body)
	require.NoError(t, err)
	assert.Equal(t, "onetwo", string(b))
	require.NoError(t, body.Close())
}
