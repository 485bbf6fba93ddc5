package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom/internal/demo"
	"github.com/ratmom/ratmom/internal/testserver"
)

func fetchRun(t *testing.T, args ...string) ran {
	t.Helper()
	return ratmomRun(t, append([]string{"fetch"}, args...)...)
}

func fetchIn(t *testing.T, stdin string, args ...string) ran {
	t.Helper()
	return ratmomIn(t, stdin, append([]string{"fetch"}, args...)...)
}

func TestFetch_writes_a_page_to_standard_output(t *testing.T) {
	r := fetchRun(t, "--demo")
	assert.Equal(t, exitOK, r.code)
	assert.Contains(t, r.out, "This page came from the server inside this program.")
	assert.Empty(t, r.err)
}

func TestFetch_teaches_by_examples(t *testing.T) {
	r := fetchRun(t, "--help")
	assert.Equal(t, exitOK, r.code)
	assert.Contains(t, r.out, "\n  ratmom fetch -O https://example.com/a.tar.gz ")
	assert.Contains(t, r.out, "Exit codes:")
	assert.Contains(t, r.out, "follow at most N redirects (default 10)\n")
	assert.Regexp(t, `--verbose +show`, r.out)
	for line := range strings.Lines(r.out) {
		assert.LessOrEqual(t, len(line), 120, line)
	}
}

func TestFetch_keeps_the_order_of_URLs_on_standard_output(t *testing.T) {
	var want strings.Builder
	args := []string{"--demo", "-j", "20"}
	for n := range 60 {
		args = append(args, fmt.Sprintf("/page/%d", n))
		_, _ = fmt.Fprintf(&want, "This is page %d.\n", n)
	}
	r := fetchRun(t, args...)
	assert.Equal(t, exitOK, r.code)
	assert.Equal(t, want.String(), r.out)
	assert.Empty(t, r.err)
}

func TestFetch_takes_no_more_URLs_at_once_than_told(t *testing.T) {
	var now, most atomic.Int64
	var once sync.Once
	three := make(chan struct{})
	s := testserver.StartFunc(t, testserver.H1, func(_ http.ResponseWriter, r *http.Request) {
		n := now.Add(1)
		defer now.Add(-1)
		most.Store(max(most.Load(), n))
		if n == 3 {
			once.Do(func() { close(three) }) // all that may be here are
		}
		select {
		case <-three:
		case <-r.Context().Done():
		}
	})
	args := []string{"-j", "3", "-o", os.DevNull}
	for range 5 {
		args = append(args, s.URL)
	}
	assert.Equal(t, ran{}, fetchRun(t, args...))
	assert.EqualValues(t, 3, most.Load())
}

func TestFetch_saves_many_into_a_folder(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "b")
	var list strings.Builder
	for n := range 100 {
		_, _ = fmt.Fprintf(&list, "/page/%d\n# a remark\n\n", n)
	}
	r := fetchIn(t, list.String(), "--demo", "--input", "-", "-d", dir, "-j", "30")
	assert.Equal(t, exitOK, r.code, r.err)
	assert.Empty(t, r.out)
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, entries, 100)
	b, err := os.ReadFile(filepath.Join(dir, "42"))
	require.NoError(t, err)
	assert.Equal(t, "This is page 42.\n", string(b))
}

func TestFetch_reads_URLs_from_a_file(t *testing.T) {
	name := filepath.Join(t.TempDir(), "urls")
	require.NoError(t, os.WriteFile(name, []byte("/page/1\r\n  /page/2"), 0o600))
	assert.Equal(t, "This is page 3.\nThis is page 1.\nThis is page 2.\n", fetchRun(t, "--demo", "--input", name, "/page/3").out)

	require.NoError(t, os.WriteFile(name, nil, 0o600))
	assert.Equal(t, ran{}, fetchRun(t, "--demo", "--input", name), "an empty list is no mistake")

	require.NoError(t, os.WriteFile(name, bytes.Repeat([]byte("a"), maxLine+1), 0o600))
	assert.Contains(t, fetchRun(t, "--input", name).err, "a line is longer than 1048576 bytes")

	r := fetchRun(t, "--input", name+".missing")
	assert.Equal(t, exitUsage, r.code)
	assert.Contains(t, r.err, "no such file")
}

func TestFetch_writes_to_the_file_named(t *testing.T) {
	name := filepath.Join(t.TempDir(), "file")
	r := fetchRun(t, "--demo", "/bytes/100000", "-o", name)
	assert.Equal(t, ran{}, r)
	info, err := os.Stat(name)
	require.NoError(t, err)
	assert.EqualValues(t, 100000, info.Size())

	assert.Equal(t, "This is page 5.\n", fetchRun(t, "--demo", "/page/5", "-o", "-").out)
	assert.Equal(t, ran{}, fetchRun(t, "--demo", "/page/5", "/page/6", "-o", os.DevNull))

	r = fetchRun(t, "--demo", "-o", filepath.Join(t.TempDir(), "no", "file"))
	assert.Equal(t, exitFailed, r.code)
	assert.Contains(t, r.err, "no such file or directory")
}

func TestFetch_leaves_no_part_of_a_file(t *testing.T) {
	dir := t.TempDir()
	r := fetchRun(t, "--demo", "/bytes/1000000?rate=200000", "--max-time", "0.3", "-d", dir)
	assert.Equal(t, exitFailed, r.code)
	assert.Contains(t, r.err, "timeout")
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Empty(t, entries)
}

func TestFetch_ends_when_interrupted_and_leaves_no_part_of_a_file(t *testing.T) {
	dir := t.TempDir()
	begun := make(chan struct{})
	s := testserver.StartFunc(t, testserver.H1, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "the beginning")
		_ = http.NewResponseController(w).Flush()
		if r.URL.Path == "/b" {
			close(begun)
		}
		<-r.Context().Done()
	})
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-begun
		cancel()
	}()
	var out, err bytes.Buffer
	args := []string{"fetch", "-j", "2", "-d", dir, s.URL + "/a", s.URL + "/b", s.URL + "/c"}
	code := run(ctx, args, terminal{in: strings.NewReader(""), out: &out, err: &err})
	assert.Equal(t, exitInterrupted, code)
	assert.Equal(t, "ratmom fetch: interrupted\n", err.String())
	entries, readErr := os.ReadDir(dir)
	require.NoError(t, readErr)
	assert.Empty(t, entries)
}

func TestFetch_goes_on_after_failures(t *testing.T) {
	s, err := demo.Start(t.Context())
	require.NoError(t, err)
	defer s.Close()
	bad := []string{
		"http://127.0.0.1:1/", "http://ann:secret@[::1/", "gopher://127.0.0.1/", "http://a b/", "",
		"http://nosuch.invalid/",
	}
	r := fetchRun(t, append(bad, s.URL+"/page/1")...)
	assert.Equal(t, exitFailed, r.code)
	assert.Equal(t, "This is page 1.\n", r.out)
	for _, want := range []string{
		"GET http://127.0.0.1:1/: connection failed", "http://xxxxx@[::1/: invalid request: missing ']' in host",
		`unsupported protocol scheme "gopher"`, "http://a b/: invalid request: invalid character", "the URL is empty",
		"name resolution failed", "ratmom fetch: 6 of 7 URLs failed\n",
	} {
		assert.Contains(t, r.err, want)
	}
	assert.NotContains(t, r.err, "secret")

	r = fetchRun(t, append([]string{"-s"}, append(bad, s.URL+"/page/1")...)...)
	assert.Equal(t, ran{exitFailed, "This is page 1.\n", ""}, r)
}

func TestFetch_fails_on_a_status_only_if_told(t *testing.T) {
	r := fetchRun(t, "--demo", "/status/404")
	assert.Equal(t, ran{exitOK, "404 Not Found\n", ""}, r)

	r = fetchRun(t, "--demo", "/status/404", "/page/1", "/status/500", "--fail")
	assert.Equal(t, exitHTTP, r.code)
	assert.Equal(t, "This is page 1.\n", r.out)
	assert.Contains(t, r.err, "/status/404: 404 Not Found\n")

	r = fetchRun(t, "--demo", "/status/404", "/silence", "--fail", "--max-time", "0.2")
	assert.Equal(t, exitFailed, r.code, "something else failed, too")
}

func TestFetch_shows_heads(t *testing.T) {
	r := fetchRun(t, "--demo", "/page/1", "-i")
	assert.Regexp(t, `^HTTP/1\.1 200 OK\r\n(.*\r\n)*Content-Length: 16\r\n(.*\r\n)*\r\nThis is page 1\.\n$`, r.out)

	r = fetchRun(t, "--demo", "/page/1", "-I")
	assert.Regexp(t, `^HTTP/1\.1 200 OK\r\n(.*\r\n)*\r\n$`, r.out)

	name := filepath.Join(t.TempDir(), "file")
	assert.Equal(t, exitOK, fetchRun(t, "--demo", "/page/1", "-i", "-o", name).code)
	b, err := os.ReadFile(name)
	require.NoError(t, err)
	assert.Contains(t, string(b), "\r\n\r\nThis is page 1.\n")
}

func TestFetch_follows_redirects_unless_told_not_to(t *testing.T) {
	assert.Contains(t, fetchRun(t, "--demo", "/redirect/3").out, "This page came from")
	for _, flag := range []string{"--no-follow", "--location=false", "--max-redirects=0"} {
		assert.Contains(t, fetchRun(t, "--demo", "/redirect/3", "-i", flag).out, "Location: /redirect/2\r\n", flag)
	}
	r := fetchRun(t, "--demo", "/redirect/3", "--max-redirects", "2")
	assert.Equal(t, exitFailed, r.code)
	assert.Contains(t, r.err, "too many redirects: stopped after 2\n")
}

func TestFetch_sends_what_the_flags_say(t *testing.T) {
	r := fetchRun(t, "--demo", "/echo", "-X", "PATCH", "-H", "X-A: b", "-H", "x-a:c", "-H", "Host: example.com",
		"-A", "tester", "-u", "ann:pass:word", "-H", "Accept:")
	for _, want := range []string{
		`"method":"PATCH"`, `"X-A":["b","c"]`, `"host":"example.com"`, `"User-Agent":["tester"]`,
		`"Authorization":["Basic YW5uOnBhc3M6d29yZA=="]`,
	} {
		assert.Contains(t, r.out, want)
	}
	assert.NotContains(t, r.out, `"Accept":`)
	assert.NotContains(t, fetchRun(t, "--demo", "/echo", "-A", "").out, "User-Agent")
	assert.NotContains(t, fetchRun(t, "--demo", "/echo", "--raw").out, "Accept-Encoding")
	assert.Contains(t, fetchRun(t, "--demo", "/echo", "--http2-prior-knowledge").out, `"proto":"HTTP/2.0"`)
	assert.Contains(t, fetchRun(t, "--demo", "/echo", "--http1.1").out, `"proto":"HTTP/1.1"`)
}

func TestFetch_goes_through_a_proxy(t *testing.T) {
	s, err := demo.Start(t.Context())
	require.NoError(t, err)
	defer s.Close()
	r := fetchRun(t, "-x", s.URL, "http://elsewhere.invalid/echo")
	assert.Equal(t, exitOK, r.code, r.err)
	assert.Contains(t, r.out, `"host":"elsewhere.invalid"`)
}

func TestFetch_trusts_nobody_unless_told(t *testing.T) {
	n := testserver.Nginx(t)
	r := fetchRun(t, n.TLSURL+"/hello.txt")
	assert.Equal(t, exitFailed, r.code)
	assert.Contains(t, r.err, "server certificate not accepted")
	assert.Contains(t, r.err, "--cacert FILE")

	r = fetchRun(t, "--cacert", n.CAFile, strings.Replace(n.TLSURL, "//localhost", "//a.b.localhost", 1))
	assert.Equal(t, exitFailed, r.code)
	assert.NotContains(t, r.err, "--cacert FILE", "it would not help")

	r = fetchRun(t, "--cacert", n.CAFile, "--http2", "-i", n.TLSURL+"/hello.txt")
	assert.Equal(t, exitOK, r.code, r.err)
	assert.True(t, strings.HasPrefix(r.out, "HTTP/2.0 200"), r.out)
	assert.True(t, strings.HasSuffix(r.out, "\r\n\r\n"+testserver.Hello), r.out)

	assert.Equal(t, testserver.Hello, fetchRun(t, "-k", n.TLSURL+"/hello.txt").out)
}

func TestFetch_undoes_compression_unless_told_not_to(t *testing.T) {
	n := testserver.Nginx(t)
	r := fetchRun(t, "-i", n.URL+"/text.txt")
	assert.Greater(t, len(r.out), 100*1024)
	assert.NotContains(t, r.out, "Content-Encoding")

	r = fetchRun(t, "-i", "--raw", "-H", "Accept-Encoding: gzip", n.URL+"/text.txt")
	assert.Contains(t, r.out, "Content-Encoding: gzip\r\n")
	assert.Less(t, len(r.out), 50*1024)
}

func TestFetch_refuses_a_wrong_command_line_before_sending(t *testing.T) {
	for want, args := range map[string][]string{
		"no URL":                                    {},
		"unknown flag: --nope":                      {"--nope"},
		"-o x: one file for 2 URLs":                 {"-o", "x", "a", "b"},
		"-o does not go with -O and -d":             {"-o", "x", "-O", "a"},
		"exclude one another":                       {"--http2", "--http1.1", "a"},
		"-w \"xml\": json is the only format":       {"-w", "xml", "a"},
		"must be at least 1":                        {"-j", "0", "a"},
		"a colon must stand":                        {"-u", "ann", "a"},
		"must be basic, digest, ntlm or any":        {"-u", "a:b", "--auth", "kerberos", "a"},
		"--key without --cert":                      {"--key", "x", "a"},
		"-I does not go with --data":                {"-I", "--data", "x", "a"},
		"-I does not go with -X PUT":                {"-I", "-X", "PUT", "a"},
		`invalid method "G T"`:                      {"-X", "G T", "a"},
		"-H: a header field is written":             {"-H", "nonsense", "a"},
		`header field name "a b"`:                   {"-H", "a b: c", "a"},
		"control character":                         {"-H", "a: b\rc", "a"},
		"must not be negative":                      {"--max-redirects", "-1", "a"},
		"--cacert \"/nope\": stat /nope: no such":   {"--cacert", "/nope", "a"},
		"--cert \"/nope\": stat /nope: no such":     {"--cert", "/nope", "a"},
		"-x \"ftp://a\": scheme \"ftp\" is none of": {"-x", "ftp://a", "a"},
		"flag: must be a whole number":              {"-j", "many", "a"},
		"flag: is out of range":                     {"-j", "99999999999999999999", "a"},
		"--data: stat /nope":                        {"--data", "@/nope", "a"},
		"with --demo, URLs are paths":               {"--demo", "http://a/"},
		"cannot have both the URLs and the data":    {"--input", "-", "--data", "@-"},
	} {
		r := fetchRun(t, args...)
		assert.Equal(t, exitUsage, r.code, args)
		assert.Contains(t, r.err, want)
		assert.Contains(t, r.err, "\nTry \"ratmom fetch --help\".\n")
		assert.Empty(t, r.out)
	}
}
