package balance

import (
	"math"
	"time"
)

// The defaults of SlowStart, but for the window Envoy's.
const (
	DefaultSlowStart = 30 * time.Second
	DefaultFloor     = 0.1
)

// SlowStart gives an endpoint that is new, or came back, less than its weight at
// first: its caches are cold, and it should not get all that it missed. With t the time
// [Endpoint.Since] then,
//
//	weight = Weight · max(Floor, (t/Window)^(1/Aggression))
//
// until the window is over. Where all endpoints are new it changes nothing. What asks for
// no weight ([First], [CARP]) is not touched.
type SlowStart struct {
	// Policy picks, by the weights that count now. nil is PeakEWMA.
	Policy Policy

	// Window is the time until an endpoint has all of its weight. 0 is DefaultSlowStart.
	Window time.Duration

	// Floor is the share that it has at once, up to 1. 0 is DefaultFloor.
	Floor float64

	// Aggression is 1 for an even rise, more for a rise that is steeper at first. 0 is 1.
	Aggression float64

	otherwise PeakEWMA
}

// Pick implements [Policy].
func (p *SlowStart) Pick(eps []*Endpoint, key Key, now time.Time) int {
	for _, e := range eps {
		e.ramp = p.ramp(e, now)
	}
	if p.Policy == nil {
		return p.otherwise.Pick(eps, key, now)
	}
	return p.Policy.Pick(eps, key, now)
}

// Update implements [Updater].
func (p *SlowStart) Update(all []*Endpoint) { update(p.Policy, all) }

// ramp is the share of the weight that e has; 0 is all.
func (p *SlowStart) ramp(e *Endpoint, now time.Time) float64 {
	if e.Since.IsZero() {
		return 0
	}
	window := p.Window
	if window <= 0 {
		window = DefaultSlowStart
	}
	t := now.Sub(e.Since)
	if t >= window {
		return 0
	}
	share := max(float64(t), 0) / float64(window)
	if p.Aggression > 0 && p.Aggression != 1 {
		share = math.Pow(share, 1/p.Aggression)
	}
	floor := p.Floor
	if !(floor > 0) {
		floor = DefaultFloor
	}
	return min(max(floor, share), 1)
}
