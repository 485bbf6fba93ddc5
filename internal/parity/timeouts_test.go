package parity

import (
	"context"
	"io"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom"
	"github.com/ratmom/ratmom/config"
	"github.com/ratmom/ratmom/internal/testserver"
)

// timedOut expects the error of a time limit of d, neither early nor late.
func timedOut(t *testing.T, err error, start time.Time, d time.Duration) {
	t.Helper()
	took := time.Since(start)
	require.ErrorIs(t, err, ratmom.ErrTimeout)
	assert.ErrorIs(t, err, context.DeadlineExceeded)
	var ne net.Error
	require.ErrorAs(t, err, &ne)
	assert.True(t, ne.Timeout())
	assert.GreaterOrEqual(t, took, d-5*time.Millisecond)
	assert.Less(t, took, d+2*time.Second)
}

func TestTimeouts_end_a_request_to_a_slow_server(t *testing.T) {
	s := testserver.Raw(t, testserver.Silent())
	const d = 100 * time.Millisecond
	c := newClient(t)
	t.Run("as an option", func(t *testing.T) {
		start := time.Now()
		timedOut(t, failed(t, c, newRequest(t, "GET", s.URL, nil), config.Timeout(d)), start, d)
	})
	t.Run("as an option, with a future", func(t *testing.T) {
		start := time.Now()
		_, err := c.SendAsync(newRequest(t, "GET", s.URL, nil), config.Timeout(d)).Result()
		timedOut(t, err, start, d)
	})
	t.Run("as the deadline of the context", func(t *testing.T) {
		start := time.Now()
		req, _ := withTimeout(t, newRequest(t, "GET", s.URL, nil), d)
		timedOut(t, failed(t, c, req), start, d)
	})
	t.Run("as a limit for the head", func(t *testing.T) {
		start := time.Now()
		timedOut(t, failed(t, c, newRequest(t, "GET", s.URL, nil), config.ResponseHeadTimeout(d)), start, d)
	})
}

func TestTimeouts_in_the_body_are_not_its_end(t *testing.T) {
	s := testserver.Raw(t, testserver.AnswerAndHang("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello"))
	const d = 200 * time.Millisecond
	for name, opt := range map[string]config.RequestOption{
		"the whole request's": config.Timeout(d),
		"of idle reading":     config.IdleReadTimeout(d),
	} {
		t.Run(name, func(t *testing.T) {
			start := time.Now()
			resp := open(t, newClient(t), newRequest(t, "GET", s.URL, nil), opt)
			b, err := io.ReadAll(resp.Body)
			timedOut(t, err, start, d)
			assert.Equal(t, "hello", string(b), "what came before is there")
			_, again := resp.Body.Read(make([]byte, 1))
			assert.Equal(t, err, again, "the error stays")
		})
	}
}

func TestTimeouts_of_idle_reading_do_not_count_a_slow_reader(t *testing.T) {
	const d, size = 150 * time.Millisecond, 8 << 20
	s := testserver.Start(t, testserver.H1, testserver.Blob(size))
	resp := open(t, newClient(t, config.BodyBuffer(64<<10)), newRequest(t, "GET", s.URL, nil), config.IdleReadTimeout(d))
	_, err := io.ReadFull(resp.Body, make([]byte, 1))
	require.NoError(t, err)
	<-time.After(4 * d) // the time limit itself is what is waited for
	n, err := io.Copy(io.Discard, resp.Body)
	require.NoError(t, err)
	assert.EqualValues(t, size-1, n)
}
