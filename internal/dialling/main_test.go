package dialling

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom"
	"github.com/ratmom/ratmom/cgo"
	"github.com/ratmom/ratmom/config"
	"github.com/ratmom/ratmom/internal/testserver"
)

func TestMain(m *testing.M) { os.Exit(testserver.CheckLeaks(m, noMemoryLeft)) }

// noMemoryLeft reports what libcurl's side still holds when every client is closed.
func noMemoryLeft() error {
	cgo.Trim()
	c := cgo.CountAlive()
	if c.Transfers != 0 || c.Multis != 0 || c.ChunkBytes != 0 {
		return fmt.Errorf("left in C memory: %d transfers, %d multi handles, %d bytes of bodies", c.Transfers, c.Multis, c.ChunkBytes)
	}
	return nil
}

// soon bounds what happens at once; a test that waits so long has failed.
const soon = 10 * time.Second

type dialFunc = func(ctx context.Context, network, address string) (net.Conn, error)

// needDial skips where libcurl cannot, and checks that it is said so.
func needDial(t testing.TB) {
	t.Helper()
	if cgo.CanDial() {
		return
	}
	_, err := ratmom.New(config.DialContext((&net.Dialer{}).DialContext))
	require.ErrorIs(t, err, ratmom.ErrUnsupported)
	t.Skip("this libcurl takes no connections from outside")
}

// newClient makes a client that the test closes at its end. It goes past any proxy of
// the machine, and no request of it hangs for ever.
func newClient(t testing.TB, opts ...config.ClientOption) *ratmom.Client {
	t.Helper()
	needDial(t)
	all := append([]config.ClientOption{config.Proxy(""), config.Timeout(2 * soon)}, opts...)
	c, err := ratmom.New(all...)
	require.NoError(t, err)
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// trust are the options for a server of this mode.
func trust(s *testserver.Server) []config.ClientOption {
	var opts []config.ClientOption
	switch s.Mode {
	case testserver.H2C:
		opts = append(opts, config.HTTPVersion(config.HTTP2PriorKnowledge))
	case testserver.H2:
		opts = append(opts, config.HTTPVersion(config.HTTP2))
	}
	if s.Mode.TLS() {
		opts = append(opts, config.CAFile(s.CAFile))
	}
	return opts
}

// counted counts the calls of a function for connections.
type counted struct {
	dial  dialFunc
	calls atomic.Int64
}

func (c *counted) option() config.Option {
	return config.DialContext(func(ctx context.Context, network, address string) (net.Conn, error) {
		c.calls.Add(1)
		return c.dial(ctx, network, address)
	})
}

// direct is a TCP connection.
func direct(ctx context.Context, network, address string) (net.Conn, error) {
	return (&net.Dialer{}).DialContext(ctx, network, address)
}

// hidden is a connection of which nothing is known.
func hidden(ctx context.Context, network, address string) (net.Conn, error) {
	c, err := direct(ctx, network, address)
	if err != nil {
		return nil, err
	}
	return struct{ net.Conn }{c}, nil
}

// kinds runs a test with both.
func kinds(t *testing.T, test func(t *testing.T, dial dialFunc)) {
	t.Run("socket", func(t *testing.T) { test(t, direct) })
	t.Run("relay", func(t *testing.T) { test(t, hidden) })
}

// get sends a GET and reads the body.
func get(t testing.TB, c *ratmom.Client, url string, opts ...config.RequestOption) string {
	t.Helper()
	resp, err := c.Send(request(t, http.MethodGet, url), opts...)
	require.NoError(t, err)
	text, err := resp.Text()
	require.NoError(t, err)
	return text
}

func request(t testing.TB, method, url string) *http.Request {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	require.NoError(t, err)
	return req
}

// done waits until ch is closed or gives a value.
func done[T any](t testing.TB, ch <-chan T, what string) (v T) {
	t.Helper()
	select {
	case v = <-ch:
	case <-time.After(soon):
		require.FailNow(t, "not in time", what)
	}
	return v
}
