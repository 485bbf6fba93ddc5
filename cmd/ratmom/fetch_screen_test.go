package main

import (
	"bytes"
	"io"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom/internal/testserver"
)

func TestVerbose_shows_the_conversation_without_secrets(t *testing.T) {
	r := fetchRun(t, "--demo", "/page/1", "-v", "-u", "ann:secret", "-H", "Cookie: a=hidden")
	assert.Equal(t, "This is page 1.\n", r.out)
	for _, want := range []string{"> GET /page/1 HTTP/1.1\n", "> Authorization: xxxxx\n", "> Cookie: xxxxx\n", "< HTTP/1.1 200 OK\n", "left intact\n"} {
		assert.Contains(t, r.err, want)
	}
	assert.NotContains(t, r.err, "hidden")
	assert.NotContains(t, r.err, "YW5uOnNlY3JldA")
	assert.NotContains(t, r.err, "{ [")
	assert.Contains(t, fetchRun(t, "--demo", "/page/1", "-vv").err, "{ [16 bytes")
}

func TestVerbose_tells_of_a_failure_behind_the_conversation(t *testing.T) {
	p := testserver.Raw(t, testserver.Answer("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nX-Why: so\r\n\r\n"))
	for range 10 {
		r := fetchRun(t, "-v", "-x", p.URL, "https://elsewhere.invalid/")
		assert.Equal(t, exitFailed, r.code)
		talk, problem, ok := strings.Cut(r.err, "ratmom fetch: ")
		assert.True(t, ok, r.err)
		assert.Contains(t, talk, "< X-Why: so")
		assert.Contains(t, problem, "proxy failed")
		assert.Equal(t, 1, strings.Count(problem, "\n"), problem)
	}
}

func TestVerbose_numbers_the_URLs_if_there_are_several(t *testing.T) {
	r := fetchRun(t, "--demo", "/page/1", "/page/2", "-v", "-j", "2")
	assert.Contains(t, r.err, "\n[1] > GET /page/1 HTTP/1.1\n")
	assert.Contains(t, r.err, "\n[2] > GET /page/2 HTTP/1.1\n")
}

// onTerminal runs fetch with standard error on what stands for a terminal.
func onTerminal(t *testing.T, args ...string) ran {
	t.Helper()
	var out, err bytes.Buffer
	code := run(t.Context(), append([]string{"fetch"}, args...), terminal{in: strings.NewReader(""), out: &out, err: &err, bars: true})
	return ran{code, out.String(), err.String()}
}

func TestBars_are_for_long_work_on_a_terminal(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	const long = "/bytes/1048576?rate=1200000"
	r := onTerminal(t, "--demo", long, "-o", file)
	assert.Equal(t, exitOK, r.code)
	assert.Contains(t, r.err, "1.0 MiB / 1.0 MiB")
	assert.Contains(t, r.err, "file")

	assert.Empty(t, onTerminal(t, "--demo", "/json", "-o", file).err, "short work")
	assert.Empty(t, onTerminal(t, "--demo", long, "-o", file, "-s").err)
	assert.NotContains(t, onTerminal(t, "--demo", long, "-o", file, "-v").err, "MiB /")
	assert.Empty(t, fetchRun(t, "--demo", long, "-o", file).err, "no terminal")
}

func TestBars_show_all_of_many_and_messages_above_them(t *testing.T) {
	r := onTerminal(t, "--demo", "-d", t.TempDir(), "/bytes/700000?rate=1000000", "/status/200",
		"/bytes/600000?rate=1000000", "/silence", "--max-time", "3")
	assert.Equal(t, exitFailed, r.code)
	assert.Contains(t, r.err, "URLs")
	assert.Contains(t, r.err, "3 / 4")
	assert.Regexp(t, `ratmom fetch: GET http://127\.0\.0\.1:\d+/silence: timeout`, r.err)
	assert.True(t, strings.HasSuffix(r.err, "ratmom fetch: 1 of 4 URLs failed\n"), r.err)
}

// A bar is drawn every 150 ms until the screen is closed, also after its end. The
// test waits for that with the clock alone: any other sign would order the two.
func TestBars_are_closed_while_they_are_drawn_after_their_end(t *testing.T) {
	var out bytes.Buffer
	s := &screen{err: &out, bars: true}
	b := &watchedBody{
		ReadCloser: io.NopCloser(strings.NewReader("12345678")),
		s:          s, name: "file", length: 8, begin: time.Now().Add(-2 * barDelay),
	}
	_, err := io.Copy(io.Discard, b)
	require.NoError(t, err)
	time.Sleep(600 * time.Millisecond)
	require.NoError(t, b.Close())
	s.close()
	assert.Contains(t, out.String(), "8.0 b / 8.0 b")
}

func TestPrintable_disarms_what_drives_a_terminal(t *testing.T) {
	assert.Equal(t, "a\tb\n.[31m. ü.", printable("a\tb\n\x1b[31m\r ü\u009b"))
}
