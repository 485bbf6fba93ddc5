package show

import (
	"strings"
	"testing"
	"unicode"
)

func FuzzNegotiate(f *testing.F) {
	for _, s := range []string{"", "*/*", "text/html;q=0.5,application/json", "text/*;q=NaN;q=2", ";;,,=", "TEXT/HTML; Q=1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, accept string) {
		if negotiate(accept).write == nil {
			t.Error("no format")
		}
		for _, x := range formats {
			if q := quality(accept, x.media); !(q >= 0 && q <= 1) {
				t.Errorf("quality %v", q)
			}
		}
	})
}

func FuzzClean(f *testing.F) {
	for _, s := range []string{"", "a b", "\x1b[2J", "a\tb\n", "\xff", "\u202e"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if c := clean(s); strings.ContainsFunc(c, func(r rune) bool { return !unicode.IsPrint(r) }) {
			t.Errorf("%q", c)
		}
	})
}
