package testserver

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/http2"
)

// frameModes runs test with a starter of frame servers in clear text and over TLS,
// and a client for them.
func frameModes(t *testing.T, test func(t *testing.T, start func(FrameScript) (*RawServer, *http.Client))) {
	Modes(t, func(t *testing.T, mode Mode) {
		test(t, func(script FrameScript) (*RawServer, *http.Client) {
			var options []Option
			if mode.TLS() {
				options = append(options, WithTLS())
			}
			s := Frames(t, script, options...)
			return s, trusting(t, mode, s.CAPEM)
		})
	}, H2, H2C)
}

func TestFrames_keeps_requests_and_replies(t *testing.T) {
	frameModes(t, func(t *testing.T, start func(FrameScript) (*RawServer, *http.Client)) {
		s, client := start(ServeFrames("hello"))
		resp, body := get(t, client, s.URL+"/path?q")
		assert.Equal(t, "HTTP/2.0", resp.Proto)
		assert.Equal(t, "hello", body)
		r := s.Request()
		assert.Equal(t, "GET", r.Method)
		assert.Equal(t, "/path?q", r.Target)
		assert.Equal(t, s.Addr, r.Get("Host"))
		assert.True(t, r.Has("user-agent"))

		req, err := http.NewRequest("POST", s.URL, io.MultiReader(strings.NewReader("up")))
		require.NoError(t, err)
		req.Trailer = http.Header{"X-Sum": {"2"}}
		answer, err := client.Do(req)
		require.NoError(t, err)
		require.NoError(t, answer.Body.Close())
		assert.Equal(t, "up", string(s.Requests()[1].Body))
		assert.Equal(t, "2", s.Requests()[1].Trailer("x-sum"))
	})
}

func TestFrames_scripts_break_in_the_place_that_their_name_says(t *testing.T) {
	for name, c := range map[string]struct {
		script               FrameScript
		body, head, bodyFail string
	}{
		"ResetStreams":        {ResetStreams(http2.ErrCodeInternal), "", "INTERNAL_ERROR", ""},
		"ResetInBodyFrames":   {ResetInBodyFrames(http2.ErrCodeInternal), "hello", "", "INTERNAL_ERROR"},
		"CloseInBodyFrames":   {CloseInBodyFrames(), "hello", "", "EOF"},
		"ShortBodyFrames":     {ShortBodyFrames(), "hello", "", "unexpected EOF"},
		"EndlessContinuation": {EndlessContinuation(), "", "header list|frame too large|PROTOCOL|COMPRESSION|http2", ""},
		"RefuseStreams":       {RefuseStreams(1, "hello"), "hello", "", ""},
		"GoAwayUnprocessed":   {GoAwayUnprocessed(1, "hello"), "hello", "", ""},
		"EarlyReplyFrames":    {EarlyReplyFrames("hello"), "hello", "", ""},
		"GoAwayAfter":         {GoAwayAfter(1, "hello"), "hello", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := Frames(t, c.script)
			client := trusting(t, H2C, nil)
			body, headErr, bodyErr := read(t, client, s.URL)
			assertMatches(t, c.head, headErr)
			assertMatches(t, c.bodyFail, bodyErr)
			assert.Equal(t, c.body, body)
			if name == "GoAwayAfter" || name == "GoAwayUnprocessed" {
				assert.True(t, s.WaitRequests(1, soon))
				get(t, client, s.URL)
				assert.Equal(t, 2, s.Accepted())
			}
		})
	}
}

func TestFrames_see_streams_that_the_client_resets(t *testing.T) {
	reset := make(chan http2.ErrCode, 1)
	s := Frames(t, func(c *FrameConn) {
		if s, err := c.NextRequest(); err == nil && c.Head(s, false, 200) == nil && c.UntilReset(s) == nil {
			reset <- s.Code
			c.UntilGone()
		}
	})
	ctx, cancel := context.WithCancel(t.Context())
	req, err := http.NewRequestWithContext(ctx, "GET", s.URL, nil)
	require.NoError(t, err)
	resp, err := trusting(t, H2C, nil).Do(req)
	require.NoError(t, err)
	defer func() { _ = resp.Body.Close() }()
	cancel()
	assert.Equal(t, http2.ErrCodeCancel, <-reset)
}

func TestFrames_speak_when_idle(t *testing.T) {
	frameModes(t, func(t *testing.T, start func(FrameScript) (*RawServer, *http.Client)) {
		idle, acked := NewGate(), make(chan struct{})
		s, client := start(PingWhenIdle(idle.Opened(), acked))
		get(t, client, s.URL)
		idle.Open()
		<-acked

		s, client = start(GoAwayWhenIdle(idle.Opened()))
		get(t, client, s.URL)
		assert.True(t, s.WaitClosed(soon))

		s, client = start(GoAwayWhenIdle(nil))
		get(t, client, s.URL)
		assertGoes(t, s, client)
	})
}

// assertGoes closes the client's idle connections, which net/http may need a
// moment to take for idle.
func assertGoes(t *testing.T, s *RawServer, client *http.Client) {
	t.Helper()
	assert.Eventually(t, func() bool {
		client.CloseIdleConnections()
		return s.Open() == 0
	}, soon, 10*time.Millisecond)
}

func TestFrames_silence_is_kept_until_the_client_goes(t *testing.T) {
	for _, script := range []FrameScript{SilentFrames(), HeadThenNothingFrames()} {
		s := Frames(t, script)
		ctx, cancel := context.WithCancel(t.Context())
		req, err := http.NewRequestWithContext(ctx, "GET", s.URL, nil)
		require.NoError(t, err)
		client := trusting(t, H2C, nil)
		go func() {
			if s.WaitRequests(1, soon) {
				cancel()
			}
		}()
		resp, err := client.Do(req)
		if err == nil {
			_, err = io.ReadAll(resp.Body)
			_ = resp.Body.Close()
		}
		assert.ErrorIs(t, err, context.Canceled)
		assertGoes(t, s, client)
	}
}
