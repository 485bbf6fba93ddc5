package parity

import (
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom/config"
	"github.com/ratmom/ratmom/internal/testserver"
)

func TestDebug_writes_the_conversation_of_many_requests_in_whole_lines(t *testing.T) {
	m := testserver.NewMock(t, func(*testserver.Request) testserver.Reply {
		return testserver.Reply{Header: []string{"Set-Cookie: a=s3cret"}, Body: "hello"}
	})
	var text strings.Builder // of one writer at a time, and read when the client is closed
	c := newClient(t, config.Debug(&text))
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			req := newRequest(t, "GET", m.URL, nil)
			req.Header.Set("Authorization", "Bearer s3cret")
			resp, err := c.Send(req)
			if assert.NoError(t, err) {
				assert.NoError(t, resp.Discard())
			}
		})
	}
	all.Wait()
	require.NoError(t, c.Close())
	assert.NotContains(t, text.String(), "s3cret")
	line := regexp.MustCompile(`^\[\d+\] [*<>{}] ?.*$`)
	for l := range strings.Lines(text.String()) {
		assert.Regexp(t, line, strings.TrimSuffix(l, "\n"))
	}
	for _, want := range []string{"> GET / HTTP/1.1\n", "> Authorization: xxxxx\n", "< HTTP/1.1 200 OK\n", "< Set-Cookie: xxxxx\n", "{ [5 bytes of body]\n"} {
		assert.Equal(t, 20, strings.Count(text.String(), "] "+want), want)
	}
}
