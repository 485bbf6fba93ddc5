package main

import (
	"fmt"
	"net/url"
	"path"
	"path/filepath"
	"strings"
	"unicode"
	"unicode/utf8"
)

// targets returns the file of each URL, "" for standard output.
func (f *fetchFlags) targets(urls []string) []string {
	list := make([]string, len(urls))
	switch {
	case f.output == "-":
	case f.output != "":
		for i := range list {
			list[i] = f.output
		}
	case f.remoteName || f.dir != "":
		taken := make(map[string]bool)
		for i, u := range urls {
			name := fileName(u)
			for n := 1; taken[strings.ToLower(name)]; n++ {
				name = fmt.Sprintf("%s.%d", fileName(u), n)
			}
			taken[strings.ToLower(name)] = true // some file systems ignore case
			list[i] = filepath.Join(f.dir, name)
		}
	}
	return list
}

// maxName is what file systems take of a name, less what is added to it, in bytes.
const maxName = 200

// fileName makes a name of the last part of the URL's path: one that stays in its
// folder, is not hidden, is not taken for a flag, and prints on one line.
func fileName(raw string) string {
	if !strings.Contains(raw, "://") {
		raw = "http://" + raw
	}
	u, err := url.Parse(raw)
	if err != nil {
		return "index.html" // the URL fails later, with its own error
	}
	escaped := u.EscapedPath()
	name, err := url.PathUnescape(escaped[strings.LastIndexByte(escaped, '/')+1:])
	if err != nil || name == "" {
		return "index.html"
	}
	name = strings.Map(func(r rune) rune {
		if r == utf8.RuneError || !unicode.IsPrint(r) || strings.ContainsRune(`/\<>:"|?*`, r) {
			return '_'
		}
		return r
	}, name)
	if len(name) > maxName {
		end := path.Ext(name)
		if len(end) > 20 {
			end = ""
		}
		name = strings.ToValidUTF8(name[:maxName-len(end)], "") + end
	}
	if name = strings.TrimRight(name, " ."); name == "" {
		return "index.html"
	}
	if name[0] == '.' || name[0] == '-' {
		name = "_" + name[1:]
	}
	if reserved(name) {
		name = "_" + name
	}
	return name
}

// reserved reports whether Windows takes the name for a device.
func reserved(name string) bool {
	stem, _, _ := strings.Cut(strings.ToUpper(name), ".")
	switch stem {
	case "CON", "PRN", "AUX", "NUL":
		return true
	}
	return len(stem) == 4 && (strings.HasPrefix(stem, "COM") || strings.HasPrefix(stem, "LPT")) && stem[3] >= '0' && stem[3] <= '9'
}
