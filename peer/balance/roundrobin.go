package balance

import "time"

// RoundRobin takes the endpoints in turn, each as often as its weight says, and as
// evenly mixed as can be: weights 5, 1, 1 give a a b a c a a (nginx's smooth weighted
// round robin). Each endpoint is owed its weight per request; the one that is owed
// most is taken and pays the sum of the weights.
//
// In k picks an endpoint with the share s of the weight is taken less than k·s + 1 times,
// so one that comes back is not flooded. The zero value is ready.
type RoundRobin struct{}

// Pick implements [Policy].
func (*RoundRobin) Pick(eps []*Endpoint, _ Key, _ time.Time) int {
	best, total := -1, 0.0
	for i, e := range eps {
		w := e.share()
		total += w
		e.current += w
		if best < 0 || e.current > eps[best].current {
			best = i
		}
	}
	if best >= 0 {
		eps[best].current -= total
	}
	return best
}
