package grid

import (
	"math"
	"time"
)

// clock counts nanoseconds since its start, by the monotonic clock: the only
// kind of time that the grid compares.
type clock struct{ start time.Time }

func newClock() clock { return clock{time.Now()} }

// now is never 0.
func (c clock) now() int64 { return int64(time.Since(c.start)) + 1 }

// at is the time t by this clock, or the last it knows if t is later.
func (c clock) at(t time.Time) int64 { return max(later(1, t.Sub(c.start)), 1) }

// later is the time d after t, or the last that there is.
func later(t int64, d time.Duration) int64 {
	if int64(d) > math.MaxInt64-t {
		return math.MaxInt64
	}
	return t + int64(d)
}

// time is t as a time of day.
func (c clock) time(t int64) time.Time { return c.start.Add(time.Duration(t)) }
