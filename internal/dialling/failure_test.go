package dialling

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom"
	"github.com/ratmom/ratmom/config"
	"github.com/ratmom/ratmom/internal/testserver"
)

var errNoWay = errors.New("no way there")

func TestDial_that_fails_is_the_cause_of_the_error(t *testing.T) {
	for name, x := range map[string]struct {
		dial dialFunc
		text string
	}{
		"error":              {func(context.Context, string, string) (net.Conn, error) { return nil, errNoWay }, "no way there"},
		"error and a typed":  {func(context.Context, string, string) (net.Conn, error) { return (*net.TCPConn)(nil), errNoWay }, "no way there"},
		"panic":              {func(context.Context, string, string) (net.Conn, error) { panic("oh dear") }, "panic: oh dear"},
		"nil panic":          {func(context.Context, string, string) (net.Conn, error) { panic(nil) }, "panic: panic called with nil"},
		"neither":            {func(context.Context, string, string) (net.Conn, error) { return nil, nil }, "neither a connection nor an error"},
		"end of goroutine":   {func(context.Context, string, string) (net.Conn, error) { runtime.Goexit(); return nil, nil }, "ended its goroutine"},
		"no real connection": {func(context.Context, string, string) (net.Conn, error) { return (*net.TCPConn)(nil), nil }, "closed"},
	} {
		t.Run(name, func(t *testing.T) {
			for _, url := range []string{"http://a.invalid/", "https://a.invalid/"} {
				c := newClient(t, config.DialContext(x.dial))
				_, err := c.Send(request(t, http.MethodPost, url))
				var e *ratmom.Error
				require.ErrorAs(t, err, &e)
				assert.ErrorIs(t, err, ratmom.ErrConnect)
				assert.Contains(t, err.Error(), x.text)
				assert.NotErrorIs(t, err, context.Canceled)
				if strings.HasPrefix(name, "error") {
					assert.ErrorIs(t, err, errNoWay)
				}
				assert.Equal(t, url, e.URL)
				assert.Equal(t, http.MethodPost, e.Op)
			}
		})
	}
}

func TestDial_that_fails_fails_all_who_wait_for_its_connection(t *testing.T) {
	for url, version := range map[string]config.Version{"http://a.invalid/": config.HTTP2PriorKnowledge, "https://a.invalid/": config.HTTP2} {
		begun, release := make(chan struct{}), make(chan struct{})
		var once sync.Once
		c := newClient(t, config.HTTPVersion(version), config.MaxConnectionsPerHost(1), config.DialContext(func(context.Context, string, string) (net.Conn, error) {
			once.Do(func() { close(begun) })
			<-release
			return nil, errNoWay
		}))
		var futures []*ratmom.Future
		for range 50 {
			futures = append(futures, c.SendAsync(request(t, http.MethodGet, url)))
		}
		done(t, begun, "dial")
		close(release)
		for _, f := range futures {
			_, err := f.Wait(t.Context())
			assert.ErrorIs(t, err, errNoWay, url)
		}
	}
}

// heedless ignores its context; it ends when the test does.
func heedless(t *testing.T, conn func() net.Conn) (dial dialFunc, release func()) {
	ch := make(chan struct{})
	var once sync.Once
	release = func() { once.Do(func() { close(ch) }) }
	t.Cleanup(release)
	return func(context.Context, string, string) (net.Conn, error) {
		<-ch
		return conn(), nil
	}, release
}

func TestDial_counts_in_the_time_for_connecting(t *testing.T) {
	for _, url := range []string{"http://a.invalid/", "https://a.invalid/"} {
		heeds := func(ctx context.Context, _, _ string) (net.Conn, error) {
			<-ctx.Done()
			return nil, fmt.Errorf("dial: %w", context.Cause(ctx))
		}
		ignores, _ := heedless(t, func() net.Conn { return nil })
		for _, dial := range []dialFunc{heeds, ignores} {
			c := newClient(t, config.ConnectTimeout(100*time.Millisecond), config.DialContext(dial))
			began := time.Now()
			_, err := c.Send(request(t, http.MethodGet, url))
			assert.ErrorIs(t, err, ratmom.ErrTimeout)
			assert.Less(t, time.Since(began), soon)
			var e net.Error
			require.ErrorAs(t, err, &e)
			assert.True(t, e.Timeout())
		}
	}
}

func TestDial_ends_when_its_request_is_given_up(t *testing.T) {
	for _, url := range []string{"http://a.invalid/", "https://a.invalid/"} {
		begun, ended := make(chan struct{}), make(chan error, 1)
		c := newClient(t, config.DialContext(func(ctx context.Context, _, _ string) (net.Conn, error) {
			close(begun)
			<-ctx.Done()
			ended <- ctx.Err()
			return nil, ctx.Err()
		}))
		ctx, cancel := context.WithCancel(t.Context())
		f := c.SendAsync(request(t, http.MethodGet, url).WithContext(ctx))
		done(t, begun, "dial")
		cancel()
		_, err := f.Wait(t.Context())
		assert.ErrorIs(t, err, context.Canceled)
		assert.ErrorIs(t, done(t, ended, "the end of the dial"), context.Canceled)
	}
}

func TestDial_whose_connection_comes_too_late_closes_it(t *testing.T) {
	client, server := net.Pipe()
	dial, release := heedless(t, func() net.Conn { return client })
	c := newClient(t, config.DialContext(dial))
	_, err := c.Send(request(t, http.MethodGet, "http://a.invalid/"), config.Timeout(50*time.Millisecond))
	require.ErrorIs(t, err, ratmom.ErrTimeout)
	release()
	_ = server.SetDeadline(time.Now().Add(soon))
	_, err = server.Read(make([]byte, 1))
	assert.ErrorContains(t, err, "EOF")
}

func TestDial_does_not_keep_the_client_from_closing(t *testing.T) {
	client, server := net.Pipe()
	begun := make(chan struct{})
	dial, release := heedless(t, func() net.Conn { return client })
	c := newClient(t, config.DialContext(func(ctx context.Context, network, address string) (net.Conn, error) {
		close(begun)
		return dial(ctx, network, address)
	}))
	f := c.SendAsync(request(t, http.MethodGet, "http://a.invalid/"))
	done(t, begun, "dial")
	require.NoError(t, c.Close())
	_, err := f.Wait(t.Context())
	assert.ErrorIs(t, err, ratmom.ErrClosed)
	release()
	_ = server.SetDeadline(time.Now().Add(soon))
	_, err = server.Read(make([]byte, 1))
	assert.ErrorContains(t, err, "EOF")
}

type key struct{}

func TestDial_has_the_values_of_the_request_but_not_its_end(t *testing.T) {
	s := testserver.Start(t, testserver.H1, testserver.Blob(5))
	var dialCtx context.Context
	c := newClient(t, config.ConnectTimeout(time.Hour), config.DialContext(func(ctx context.Context, network, address string) (net.Conn, error) {
		dialCtx = ctx
		at, ok := ctx.Deadline()
		assert.True(t, ok && time.Until(at) > 50*time.Minute)
		return direct(ctx, network, address)
	}))
	ctx, cancel := context.WithTimeout(context.WithValue(t.Context(), key{}, "value"), soon)
	defer cancel()
	resp, err := c.Send(request(t, http.MethodGet, s.URL).WithContext(ctx))
	require.NoError(t, err)
	require.NoError(t, resp.Discard())
	assert.Equal(t, "value", dialCtx.Value(key{}))
}

func TestDial_is_refused_where_it_cannot_be(t *testing.T) {
	c := newClient(t)
	dial := config.DialContext(direct)
	_, err := c.Get("http://localhost/", dial, config.UnixSocket("/x"))
	assert.ErrorIs(t, err, ratmom.ErrInvalidOption)
	_, err = c.Get("http://localhost/", dial, config.Proxy("https://127.0.0.1:1"))
	assert.ErrorIs(t, err, ratmom.ErrUnsupported)
	for _, v := range []config.Version{config.HTTP3, config.HTTP3Only} {
		_, err = c.Get("https://localhost/", dial, config.HTTPVersion(v))
		assert.ErrorIs(t, err, ratmom.ErrUnsupported)
	}
}
