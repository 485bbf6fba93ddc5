package cgo

import (
	"math"
	"time"
)

// Millis returns d in milliseconds for a libcurl option: rounded up, so that a
// short time never becomes 0, which means "no limit", and at most what every
// libcurl keeps, 2147483647 (24 days). It returns 0 for 0 and below.
func Millis(d time.Duration) int64 { return roundUp(d, time.Millisecond) }

// Seconds returns d in seconds by the same rules; the most is 68 years.
func Seconds(d time.Duration) int64 { return roundUp(d, time.Second) }

func roundUp(d, unit time.Duration) int64 {
	if d <= 0 {
		return 0
	}
	n := int64(d / unit)
	if d%unit != 0 {
		n++
	}
	return min(n, math.MaxInt32)
}
