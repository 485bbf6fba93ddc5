package field

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestToken_ends_where_no_token_can_go_on(t *testing.T) {
	for _, c := range [][3]string{{"h3=\"", "h3", "=\""}, {"", "", ""}, {"a b", "a", " b"}, {"=x", "", "=x"}, {"!#~", "!#~", ""}} {
		token, rest := Token(c[0])
		assert.Equal(t, [2]string{c[1], c[2]}, [2]string{token, rest}, c[0])
	}
}

func TestQuoted_undoes_quotes(t *testing.T) {
	for _, c := range []struct {
		in, text, rest string
		ok             bool
	}{
		{`"a";b`, "a", ";b", true},
		{`""`, "", "", true},
		{`"a\"b\\"x`, `a"b\`, "x", true},
		{`"a`, "", "", false},
		{`"a\`, "", "", false},
		{`a"`, "", "", false},
		{``, "", "", false},
	} {
		text, rest, ok := Quoted(c.in)
		assert.Equal(t, [3]any{c.text, c.rest, c.ok}, [3]any{text, rest, ok}, c.in)
	}
}

func TestSeconds_are_cut(t *testing.T) {
	for in, want := range map[string]time.Duration{"0": 0, "5": 5 * time.Second, "61": time.Minute, "99999999999999999999": time.Minute} {
		got, ok := Seconds(in, time.Minute)
		assert.True(t, ok, in)
		assert.Equal(t, want, got, in)
	}
	for _, in := range []string{"", "-1", "1.5", "x", " 1"} {
		_, ok := Seconds(in, time.Minute)
		assert.False(t, ok, in)
	}
}
