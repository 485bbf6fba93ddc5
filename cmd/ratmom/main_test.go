package main

import (
	"bytes"
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/ratmom/ratmom/internal/testserver"
)

func TestMain(m *testing.M) {
	// The machine's own proxies must not change what the tests see.
	for _, v := range []string{"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"} {
		_ = os.Unsetenv(v)
		_ = os.Unsetenv(strings.ToLower(v))
	}
	os.Exit(testserver.CheckLeaks(m))
}

// ran is what a run of the command line has left.
type ran struct {
	code     int
	out, err string
}

// ratmomIn runs the command line with that standard input.
func ratmomIn(t *testing.T, stdin string, args ...string) ran {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	var out, err bytes.Buffer
	code := run(ctx, args, terminal{in: strings.NewReader(stdin), out: &out, err: &err})
	return ran{code, out.String(), err.String()}
}

func ratmomRun(t *testing.T, args ...string) ran {
	t.Helper()
	return ratmomIn(t, "", args...)
}

func TestRun_teaches_who_does_not_know_the_commands(t *testing.T) {
	for _, args := range [][]string{{"help"}, {"-h"}, {"--help"}, {"help", "help"}, {"help", "--help"}, {"-h", "-h"}} {
		r := ratmomRun(t, args...)
		assert.Equal(t, exitOK, r.code)
		assert.Contains(t, r.out, "ratmom fetch --demo")
		assert.Contains(t, r.out, "\n  version ")
		assert.Empty(t, r.err)
	}
	r := ratmomRun(t)
	assert.Equal(t, exitUsage, r.code)
	assert.Equal(t, "ratmom: no command\nTry \"ratmom --help\".\n", r.err)

	r = ratmomRun(t, "http://example.com/")
	assert.Equal(t, exitUsage, r.code)
	assert.Contains(t, r.err, "to fetch it: ratmom fetch http://example.com/\n")

	assert.Equal(t, exitUsage, ratmomRun(t, "fetsh").code)
	assert.Equal(t, ratmomRun(t, "fetch", "--help"), ratmomRun(t, "help", "fetch"))
}

func TestRun_fails_if_what_it_prints_cannot_be_written(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip("there is no /dev/full")
	}
	t.Cleanup(func() { _ = full.Close() })
	for _, args := range [][]string{
		{"help"}, {"version"}, {"fetch", "--help"}, {"peers", "--help"},
		{"fetch", "--demo"}, {"fetch", "--demo", "-w", "json", "-o", os.DevNull},
	} {
		var problem bytes.Buffer
		assert.Equal(t, exitFailed, runChecked(t.Context(), args, terminal{out: full, err: &problem}), args)
		assert.Contains(t, problem.String(), "no space left", args)
	}
}
