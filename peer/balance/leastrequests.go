package balance

import (
	"math/rand/v2"
	"time"
)

// LeastRequests takes the endpoint with the lowest (InFlight + 1) / weight. Of equals
// it is any, with the same chance. The zero value is ready.
type LeastRequests struct {
	// Choices is how many endpoints are drawn to be compared; 0 is all. 2 is the "power
	// of two choices", better for many clients that do not know of each other: they would
	// all find the same one the least busy.
	Choices int

	// Rand is where chance comes from; nil is the runtime's.
	Rand *rand.Rand
}

// Pick implements [Policy].
func (p *LeastRequests) Pick(eps []*Endpoint, _ Key, now time.Time) int {
	n := p.Choices
	if n <= 0 {
		n = len(eps)
	}
	return least(eps, n, p.Rand, now, busy)
}

func busy(e *Endpoint, _ time.Time) float64 { return float64(e.InFlight+1) / e.share() }
