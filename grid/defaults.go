package grid

import (
	"fmt"
	"time"
)

// filled checks the intervals, and puts in the defaults.
func (t Timing) filled() (Timing, error) {
	for _, f := range []struct {
		name  string
		value *time.Duration
		or    time.Duration
	}{
		{"Handshake", &t.Handshake, 5 * time.Second},
		{"DialGrace", &t.DialGrace, 3 * time.Second},
		{"Ping", &t.Ping, 5 * time.Second},
		{"Dead", &t.Dead, 12 * time.Second},
		{"Write", &t.Write, 4 * time.Second},
		{"RetryMin", &t.RetryMin, 50 * time.Millisecond},
		{"RetryMax", &t.RetryMax, 5 * time.Second},
		{"Drain", &t.Drain, 30 * time.Second},
	} {
		if *f.value < 0 {
			return t, fmt.Errorf("grid: Timing.%s is negative", f.name)
		}
		if *f.value == 0 {
			*f.value = f.or
		}
	}
	if t.Dead <= t.Ping {
		return t, fmt.Errorf("grid: Timing.Dead (%v) must be longer than Timing.Ping (%v)", t.Dead, t.Ping)
	}
	return t, nil
}

// filled checks the bounds, and puts in the defaults.
func (l Limits) filled() (Limits, error) {
	for _, f := range []struct {
		name  string
		value *int
		or    int
		least int
		most  int
	}{
		{"Calls", &l.Calls, 1024, 1, maxSlots / 2},
		{"Streams", &l.Streams, 1024, 1, maxSlots / 2},
		{"SendQueue", &l.SendQueue, 4 << 20, 1, 1 << 30},
		{"BulkWindow", &l.BulkWindow, 16 << 20, creditAt, 1 << 30},
	} {
		if *f.value == 0 {
			*f.value = f.or
		}
		if *f.value < f.least || *f.value > f.most {
			return l, fmt.Errorf("grid: Limits.%s is %d, and must be from %d to %d", f.name, *f.value, f.least, f.most)
		}
	}
	if l.Message == 0 {
		l.Message = 64 << 20
	}
	if l.Large == 0 {
		l.Large = max(64<<20, l.Message)
	}
	if l.Message < 64<<10 || l.Message > 1<<40 || l.Large < l.Message {
		return l, fmt.Errorf("grid: Limits.Message is %d, and must be from 64 KiB to 1 TiB, and Limits.Large (%d) not below it", l.Message, l.Large)
	}
	return l, nil
}
