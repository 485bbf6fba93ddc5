package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestSeconds_are_a_number_or_a_duration(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"10": 10 * time.Second, "1.5": 1500 * time.Millisecond, "2m30s": 150 * time.Second, "250ms": 250 * time.Millisecond,
		"0": 0, "1e-12": 1, // never a small time that becomes none
	} {
		var s seconds
		require.NoError(t, s.Set(text), text)
		assert.Equal(t, want, s.Duration, text)
	}
	for _, text := range []string{"", "soon", "-1", "-1s", "NaN", "inf", "1e300"} {
		assert.Error(t, new(seconds).Set(text), text)
	}
}

func TestLocation_is_on_by_itself(t *testing.T) {
	f := new(fetchFlags)
	set := f.flags()
	require.NoError(t, set.Parse([]string{"-L", "a"}))
	require.NoError(t, f.check(set, 1))
	assert.Equal(t, defaultRedirects, f.redirects())
}
