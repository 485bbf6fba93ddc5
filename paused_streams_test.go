package ratmom_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom"
	"github.com/ratmom/ratmom/cgo"
	"github.com/ratmom/ratmom/config"
	"github.com/ratmom/ratmom/internal/testserver"
)

// congestion is a client of an HTTP/2 server that answers /big with a big body, and
// everything else with the number of the connection.
type congestion struct {
	*testing.T
	*testserver.Server
	client *ratmom.Client
	held   []*ratmom.Response
}

const bigBody = 16 << 20

func congest(t *testing.T, mode testserver.Mode, opts ...config.ClientOption) *congestion {
	t.Helper()
	big := testserver.Blob(bigBody)
	c := &congestion{T: t}
	c.Server = testserver.StartFunc(t, mode, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/big" {
			big.ServeHTTP(w, r)
			return
		}
		sent, _ := io.ReadAll(r.Body)
		_, _ = fmt.Fprintf(w, "%d %s", testserver.ConnNumber(r), sent)
	})
	version := config.HTTP2
	if mode == testserver.H2C {
		version = config.HTTP2PriorKnowledge
	}
	opts = append([]config.ClientOption{config.Proxy(""), config.HTTPVersion(version), config.Timeout(20 * time.Second)}, opts...)
	if c.CAFile != "" {
		opts = append(opts, config.CAFile(c.CAFile))
	}
	var err error
	c.client, err = ratmom.New(opts...)
	require.NoError(t, err)
	t.Cleanup(func() { _ = c.client.Close() })
	return c
}

// hold begins n big bodies and reads nothing of them.
func (c *congestion) hold(n int) {
	c.Helper()
	for range n {
		resp, err := c.client.Get(c.URL + "/big")
		require.NoError(c, err)
		c.held = append(c.held, resp)
	}
}

// number is the number of the connection that a request goes over.
func (c *congestion) number() int {
	c.Helper()
	text := c.send("")
	var n int
	_, err := fmt.Sscan(text, &n)
	require.NoError(c, err, text)
	return n
}

func (c *congestion) send(body string) string {
	c.Helper()
	// The reader has no second time: a request that was begun could not be sent again.
	req, err := http.NewRequest(http.MethodPost, c.URL, io.MultiReader(strings.NewReader(body)))
	require.NoError(c, err)
	resp, err := c.client.Send(req)
	require.NoError(c, err)
	text, err := resp.Text()
	require.NoError(c, err)
	return text
}

// becomes waits until requests go over the connection with that number.
func (c *congestion) becomes(want int) {
	c.Helper()
	require.Eventually(c, func() bool { return c.number() == want }, 10*time.Second, time.Millisecond)
}

// finish reads what is held.
func (c *congestion) finish() {
	c.Helper()
	for _, resp := range c.held {
		n, err := testserver.CheckPattern(resp.Body)
		assert.NoError(c, err)
		assert.EqualValues(c, bigBody, n)
		assert.NoError(c, resp.Body.Close())
	}
	c.held = nil
}

// sharing are the modes in which requests share a connection.
func sharing() []testserver.Mode {
	if cgo.Features().AtLeast(8, 0, 0) {
		return []testserver.Mode{testserver.H2, testserver.H2C}
	}
	return []testserver.Mode{testserver.H2}
}

func TestPausedStreams_keep_new_requests_off_their_connection(t *testing.T) {
	for _, mode := range sharing() {
		t.Run(string(mode), func(t *testing.T) {
			c := congest(t, mode)
			assert.Equal(t, 0, c.number())
			c.hold(3)
			for range 50 {
				assert.Equal(t, 0, c.number(), "three are not many")
			}
			c.hold(1)
			c.becomes(1)
			var all sync.WaitGroup
			for range 50 {
				all.Go(func() { assert.Equal(t, "1 hello", c.send("hello"), "they share one connection") })
			}
			all.Wait()
			assert.Equal(t, 2, c.Accepted())

			c.hold(4)
			c.becomes(2)
			assert.Equal(t, 3, c.Accepted())
			c.finish()
			c.becomes(0)
			assert.Equal(t, 3, c.Accepted(), "it is good as before")
		})
	}
}

func TestPausedStreams_that_are_closed_count_no_more(t *testing.T) {
	for _, mode := range sharing() {
		t.Run(string(mode), func(t *testing.T) {
			c := congest(t, mode, config.MaxPausedStreams(2))
			assert.Equal(t, 0, c.number())
			c.hold(2)
			c.becomes(1)
			require.NoError(t, c.held[0].Body.Close())
			c.becomes(0)
			require.NoError(t, c.held[1].Body.Close())
		})
	}
}

func TestPausedStreams_whose_connection_dies_count_no_more(t *testing.T) {
	c := congest(t, testserver.H2, config.MaxPausedStreams(1))
	assert.Equal(t, 0, c.number())
	c.hold(1)
	c.becomes(1)
	c.CloseConnections()
	_, _ = io.Copy(io.Discard, c.held[0].Body) // libcurl may have had all of it
	require.NoError(t, c.held[0].Body.Close())
	c.becomes(2)
	c.hold(1)
	c.becomes(3)
	require.NoError(t, c.held[1].Body.Close())
}

func TestPausedStreams_mind_no_other_server(t *testing.T) {
	c := congest(t, testserver.H2, config.MaxPausedStreams(1), config.DangerAcceptInvalidCertificates(true))
	other := testserver.StartFunc(t, testserver.H2, func(w http.ResponseWriter, r *http.Request) {
		_, _ = fmt.Fprint(w, testserver.ConnNumber(r))
	})
	assert.Equal(t, 0, c.number())
	c.hold(1)
	for range 20 {
		resp, err := c.client.Get(other.URL)
		require.NoError(t, err)
		require.NoError(t, resp.Discard())
	}
	c.becomes(1)
	assert.Equal(t, 1, other.Accepted())
	require.NoError(t, c.held[0].Body.Close())
}

func TestPausedStreams_share_their_connection_where_it_is_the_only_one(t *testing.T) {
	for name, o := range map[string]config.ClientOption{
		"per host": config.MaxConnectionsPerHost(1),
		"in all":   config.MaxConnections(1),
		"no cap":   config.MaxPausedStreams(0),
	} {
		t.Run(name, func(t *testing.T) {
			c := congest(t, testserver.H2, o)
			c.hold(12)
			for range 100 {
				assert.Equal(t, "0 hello", c.send("hello"))
			}
			c.finish()
			assert.Equal(t, 1, c.Accepted())
		})
	}
}

func TestPausedStreams_of_a_client_that_is_closed_leave_nothing(t *testing.T) {
	inventory := testserver.TakeInventory()
	for range 5 {
		c := congest(t, testserver.H2, config.MaxPausedStreams(1))
		assert.Equal(t, 0, c.number())
		for i := range 5 {
			c.hold(1)
			c.becomes(i + 1)
		}
		require.NoError(t, c.client.Close())
		for _, resp := range c.held {
			require.NoError(t, resp.Body.Close())
		}
		c.Server.Close()
	}
	cgo.Trim()
	inventory.Require(t, 10*time.Second)
	alive := cgo.CountAlive()
	assert.Zero(t, alive.Multis)
	assert.Zero(t, alive.ChunkBytes)
}
