package grid

import "hash/fnv"

// dials reports whether self is the one of the two that dials. Both compute the
// same from the pair, so that it is one of them, and each as often as the other.
func dials(self, other string) bool {
	lower, higher := self, other
	if higher < lower {
		lower, higher = higher, lower
	}
	h := fnv.New64a()
	_, _ = h.Write([]byte(lower))
	_, _ = h.Write([]byte{0})
	_, _ = h.Write([]byte(higher))
	// The low bits of FNV-1a are those of the last bytes alone; mix all of them in.
	x := h.Sum64()
	x ^= x >> 33
	x *= 0xff51afd7ed558ccd
	x ^= x >> 33
	return (x&1 == 0) == (self == lower)
}
