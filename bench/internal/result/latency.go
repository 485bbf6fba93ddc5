package result

import (
	"math/bits"
	"sync/atomic"
	"time"
)

// sub is how many buckets a doubling of the time has: a percentile is exact to 3 %.
const (
	subBits = 5
	sub     = 1 << subBits
)

// Latencies is a histogram of how long requests took, in buckets of a logarithmic
// scale: a request costs two looks at the clock and one increment. The C peer
// has the same. It may be used from many goroutines.
type Latencies struct {
	buckets [(64 - subBits + 1) * sub]atomic.Uint64
}

// Add counts one request.
func (l *Latencies) Add(d time.Duration) { l.buckets[bucket(uint64(max(d, 0)))].Add(1) }

func bucket(ns uint64) int {
	shift := max(bits.Len64(ns)-subBits-1, 0)
	return shift<<subBits + int(ns>>shift)
}

// lower is the smallest time that falls into a bucket.
func lower(i int) uint64 {
	shift := max(i>>subBits-1, 0)
	return uint64(i-shift<<subBits) << shift
}

// Percentile is the time in µs that the share p of all requests stayed below: the
// middle of its bucket; 0 if there were none.
func (l *Latencies) Percentile(p float64) float64 {
	var all, seen uint64
	for i := range l.buckets {
		all += l.buckets[i].Load()
	}
	for i := range l.buckets {
		seen += l.buckets[i].Load()
		if all > 0 && float64(seen) >= p*float64(all) {
			return float64(lower(i)+lower(i+1)) / 2e3
		}
	}
	return 0
}
