package testserver

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func plainClient(t *testing.T) *http.Client {
	transport := &http.Transport{DisableCompression: true, MaxResponseHeaderBytes: 64 << 10}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

// read gives what a client of net/http makes of a script: the body, and the error
// of the head or of the body.
func read(t *testing.T, c *http.Client, url string) (body string, headErr, bodyErr error) {
	t.Helper()
	resp, err := c.Get(url)
	if err != nil {
		return "", err, nil
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	return string(b), nil, err
}

func TestScripts_break_in_the_place_that_their_name_says(t *testing.T) {
	for name, c := range map[string]struct {
		script   Script
		head     string // of the error from Get
		bodyErr  string
		body     string
		isPrefix bool
	}{
		"CloseAtOnce":            {script: CloseAtOnce(), head: "EOF|reset|broken|closed"},
		"CloseUnanswered":        {script: CloseUnanswered(), head: "EOF"},
		"ResetUnanswered":        {script: ResetUnanswered(), head: "reset"},
		"GarbageStatusLine":      {script: GarbageStatusLine(), head: "malformed HTTP response"},
		"EndlessHead":            {script: EndlessHead(), head: "headers exceeded"},
		"EndlessHeaderLine":      {script: EndlessHeaderLine(), head: "headers exceeded"},
		"EndlessInformational":   {script: EndlessInformational(), head: "1xx|headers exceeded"},
		"TruncatedChunked":       {script: TruncatedChunked(), body: "hello", bodyErr: "unexpected EOF"},
		"MissingLastChunk":       {script: MissingLastChunk(), body: "hello", bodyErr: "unexpected EOF"},
		"BadChunkSize":           {script: BadChunkSize(), body: "hello", bodyErr: "invalid byte in chunk"},
		"TruncatedContentLength": {script: TruncatedContentLength(), body: "hello", bodyErr: "unexpected EOF"},
		"HugeContentLength":      {script: HugeContentLength(), body: "hello", bodyErr: "unexpected EOF"},
		"UntilEnd":               {script: UntilEnd("hello"), body: "hello"},
		"EarlyAnswer":            {script: EarlyAnswer(OK("hello")), body: "hello"},
		"EarlyAnswerAndStop":     {script: EarlyAnswerAndStop(OK("hello")), body: "hello"},
		"EndlessBody":            {script: EndlessBody(), body: "bbbb", isPrefix: true},
		"EndlessTrailers":        {script: EndlessTrailers(), body: "hello", bodyErr: "suspiciously long trailer"},
	} {
		t.Run(name, func(t *testing.T) {
			s := Raw(t, c.script)
			body, headErr, bodyErr := read(t, plainClient(t), s.URL)
			assertMatches(t, c.head, headErr)
			assertMatches(t, c.bodyErr, bodyErr)
			if c.isPrefix {
				body = body[:len(c.body)]
			}
			assert.Equal(t, c.body, body)
		})
	}
}

func assertMatches(t *testing.T, want string, err error) {
	t.Helper()
	if want == "" {
		assert.NoError(t, err)
		return
	}
	require.Error(t, err)
	for w := range strings.SplitSeq(want, "|") {
		if strings.Contains(err.Error(), w) {
			return
		}
	}
	assert.Fail(t, "another error", "%v, want %s", err, want)
}

func TestScripts_that_say_nothing_see_the_client_go(t *testing.T) {
	gate := NewGate()
	for name, script := range map[string]Script{
		"Silent": Silent(), "HalfHead": HalfHead(), "HeadThenNothing": HeadThenNothing(),
		"CloseWhenIdle": CloseWhenIdle(gate.Opened()),
	} {
		t.Run(name, func(t *testing.T) {
			s := Raw(t, script)
			conn, err := net.Dial("tcp", s.Addr)
			require.NoError(t, err)
			_, err = io.WriteString(conn, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
			require.NoError(t, err)
			if name != "Silent" {
				_, err = conn.Read(make([]byte, 1<<10))
				require.NoError(t, err)
			}
			require.True(t, s.WaitAccepted(1, soon))
			assert.Equal(t, 1, s.Open())
			require.NoError(t, conn.Close())
			assert.True(t, s.WaitClosed(soon))
		})
	}
}

func TestHeadThenNothing_gives_the_head_at_once(t *testing.T) {
	s := Raw(t, HeadThenNothing(), WithTLS())
	client := (&Server{Endpoint: s.Endpoint, Mode: HTTPS1, t: t}).Client()
	ctx, cancel := context.WithCancel(t.Context())
	req, err := http.NewRequestWithContext(ctx, "GET", s.URL, nil)
	require.NoError(t, err)
	resp, err := client.Do(req)
	require.NoError(t, err)
	defer func() { _ = resp.Body.Close() }()
	assert.Equal(t, 200, resp.StatusCode)
	assert.NotNil(t, s.Request().TLS)
	cancel()
	assert.True(t, s.WaitClosed(soon))
}

func TestResetInBody_waits_until_the_client_has_the_bytes(t *testing.T) {
	received := NewGate()
	s := Raw(t, ResetInBody(received.Opened()))
	resp, err := plainClient(t).Get(s.URL)
	require.NoError(t, err)
	defer func() { _ = resp.Body.Close() }()
	b := make([]byte, 5)
	_, err = io.ReadFull(resp.Body, b)
	require.NoError(t, err)
	received.Open()
	_, err = resp.Body.Read(b)
	assert.ErrorContains(t, err, "reset")
}

func TestCloseOnReuse_answers_the_first_request_of_each_connection_only(t *testing.T) {
	for _, script := range []Script{CloseOnReuse(), ResetOnReuse()} {
		s := Raw(t, script)
		client := plainClient(t)
		_, body := get(t, client, s.URL)
		assert.Equal(t, "hello", body)
		resp, err := client.Post(s.URL, "", io.MultiReader(strings.NewReader("once"))) // no GetBody, no retry
		if err == nil {
			_ = resp.Body.Close()
		}
		require.Error(t, err)
		assert.Len(t, s.Requests(), 2)
		assert.Equal(t, 1, s.Accepted())
	}
}

func TestCloseWhenIdle_closes_and_the_next_request_comes_anew(t *testing.T) {
	idle := make(chan struct{})
	s := Raw(t, CloseWhenIdle(idle))
	client := plainClient(t)
	get(t, client, s.URL)
	idle <- struct{}{}
	require.True(t, s.WaitClosed(soon))
	get(t, client, s.URL)
	assert.Equal(t, 2, s.Accepted())
}

func TestUnsolicited_speaks_on_an_idle_connection(t *testing.T) {
	idle := make(chan struct{})
	s := Raw(t, Unsolicited(idle))
	conn, err := net.Dial("tcp", s.Addr)
	require.NoError(t, err)
	defer func() { _ = conn.Close() }()
	_, err = io.WriteString(conn, "GET / HTTP/1.1\r\n\r\n")
	require.NoError(t, err)
	idle <- struct{}{}
	want := OK("hello") + "HTTP/1.1 408 Request Timeout\r\nContent-Length: 4\r\n\r\nlate"
	got := make([]byte, len(want))
	_, err = io.ReadFull(conn, got)
	require.NoError(t, err)
	assert.Equal(t, want, string(got))
}

func TestRefuseExpect_refuses_and_then_takes_the_body(t *testing.T) {
	s := Raw(t, PerConnection(RefuseExpect(OK("taken"))))
	send := func(expect string) int {
		req, err := http.NewRequest("POST", s.URL, strings.NewReader("body"))
		require.NoError(t, err)
		if expect != "" {
			req.Header.Set("Expect", expect)
		}
		client := plainClient(t)
		client.Transport.(*http.Transport).ExpectContinueTimeout = soon
		resp, err := client.Do(req)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		return resp.StatusCode
	}
	assert.Equal(t, 417, send("100-continue"))
	assert.Equal(t, 200, send(""))
	assert.Equal(t, "body", string(s.Requests()[1].Body))
}

func TestTrickle_sends_a_piece_for_each_pass(t *testing.T) {
	gate := NewGate()
	s := Raw(t, Trickle(gate, "HTTP/1.1 200 OK\r\n\r\n", "a", "b"))
	resp, err := plainClient(t).Get(s.URL)
	require.NoError(t, err)
	defer func() { _ = resp.Body.Close() }()
	require.True(t, gate.WaitArrived(1, soon))
	gate.Let(1)
	b := make([]byte, 4)
	n, err := resp.Body.Read(b)
	require.NoError(t, err)
	assert.Equal(t, "a", string(b[:n]))
	gate.Open()
	rest, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	assert.Equal(t, "b", string(rest))
}

func TestRaw_ends_scripts_that_wait_for_a_shut_gate(t *testing.T) {
	gate := NewGate()
	s := Raw(t, Trickle(gate, "HTTP/1.1 200 OK\r\n\r\n", "never"))
	failed := make(chan error, 1)
	client := plainClient(t)
	go func() {
		_, headErr, bodyErr := read(t, client, s.URL)
		failed <- errors.Join(headErr, bodyErr)
	}()
	require.True(t, gate.WaitArrived(1, soon))
	s.Close()
	assert.NoError(t, <-failed) // the body ends with the connection
}

func TestRaw_can_refuse_further_connections(t *testing.T) {
	s := Raw(t, Answer(OK("hello")))
	client := plainClient(t)
	get(t, client, s.URL)
	s.StopListening()
	get(t, client, s.URL)
	_, err := net.Dial("tcp", s.Addr)
	assert.Error(t, err)
}
