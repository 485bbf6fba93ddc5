//go:build linux && !ratmom_poll

package endurance

import (
	"bytes"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom/config"
	"github.com/ratmom/ratmom/internal/testserver"
)

// Neither can go on: the upload waits for the server to read, and the answer for the caller.
func TestUpload_that_is_blocked_behind_an_answer_that_nobody_reads_lets_the_agent_sleep(t *testing.T) {
	const n = 60_000
	read := make(chan struct{})
	s := testserver.Start(t, testserver.H2, http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		_, _ = w.Write(make([]byte, n))
		_ = http.NewResponseController(w).Flush()
		select {
		case <-read:
		case <-req.Context().Done():
		}
		got, _ := io.Copy(io.Discard, req.Body)
		_, _ = w.Write(make([]byte, got))
	}))
	client := clientFor(t, testserver.H2, s.CAFile)
	req := request(t, patient(t), http.MethodPost, s.URL)
	req.Body, req.ContentLength = io.NopCloser(bytes.NewReader(make([]byte, 2_000_000))), 2_000_000
	resp, err := client.Send(req, config.BodyBuffer(4<<10))
	require.NoError(t, err)
	defer resp.Body.Close()
	steps := func() uint64 { return client.Stats().Agents[0].Steps }
	require.True(t, waitUntil(patience, func() bool {
		before := steps()
		<-time.After(50 * time.Millisecond)
		return steps()-before <= 10 // the asking itself, and a look at what is held back
	}), "the agent never came to rest")
	close(read)
	got, err := io.Copy(io.Discard, resp.Body)
	require.NoError(t, err, "it goes on")
	assert.EqualValues(t, n+2_000_000, got)
}
