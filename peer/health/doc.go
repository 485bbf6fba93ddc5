// Package health finds out which endpoints of a peer should not be used, and for how
// long:
//
//   - [Outliers] watches what requests come to, and ejects an endpoint that fails more
//     than the others.
//   - [Errors] remembers errors by their kind (an unknown name, a refusal, Retry-After),
//     answers for the peer as long as each is worth believing, and then lets one request
//     find out.
//   - [Breaker] limits the links, requests and retries of a peer.
//   - [Check] decides by probes when an endpoint goes down and comes back; a [Checker]
//     runs them, over TCP, TLS or HTTP.
//
// All but the Checker are state machines: they take the time, do no I/O, start nothing
// and have no lock. They belong to one goroutine at a time, the scheduler's. The zero
// value of each has the defaults, which docs/balancing.md lists with their sources.
package health

import (
	"math/rand/v2"
	"time"
)

// float is a number in [0, 1): from r, which tests seed, or from the runtime.
func float(r *rand.Rand) float64 {
	if r == nil {
		return rand.Float64()
	}
	return r.Float64()
}

// positive is d, or what stands for it if there is none.
func positive(d, otherwise time.Duration) time.Duration {
	if d <= 0 {
		return otherwise
	}
	return d
}

// count is n, or the default for 0; what is below 0 is off, as 0.
func count(n, otherwise int) int {
	if n == 0 {
		return otherwise
	}
	return max(n, 0)
}

// share is s, or the default for 0; what is below 0 is off, as 0.
func share(s, otherwise float64) float64 {
	if s == 0 {
		return otherwise
	}
	return max(s, 0)
}
