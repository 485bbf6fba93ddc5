package retry

import (
	"math/bits"
	"sync"
	"time"
)

const (
	latencySpan = 30 * time.Second // what is twice as old is forgotten
	latencyMin  = 50               // answers before a P95 is one
	latencySlot = 8                // slots per doubling: at most an eighth too long
	latencies   = 40 * latencySlot
)

// Latency remembers how long recent answers took, in constant memory. It is safe for
// concurrent use; its zero value is empty.
type Latency struct {
	mu       sync.Mutex
	turned   time.Time
	new, old histogram
}

type histogram struct {
	n     int
	slots [latencies]uint32
}

// Observe notes that an answer took d.
func (l *Latency) Observe(d time.Duration, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.turn(now)
	l.new.n++
	l.new.slots[slotOf(d)]++
}

// P95 is the time within which 95 of 100 recent answers came, at most an eighth more;
// !ok: there were fewer than 50.
func (l *Latency) P95(now time.Time) (d time.Duration, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.turn(now)
	n := l.new.n + l.old.n
	if n < latencyMin {
		return 0, false
	}
	rest := n - n*95/100 // those above
	for i := latencies - 1; i >= 0; i-- {
		if rest -= int(l.new.slots[i] + l.old.slots[i]); rest < 0 {
			return upperEdge(i), true
		}
	}
	return 0, false
}

func (l *Latency) turn(now time.Time) {
	switch d := now.Sub(l.turned); {
	case d >= 2*latencySpan:
		l.new, l.old, l.turned = histogram{}, histogram{}, now
	case d >= latencySpan:
		l.old, l.new, l.turned = l.new, histogram{}, now
	}
}

// slotOf is the place of a time, in microseconds: by its highest bit and the three that
// follow.
func slotOf(d time.Duration) int {
	us := uint64(max(d.Microseconds(), 0))
	if us < latencySlot {
		return int(us)
	}
	e := bits.Len64(us) - 4 // us>>e is 8..15
	return min((e+1)*latencySlot+int(us>>e)-latencySlot, latencies-1)
}

// upperEdge is the shortest time above a slot.
func upperEdge(i int) time.Duration {
	if i < latencySlot {
		return time.Duration(i+1) * time.Microsecond
	}
	e := i/latencySlot - 1
	return time.Duration(uint64(i%latencySlot+latencySlot+1)<<e) * time.Microsecond
}
