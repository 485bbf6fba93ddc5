package cookie

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestParseDate_reads_what_browsers_read(t *testing.T) {
	want := time.Date(1994, 11, 6, 8, 49, 37, 0, time.UTC)
	for _, s := range []string{
		"Sun, 06 Nov 1994 08:49:37 GMT",
		"Sunday, 06-Nov-94 08:49:37 GMT",
		"Sun Nov  6 08:49:37 1994",
		"Sun, 6-Nov-1994 8:49:37 UTC",
		"1994 November 6th 08:49:37.123",
		"08:49:37 6 nov 94",
		"6 NOVEMBER 1994;08:49:37",
		"what,06/Nov/1994@08:49:37",
		"Sun 06 Nov 94 08:49:37 +0200", // the zone says nothing
	} {
		got, ok := parseDate(s)
		assert.True(t, ok, s)
		assert.Equal(t, want, got, s)
	}
}

func TestParseDate_knows_the_century_of_two_digits(t *testing.T) {
	for s, year := range map[string]int{
		"1 Jan 00 00:00:00": 2000, "1 Jan 69 00:00:00": 2069, "1 Jan 70 00:00:00": 1970, "1 Jan 99 00:00:00": 1999,
		"1 Jan 100 00:00:00": 0, "1 Jan 1600 00:00:00": 0, "1 Jan 1601 00:00:00": 1601, "1 Jan 9999 23:59:59": 9999,
	} {
		got, ok := parseDate(s)
		assert.Equal(t, year != 0, ok, s)
		if ok {
			assert.Equal(t, year, got.Year(), s)
		}
	}
}

func TestParseDate_refuses_what_is_no_date(t *testing.T) {
	for _, s := range []string{
		"", "0", "tomorrow", "06 Nov 1994", "08:49:37 Nov 1994", "06 08:49:37 1994", "06 Nov 08:49:37",
		"00 Nov 1994 08:49:37", "32 Nov 1994 08:49:37", "30 Feb 1994 08:49:37", "29 Feb 2023 08:49:37",
		"06 Nov 1994 24:00:00", "06 Nov 1994 08:60:00", "06 Nov 1994 08:49:60", "06 Nov 1994 008:49:37",
		"06 Nov 1994 08:49", "06 Nov 1994 08:49:370", "06 Nov 19944 08:49:37", "006 Nov 1994 08:49:37", "06 No 1994 08:49:37",
		"2025-11-06T08:49:37Z",
	} {
		_, ok := parseDate(s)
		assert.False(t, ok, s)
	}
}
