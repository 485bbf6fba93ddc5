package balance

import (
	"math/rand/v2"
	"time"
)

// Random takes any endpoint, with a chance that is its share of the weight. The zero
// value is ready.
type Random struct {
	// Rand is where chance comes from; nil is the runtime's.
	Rand *rand.Rand
}

// Pick implements [Policy].
func (p *Random) Pick(eps []*Endpoint, _ Key, _ time.Time) int { return weighted(eps, p.Rand) }

func weighted(eps []*Endpoint, r *rand.Rand) int {
	total := 0.0
	for _, e := range eps {
		total += e.share()
	}
	at := float(r) * total
	for i, e := range eps {
		if at -= e.share(); at < 0 {
			return i
		}
	}
	return len(eps) - 1 // rounding, or none
}

// First takes the first endpoint, so that the others stay idle until it is full or down,
// when the scheduler no longer offers it. The zero value is ready.
type First struct{}

// Pick implements [Policy].
func (*First) Pick(eps []*Endpoint, _ Key, _ time.Time) int { return min(len(eps), 1) - 1 }
