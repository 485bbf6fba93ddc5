package balance

import (
	"math/rand/v2"
	"time"
)

// PeakEWMA draws two endpoints and takes the one of lower cost:
//
//	cost = max(Latency.At(now), now − Waiting) · (InFlight + 1) / weight
//
// which is the time that a request would wait if those under way were answered one after
// another. An endpoint that is slow is left to itself after its first answer, one that
// hangs while its first requests wait: an answer cannot be faster than it is late already.
//
// An endpoint of which nothing is known is taken as soon as it is drawn, for one
// request. Until that one has ended it costs more than any known one.
//
// Of n endpoints each is drawn in 2 of n picks, whatever its weight, and gets no more
// than that: where weights are very unequal, set Choices to the number of endpoints.
//
// It is the default. The zero value is ready.
type PeakEWMA struct {
	// Choices is how many endpoints are drawn; below 2 is 2. From the number of endpoints
	// on it is all of them: better for one client, worse for many that all find the same
	// one the best.
	Choices int

	// Rand is where chance comes from; nil is the runtime's.
	Rand *rand.Rand
}

// Pick implements [Policy].
func (p *PeakEWMA) Pick(eps []*Endpoint, _ Key, now time.Time) int {
	return least(eps, p.Choices, p.Rand, now, peakCost)
}

// unknownCost is past every latency: thirteen days.
const unknownCost = float64(1 << 50 * time.Nanosecond)

func peakCost(e *Endpoint, now time.Time) float64 {
	if !e.Latency.known {
		return unknownCost * float64(e.InFlight) / e.share()
	}
	latency := e.Latency.at(now)
	if !e.Waiting.IsZero() {
		latency = max(latency, float64(now.Sub(e.Waiting)))
	}
	return latency * float64(e.InFlight+1) / e.share()
}
