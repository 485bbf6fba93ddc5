package peer

import (
	"math"
	"math/rand/v2"
	"time"
)

// Endpoint is one address of a peer, as policies see it. Its exported fields are kept
// true by the peer; a policy only reads them.
type Endpoint struct {
	// ID is never used for another endpoint of the same peer.
	ID uint64
	// Address is ip:port; empty is where the URL says.
	Address string
	// Zone is where the endpoint stands; empty is nowhere in particular.
	Zone string
	// Priority orders endpoints as in SRV records: the lower, the sooner.
	Priority int
	// Weight is the endpoint's share beside the others'.
	Weight float64
	// InFlight is the number of requests that were placed on it and have not ended.
	InFlight int
	// Latency is the time that it needs to the head of a response.
	Latency Latency
	// Since is when it came into use.
	Since time.Time
	// Down says that it should not be used.
	Down bool
}

// Key is what hashing policies go by. Empty is no key.
type Key string

// Policy chooses an endpoint for a request.
type Policy interface {
	// Pick gives the index of the endpoint that the request goes to, or -1 for none. eps
	// are those that have room, at least one. It must not keep or change eps, nor
	// block.
	Pick(eps []*Endpoint, key Key, now time.Time) int
}

// Updater is a [Policy] that wants to know all endpoints of the peer whenever their set
// or a weight changes.
type Updater interface{ Update(all []*Endpoint) }

// Latency is an average of times that follows a rise at once and a fall slowly.
type Latency struct {
	known bool
	value float64 // ns
	last  time.Time
}

const (
	decay   = float64(10 * time.Second)
	penalty = 3
)

// At is the average; 0 if nothing is known.
func (l *Latency) At(now time.Time) time.Duration {
	return time.Duration(l.value * math.Exp(-max(0, float64(now.Sub(l.last)))/(3*decay)))
}

// Observe counts a response whose head came after d.
func (l *Latency) Observe(d time.Duration, now time.Time) {
	x := float64(max(d, 0))
	if !l.known || x > l.value {
		l.value = x
	} else {
		w := math.Exp(-max(0, float64(now.Sub(l.last))) / decay)
		l.value = l.value*w + x*(1-w)
	}
	l.known, l.last = true, now
}

// Fail counts a request that ended after d without a response.
func (l *Latency) Fail(d time.Duration, now time.Time) {
	x := time.Second
	if l.known {
		x = min(penalty*l.At(now), time.Minute)
	}
	l.Observe(max(x, d), now)
}

// twoChoices draws two endpoints and takes the one with less to wait for.
type twoChoices struct{}

func (twoChoices) Pick(eps []*Endpoint, _ Key, now time.Time) int {
	n := len(eps)
	if n == 1 {
		return 0
	}
	i, j := rand.IntN(n), rand.IntN(n-1)
	if j >= i {
		j++
	}
	if cost(eps[j], now) < cost(eps[i], now) {
		return j
	}
	return i
}

func cost(e *Endpoint, now time.Time) float64 {
	w := e.Weight
	if !(w > 0) {
		w = 1
	}
	if !e.Latency.known {
		return float64(e.InFlight) * float64(time.Hour) / w
	}
	return float64(e.Latency.At(now)) * float64(e.InFlight+1) / w
}
