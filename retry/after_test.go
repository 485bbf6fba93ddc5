package retry

import (
	"math"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestAfter_reads_both_forms(t *testing.T) {
	for value, want := range map[string]time.Duration{
		"0":                              0,
		"120":                            2 * time.Minute,
		" 5\t":                           5 * time.Second,
		"0000000000000000000000001":      time.Second,
		"9223372036":                     9223372036 * time.Second,
		"9223372037":                     math.MaxInt64,
		"99999999999999999999999999":     math.MaxInt64,
		"Sun, 01 Mar 2026 12:00:09 GMT":  9 * time.Second,
		"Sunday, 01-Mar-26 12:01:00 GMT": time.Minute,
		"Sun Mar  1 12:00:01 2026":       time.Second,
		"Sun, 01 Mar 2026 11:00:00 GMT":  0,
	} {
		d, ok := After(http.Header{"Retry-After": {value}}, start)
		assert.True(t, ok, value)
		assert.Equal(t, want, d, value)
	}
	for _, value := range []string{"", " ", "-1", "+1", "1.5", "1s", "soon", "Sun, 01 Mar", "１"} {
		d, ok := After(http.Header{"Retry-After": {value}}, start)
		assert.False(t, ok, value)
		assert.Zero(t, d)
	}
	_, ok := After(nil, start)
	assert.False(t, ok)
}

func FuzzAfter(f *testing.F) {
	for _, s := range []string{"", "1", "99999999999999999999", "Sun, 01 Mar 2026 12:00:09 GMT", "-3", "1e9"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, value string) {
		d, ok := After(http.Header{"Retry-After": {value}}, start)
		if d < 0 || !ok && d != 0 {
			t.Fatal(d, ok)
		}
	})
}
