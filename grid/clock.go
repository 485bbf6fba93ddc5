package grid

import "time"

// clock counts nanoseconds since its start, by the monotonic clock: the only
// kind of time that the grid compares.
type clock struct{ start time.Time }

func newClock() clock { return clock{time.Now()} }

// now is never 0.
func (c clock) now() int64 { return int64(time.Since(c.start)) + 1 }

// at is the time t by this clock.
func (c clock) at(t time.Time) int64 { return max(int64(t.Sub(c.start))+1, 1) }

// time is t as a time of day.
func (c clock) time(t int64) time.Time { return c.start.Add(time.Duration(t)) }
