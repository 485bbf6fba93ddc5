package balance

import (
	"math/rand/v2"
	"time"
)

// Policy chooses an endpoint for a request.
type Policy interface {
	// Pick gives the index of the endpoint that the request goes to, or -1 for none. eps
	// are those that may be used, at least one. It neither keeps eps nor changes its
	// order. key is what hashing policies go by; the others ignore it.
	//
	// It is called by one goroutine at a time, does not block and does not allocate.
	Pick(eps []*Endpoint, key Key, now time.Time) int
}

// Updater is a [Policy] that wants to know all endpoints of the peer, those that are
// down too. The scheduler calls Update when it has the policy and whenever the set,
// a name or a weight changes; not when an endpoint goes down or comes back. A policy
// that stands around another passes it on.
type Updater interface {
	Update(all []*Endpoint)
}

// update passes all on to p, if it wants to know.
func update(p Policy, all []*Endpoint) {
	if u, ok := p.(Updater); ok {
		u.Update(all)
	}
}

// intN is a number in [0, n): from r, which tests seed, or from the runtime.
func intN(r *rand.Rand, n int) int {
	if r == nil {
		return rand.IntN(n)
	}
	return r.IntN(n)
}

// float is a number in [0, 1).
func float(r *rand.Rand) float64 {
	if r == nil {
		return rand.Float64()
	}
	return r.Float64()
}

// least gives the endpoint of the lowest cost among n that are drawn at random, or
// among all where n is their number or more. Of equals it is any.
func least(eps []*Endpoint, n int, r *rand.Rand, now time.Time, cost func(*Endpoint, time.Time) float64) int {
	switch size := len(eps); {
	case size < 2:
		return size - 1
	case n >= size:
		return leastOfAll(eps, r, now, cost)
	case n <= 2:
		// Two that differ: the worst of all is taken only if drawn with itself.
		i, j := intN(r, size), intN(r, size-1)
		if j >= i {
			j++
		}
		if cost(eps[j], now) < cost(eps[i], now) {
			return j
		}
		return i
	default:
		best := intN(r, size)
		low := cost(eps[best], now)
		for range n - 1 {
			i := intN(r, size)
			if c := cost(eps[i], now); c < low {
				best, low = i, c
			}
		}
		return best
	}
}

// leastOfAll gives one of those with the lowest cost, each with the same chance.
func leastOfAll(eps []*Endpoint, r *rand.Rand, now time.Time, cost func(*Endpoint, time.Time) float64) int {
	best, low, equals := 0, cost(eps[0], now), 1
	for i := 1; i < len(eps); i++ {
		switch c := cost(eps[i], now); {
		case c < low:
			best, low, equals = i, c, 1
		case c == low:
			equals++
			if intN(r, equals) == 0 {
				best = i
			}
		}
	}
	return best
}
