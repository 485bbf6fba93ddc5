package credentials

import (
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/ratmom/ratmom"
	"github.com/ratmom/ratmom/config"
	"github.com/ratmom/ratmom/internal/testserver"
)

func TestMain(m *testing.M) {
	if os.Getenv(leavesCalls) != "" {
		os.Exit(m.Run()) // the calls to a silent KDC that were given up run on
	}
	goleak.VerifyTestMain(m)
}

func newClient(t *testing.T, opts ...config.ClientOption) *ratmom.Client {
	t.Helper()
	c, err := ratmom.New(append([]config.ClientOption{config.Timeout(30 * time.Second), config.Proxy("")}, opts...)...)
	require.NoError(t, err)
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// get returns the status.
func get(t *testing.T, c *ratmom.Client, url string, opts ...config.RequestOption) int {
	t.Helper()
	resp, err := c.Get(url, opts...)
	require.NoError(t, err)
	require.NoError(t, resp.Discard())
	return resp.StatusCode
}

// throughHTTPClient is get, with redirects by net/http over Transport.
func throughHTTPClient(t *testing.T, c *ratmom.Client, url string, opts ...config.RequestOption) int {
	t.Helper()
	hc := &http.Client{Transport: c.Transport(opts...)}
	resp, err := hc.Get(url)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	return resp.StatusCode
}

// recorder is a server that remembers the headers that it was sent.
type recorder struct {
	*testserver.Server
	mu   sync.Mutex
	seen []http.Header
}

func newRecorder(t *testing.T) *recorder {
	t.Helper()
	r := &recorder{}
	r.Server = testserver.StartFunc(t, testserver.H1, func(w http.ResponseWriter, req *http.Request) {
		r.mu.Lock()
		r.seen = append(r.seen, req.Header.Clone())
		r.mu.Unlock()
		if strings.HasPrefix(req.URL.Path, "/ask") {
			// Whoever has anything to show is asked for it.
			w.Header()["Www-Authenticate"] = []string{"Negotiate", `Digest realm="r", nonce="n", qop="auth"`, "NTLM", "Bearer", `Basic realm="r"`}
			w.WriteHeader(401)
		}
	})
	return r
}

func (r *recorder) all() []http.Header {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]http.Header(nil), r.seen...)
}

// sawNothing checks that requests came, and no credentials with them; it forgets them.
func (r *recorder) sawNothing(t *testing.T) {
	t.Helper()
	all := r.all()
	require.Len(t, all, 1, "no rounds of authentication")
	for name := range all[0] {
		assert.False(t, strings.Contains(name, "Authorization") || strings.HasPrefix(name, "X-Amz"), name)
	}
	r.mu.Lock()
	r.seen = nil
	r.mu.Unlock()
}
