package peer

import (
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestTarget_masks_what_is_in_a_query_and_is_short(t *testing.T) {
	for _, c := range []struct{ path, query, want string }{
		{"", "", "/"},
		{"/a b\n", "", "/a%20b%0A"},
		{"*", "", "*"},
		{"/", "a=geheim&b=geheim;c", "/?a=xxxxx&b=xxxxx&xxxxx"},
		{"/", "geheim", "/?xxxxx"},
		{"/", "=geheim=geheim", "/?=xxxxx"},
		{"/" + strings.Repeat("x", 300), "", "/" + strings.Repeat("x", maxTarget-1)},
	} {
		assert.Equal(t, c.want, target(c.path, c.query))
	}
}

func FuzzTarget(f *testing.F) {
	f.Add("/a", "b=c&d")
	f.Add("\x00\xff", "&&==;")
	f.Fuzz(func(t *testing.T, path, query string) {
		if s := target(path, query); len(s) > maxTarget+len("...") {
			t.Errorf("%d bytes", len(s))
		}
		if u, err := url.ParseQuery(maskQuery(query)); err == nil {
			for name, values := range u {
				for _, v := range values {
					if v != "xxxxx" && (v != "" || name != "xxxxx") {
						t.Errorf("%q has %q", query, v)
					}
				}
			}
		}
	})
}
