package main

import (
	"path/filepath"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
)

func TestFileName_is_the_end_of_the_path(t *testing.T) {
	for raw, want := range map[string]string{
		"http://a/b/c.txt?x=/y#z":        "c.txt",
		"example.com/c.txt":              "c.txt",
		"http://a":                       "index.html",
		"http://a/b/":                    "index.html",
		"http://a/M%C3%BCnchen%20(1).gz": "München (1).gz",
		"http://a/a+b":                   "a+b",
	} {
		assert.Equal(t, want, fileName(raw), raw)
	}
}

func TestFileName_stays_in_its_folder_and_is_harmless(t *testing.T) {
	for raw, want := range map[string]string{
		"http://a/..":                      "index.html",
		"http://a/.":                       "index.html",
		"http://a/%2e%2e%2fetc%2fpasswd":   "_._etc_passwd",
		"http://a/..%5cwindows":            "_._windows",
		"http://a/.bashrc":                 "_bashrc",
		"http://a/-rf":                     "_rf",
		"http://a/a%00b%0a%1b[31m":         "a_b__[31m",
		"http://a/%ff%fe":                  "__",
		"http://a/a%E2%80%AEtxt.exe":       "a_txt.exe", // right to left
		"http://a/nul.txt":                 "_nul.txt",
		"http://a/COM1":                    "_COM1",
		"http://a/a:b|c?d":                 "a_b_c",
		"http://a/name%20.%20":             "name",
		"http://a/%2e":                     "index.html",
		"http://a/" + long("x", ".tar.gz"): long("x", "")[:197] + ".gz",
		"http://%zz/":                      "index.html",
	} {
		assert.Equal(t, want, fileName(raw), raw)
	}
}

func long(s, end string) string { return strings.Repeat(s, 1000) + end }

func TestTargets_never_share_a_file(t *testing.T) {
	f := &fetchFlags{dir: "d"}
	assert.Equal(t, []string{"d/a", "d/a.1", "d/A.2", "d/a.1.1"},
		f.targets([]string{"http://x/a", "http://y/a?b", "http://x/A", "http://x/a.1"}))
}

func FuzzFileName(f *testing.F) {
	for _, s := range []string{"http://a/b", "http://a/%2e%2e", "//", "http://a/%F0%9F%98%80.txt", "..", "http://a/ %20."} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		name := fileName(raw)
		assert.NotEmpty(t, name)
		assert.Equal(t, name, filepath.Base(name))
		assert.LessOrEqual(t, len(name), maxName+1)
		assert.True(t, utf8.ValidString(name))
		assert.NotContains(t, ".-", name[:1])
		assert.NotContains(t, ". ", name[len(name)-1:])
		assert.Equal(t, -1, strings.IndexFunc(name, func(r rune) bool { return !unicode.IsPrint(r) || r == '\\' }))
	})
}
