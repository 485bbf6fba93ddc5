package frame

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

// The words of an error are UTF-8, wherever they have to end.
func TestFailure_has_words_that_end_with_a_whole_rune(t *testing.T) {
	const full = maxMessage
	for name, c := range map[string]struct{ said, heard string }{
		"nothing":                         {"", ""},
		"as long as may be":               {strings.Repeat("x", full), strings.Repeat("x", full)},
		"a byte more":                     {strings.Repeat("x", full+1), strings.Repeat("x", full)},
		"a rune that ends in time":        {strings.Repeat("x", full-2) + "é!", strings.Repeat("x", full-2) + "é"},
		"a rune of two bytes, cut":        {strings.Repeat("x", full-1) + "é!", strings.Repeat("x", full-1)},
		"a rune of three bytes, cut once": {strings.Repeat("x", full-2) + "€!", strings.Repeat("x", full-2)},
		"a rune of four bytes, cut late":  {strings.Repeat("x", full-3) + "😀!", strings.Repeat("x", full-3)},
		"many runes":                      {strings.Repeat("€", full), strings.Repeat("€", full/3)},
		"bytes that are no runes":         {"a file \xff\xfe.txt", "a file ?.txt"},
		"nothing but such bytes":          {strings.Repeat("\x80", full+10), "?"},
		"a rune that was broken before":   {"caf\xc3", "caf?"},
	} {
		t.Run(name, func(t *testing.T) {
			var f Failure
			require.NoError(t, f.Parse((&Failure{App: 7, Message: c.said, Details: []byte{0xff}}).Append(nil)))
			require.True(t, utf8.ValidString(f.Message))
			require.Equal(t, c.heard, f.Message)
			require.Equal(t, []byte{0xff}, f.Details)
			require.Equal(t, uint16(7), f.App)
		})
	}
}
