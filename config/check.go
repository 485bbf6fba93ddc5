package config

import (
	"fmt"
	"math"
	"strings"
	"time"
)

// The longest times that every libcurl keeps, by the unit of the option.
const (
	maxFineTime   = math.MaxInt32 * time.Millisecond // 24 days
	maxCoarseTime = math.MaxInt32 * time.Second      // 68 years
)

// checkTime refuses a negative duration and one above most.
func checkTime(option string, d, most time.Duration) error {
	switch {
	case d < 0:
		return invalid(option, d, "is negative")
	case d > most:
		return invalid(option, d, "is longer than %v, the most there is", most)
	}
	return nil
}

// checkRange refuses a number outside lo..hi.
func checkRange[T int | int64 | uint16](option string, v, lo, hi T) error {
	switch {
	case v < 0:
		return invalid(option, v, "is negative")
	case v < lo:
		return invalid(option, v, "is less than %d", lo)
	case v > hi:
		return invalid(option, v, "is more than %d", hi)
	}
	return nil
}

// badByte says what is wrong with a string that must be plain text, "" if
// nothing is: control characters would end a line of the request, or the string
// itself in C.
func badByte(s string) string {
	i := strings.IndexFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f })
	if i < 0 {
		return ""
	}
	return fmt.Sprintf("has the control character %q at byte %d", s[i], i)
}

// maxText bounds strings, in bytes. libcurl takes 8,000,000; nothing sensible
// comes near.
const maxText = 1 << 20

// checkText refuses a string that is not plain text.
func checkText(option, s string) error {
	if len(s) > maxText {
		return invalid(option, s, "is longer than %d bytes", maxText)
	}
	if bad := badByte(s); bad != "" {
		return invalid(option, s, "%s", bad)
	}
	return nil
}
