package balance

import (
	"math"
	"time"
)

// The defaults of Latency.
const (
	DefaultDecay   = 10 * time.Second // Finagle's decayTime
	DefaultForget  = 30 * time.Second // Envoy's base_ejection_time: how long a bad one is left alone
	DefaultPenalty = 3.0
)

const (
	firstPenalty = time.Second      // of an endpoint that failed before it ever answered
	maxPenalty   = 60 * time.Second // failures in a row do not multiply past it
)

// Latency is an average of times to the head of a response that follows a rise at
// once and a fall slowly: a peak-sensitive EWMA. With x the new time, Δ the time
// since the last one and v the average,
//
//	v = x                                 if x > v
//	v = v·e^(−Δ/Decay) + x·(1−e^(−Δ/Decay))   otherwise
//
// An endpoint that gets no requests is forgotten by and by: [Latency.At] gives
// v·e^(−Δ/Forget). So an endpoint that was r times slower than the others is tried again
// after about Forget·ln r (70 s for ten times), by one request, whose time then counts at
// once.
//
// The zero value knows nothing yet and has the defaults.
type Latency struct {
	// Decay is the time in which what was measured before loses 63 % of its
	// weight. 0 is DefaultDecay.
	Decay time.Duration

	// Forget is the time in which the average of an unused endpoint falls by
	// 63 %. 0 is DefaultForget.
	Forget time.Duration

	// Penalty is what a failure multiplies the average by. Below 1 is DefaultPenalty.
	Penalty float64

	known bool
	value float64 // in nanoseconds, at the time of the last observation
	last  time.Time
}

// Known says whether anything was ever observed.
func (l *Latency) Known() bool { return l.known }

// At is the average at a time; 0 if nothing is known.
func (l *Latency) At(now time.Time) time.Duration { return time.Duration(l.at(now)) }

// Observe counts a response whose head came after d.
func (l *Latency) Observe(d time.Duration, now time.Time) {
	l.observe(float64(max(d, 0)), now)
}

// Fail counts a request that ended after d without a response worth the name. A refusal
// is fast; so that it does not attract requests, it counts as Penalty times the average,
// up to 60 s, or as d if that is longer; as 1 s at least if the endpoint never answered.
func (l *Latency) Fail(d time.Duration, now time.Time) {
	x := float64(firstPenalty)
	if l.known {
		p := l.Penalty
		if !(p >= 1) {
			p = DefaultPenalty
		}
		x = min(p*l.at(now), float64(maxPenalty))
	}
	l.observe(max(x, float64(d)), now)
}

// AtLeast counts a request that was given up after d: its head would have come later than that. It counts if that is more
// than what is known. Otherwise an endpoint that hangs would look as good as before once nobody waits for it any more.
func (l *Latency) AtLeast(d time.Duration, now time.Time) {
	if x := float64(max(d, 0)); x > l.at(now) {
		l.observe(x, now)
	}
}

// Reset forgets everything; the settings stay.
func (l *Latency) Reset() { l.known, l.value, l.last = false, 0, time.Time{} }

func (l *Latency) observe(x float64, now time.Time) {
	if !l.known || x > l.value {
		l.known, l.value = true, x
	} else {
		w := decayed(now.Sub(l.last), l.Decay, DefaultDecay)
		l.value = l.value*w + x*(1-w)
	}
	if now.After(l.last) {
		l.last = now
	}
}

func (l *Latency) at(now time.Time) float64 {
	return l.value * decayed(now.Sub(l.last), l.Forget, DefaultForget)
}

// decayed is e^(−d/tau).
func decayed(d, tau, otherwise time.Duration) float64 {
	if d <= 0 {
		return 1
	}
	if tau <= 0 {
		tau = otherwise
	}
	return math.Exp(-float64(d) / float64(tau))
}
