package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func reportLines(t *testing.T, text string) []reportLine {
	t.Helper()
	var list []reportLine
	for line := range strings.Lines(text) {
		var l reportLine
		require.NoError(t, json.Unmarshal([]byte(line), &l), line)
		list = append(list, l)
	}
	return list
}

func TestReport_has_a_line_for_each_URL_on_standard_output(t *testing.T) {
	dir := t.TempDir()
	r := fetchRun(t, "--demo", "-w", "json", "-d", dir, "-j", "1", "/bytes/1000", "/redirect/2", "/status/404", "/bytes/20")
	assert.Equal(t, exitOK, r.code, r.err)
	assert.Empty(t, r.err)
	lines := reportLines(t, r.out)
	require.Len(t, lines, 4)

	l := lines[0]
	assert.Regexp(t, `^http://127\.0\.0\.1:\d+/bytes/1000$`, l.URL)
	assert.Equal(t, l.URL, l.EffectiveURL)
	assert.Equal(t, "GET", l.Method)
	assert.Equal(t, 200, l.Status)
	assert.Equal(t, "1.1", l.HTTPVersion)
	assert.Equal(t, filepath.Join(dir, "1000"), l.File)
	assert.EqualValues(t, 1000, l.Bytes)
	assert.EqualValues(t, 1000, l.Received)
	assert.Contains(t, l.URL, l.RemoteAddr)
	assert.False(t, l.Reused)
	assert.Positive(t, l.Seconds.Connect)
	assert.GreaterOrEqual(t, l.Seconds.Total, l.Seconds.FirstByte)
	assert.GreaterOrEqual(t, l.Seconds.FirstByte, l.Seconds.PreTransfer)
	assert.GreaterOrEqual(t, l.Seconds.Elapsed, l.Seconds.Total)

	assert.Contains(t, lines[1].URL, "/redirect/2")
	assert.NotContains(t, lines[1].EffectiveURL, "/redirect")
	assert.Equal(t, 404, lines[2].Status)
	assert.True(t, lines[3].Reused)
}

func TestReport_goes_to_standard_error_if_bodies_go_to_standard_output(t *testing.T) {
	r := fetchRun(t, "--demo", "-w", "json", "/page/1")
	assert.Equal(t, "This is page 1.\n", r.out)
	assert.EqualValues(t, 16, reportLines(t, r.err)[0].Bytes)
}

func TestReport_says_what_failed_and_no_secret(t *testing.T) {
	r := fetchRun(t, "-s", "-w", "json", "-o", os.DevNull, "http://ann:secret@127.0.0.1:1/", "http://ann:secret@[::1/")
	assert.Equal(t, exitFailed, r.code)
	assert.NotContains(t, r.out, "secret")
	assert.Empty(t, r.err)
	byURL := map[string]reportLine{}
	for _, l := range reportLines(t, r.out) {
		byURL[l.URL] = l
	}
	l := byURL["http://xxxxx@127.0.0.1:1/"]
	assert.Equal(t, "connection failed", l.Kind)
	assert.Contains(t, l.Error, "127.0.0.1")
	assert.Zero(t, l.Status)
	assert.Equal(t, "invalid request", byURL["http://xxxxx@[::1/"].Kind)

	r = fetchRun(t, "-s", "-w", "json", "-o", os.DevNull, "--fail", "--demo", "/status/503")
	l = reportLines(t, r.out)[0]
	assert.Equal(t, "status", l.Kind)
	assert.Equal(t, 503, l.Status)

	r = fetchRun(t, "-s", "-w", "json", "-o", os.DevNull, "--max-time", "0.3", "--demo", "/bytes/1000000?rate=100000")
	l = reportLines(t, r.out)[0]
	assert.Equal(t, "timeout", l.Kind)
	assert.Equal(t, 200, l.Status)
	assert.Positive(t, l.Bytes)
}
