package balance

import (
	"math"
	"math/rand/v2"
	"time"
)

// DefaultBound is how much more than its share an endpoint gets from [Hash]: a quarter.
const DefaultBound = 1.25

// Hash takes the same endpoint for the same key, by rendezvous hashing: each endpoint has
// a score for each key, and the highest wins. When an endpoint leaves, only its keys
// move, to all the others; when one comes, it takes its share from each. With u in (0,
// 1), made of the hashes of the endpoint's name and the key,
//
//	score = weight / −ln u
//
// which gives each endpoint exactly its share of the keys. There is no ring to build:
// a pick looks at each endpoint once.
//
// The load is bounded (Mirrokni, Thorup, Zadimoghaddam 2016): of m requests under way,
// the new one counted, an endpoint with the share s of the weight has at most
// ⌈Bound·m·s⌉. The key of a full endpoint goes to the next highest score that is not
// full.
//
// The hash is FNV-1a of 64 bits, mixed: the same in all processes, so that all find the
// same endpoint. The zero value is ready.
type Hash struct {
	// Bound is at least 1. 0 is DefaultBound; what else is below 1 counts as 1;
	// math.Inf(1) is no bound.
	Bound float64

	// Seed makes the choice unforeseeable to those who choose keys, if it is secret. All
	// processes that shall agree need the same.
	Seed uint64

	// Rand is where chance comes from, for requests without a key; nil is the runtime's.
	Rand *rand.Rand
}

// Pick implements [Policy]. A request without a key goes anywhere, by weight.
func (p *Hash) Pick(eps []*Endpoint, key Key, _ time.Time) int {
	if key == "" {
		return weighted(eps, p.Rand)
	}
	bound := p.bound()
	under, total := 1.0, 0.0
	for _, e := range eps {
		under += float64(e.InFlight)
		total += e.share()
	}
	h := mix(fnv1a(string(key)) ^ p.Seed)
	best, high := -1, math.Inf(-1)
	for i, e := range eps {
		share := e.share()
		if float64(e.InFlight) >= math.Ceil(bound*under*share/total) {
			continue
		}
		if s := score(h, e.nameHash(), share); s > high {
			best, high = i, s
		}
	}
	if best < 0 && len(eps) > 0 {
		// The bounds add up to more than there is; only rounding leads here.
		return weighted(eps, p.Rand)
	}
	return best
}

func (p *Hash) bound() float64 {
	switch b := p.Bound; {
	case b == 0 || math.IsNaN(b):
		return DefaultBound
	default:
		return max(b, 1)
	}
}

// score is weight / −ln u. The logarithm is of the upper 53 bits, and never of 0 or 1.
func score(key, name uint64, weight float64) float64 {
	u := (float64(mix(key^name)>>11) + 0.5) / (1 << 53)
	return weight / -math.Log(u)
}

// hashed is the hash of a name, and the name that it was made of.
type hashed struct {
	of   string
	hash uint64
}

func (e *Endpoint) nameHash() uint64 {
	if name := e.name(); e.hashed.of != name {
		e.hashed = hashed{of: name, hash: mix(fnv1a(name))}
	}
	return e.hashed.hash
}

func fnv1a(s string) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(s) {
		h ^= uint64(s[i])
		h *= 1099511628211
	}
	return h
}

// mix makes each bit depend on every other: FNV alone leaves the upper bits of
// short strings alike. It is the end of MurmurHash3.
func mix(h uint64) uint64 {
	h ^= h >> 33
	h *= 0xff51afd7ed558ccd
	h ^= h >> 33
	h *= 0xc4ceb9fe1a85ec53
	return h ^ h>>33
}
