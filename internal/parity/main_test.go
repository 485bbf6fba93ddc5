package parity

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"runtime"
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
const soon = 5 * time.Second

// newClient makes a client that the test closes at its end. It goes past any proxy
// of the machine, and no request of it hangs for ever.
func newClient(t testing.TB, opts ...config.ClientOption) *ratmom.Client {
	t.Helper()
	all := append([]config.ClientOption{config.Proxy(""), config.Timeout(4 * soon)}, opts...)
	c, err := ratmom.New(all...)
	require.NoError(t, err)
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// newRequest makes a request whose context ends with the test.
func newRequest(t testing.TB, method, url string, body io.Reader) *http.Request {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, body)
	require.NoError(t, err)
	return req
}

// withTimeout is a copy of req whose context ends after d, or by the function.
func withTimeout(t testing.TB, req *http.Request, d time.Duration) (*http.Request, context.CancelFunc) {
	t.Helper()
	ctx, cancel := context.WithTimeout(req.Context(), d)
	t.Cleanup(cancel)
	return req.WithContext(ctx), cancel
}

// send sends req and reads the whole body.
func send(t testing.TB, c *ratmom.Client, req *http.Request, opts ...config.RequestOption) (*ratmom.Response, string) {
	t.Helper()
	resp, err := c.Send(req, opts...)
	require.NoError(t, err)
	b, err := resp.Bytes()
	require.NoError(t, err)
	return resp, string(b)
}

// get is send for a GET.
func get(t testing.TB, c *ratmom.Client, url string, opts ...config.RequestOption) (*ratmom.Response, string) {
	t.Helper()
	return send(t, c, newRequest(t, http.MethodGet, url, nil), opts...)
}

// failed sends req, which must fail before there is a response.
func failed(t testing.TB, c *ratmom.Client, req *http.Request, opts ...config.RequestOption) *ratmom.Error {
	t.Helper()
	resp, err := c.Send(req, opts...)
	if err == nil {
		_ = resp.Body.Close()
	}
	require.Error(t, err)
	var e *ratmom.Error
	require.ErrorAs(t, err, &e)
	return e
}

// open sends req and leaves the body to the test, which closes it at its end.
func open(t testing.TB, c *ratmom.Client, req *http.Request, opts ...config.RequestOption) *ratmom.Response {
	t.Helper()
	resp, err := c.Send(req, opts...)
	require.NoError(t, err)
	t.Cleanup(func() { _ = resp.Body.Close() })
	return resp
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

// unknownLength hides what http.NewRequest could learn of a reader.
type unknownLength struct{ io.Reader }

// collect runs the garbage collector until what became unreachable is cleaned up:
// twice, as one round finds what the cleanups of the other let go.
func collect() {
	for range 3 {
		runtime.GC()
	}
}
