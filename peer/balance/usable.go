package balance

import "math/rand/v2"

// The defaults of Usable, which are Envoy's.
const (
	DefaultPanic = 0.5
	DefaultSpare = 1.4
)

// Usable takes from all endpoints of a peer those that a policy may pick from.
//
// Health and priority: the endpoints of the lowest [Endpoint.Priority] of which at least
// the share Panic is up are taken, without those that are down. If no priority has so
// many, something is wrong that is not the endpoints' fault, or the few that are up would
// be run over by what was meant for all: then health is ignored, and all of the lowest
// priority are taken.
//
// Zone: of those, the ones in the own zone are taken, as long as they can carry it. With
// u the share of the own zone's weight that is up, a request stays with the chance min(1,
// Spare·u), and goes to the other zones otherwise. With 1.4 a zone keeps all its requests
// until more than 28 % of it is down. In a panic there is no zone.
//
// The zero value has the defaults and no zone.
type Usable struct {
	// Panic is a share from 0 to 1. 0 is DefaultPanic. Below 0, nothing that is down is
	// ever taken, and there may be nothing left.
	Panic float64

	// Zone is the own one. Empty: no zone is preferred.
	Zone string

	// Spare is how much more than its part an endpoint can carry, at least 1. 0 is
	// DefaultSpare.
	Spare float64

	// Rand is where chance comes from; nil is the runtime's.
	Rand *rand.Rand
}

// Append appends the endpoints that may be used to dst, in the order of all. Whether it
// was a panic is its second result.
func (u *Usable) Append(dst, all []*Endpoint) ([]*Endpoint, bool) {
	priority, ok := u.priority(all)
	if !ok {
		if u.Panic < 0 {
			return dst, false
		}
		for _, e := range all {
			if e.Priority == priority {
				dst = append(dst, e)
			}
		}
		return dst, true
	}
	near, far := true, true
	if u.Zone != "" {
		near = u.stay(all, priority)
		far = !near
	}
	for _, e := range all {
		if e.Priority == priority && !e.Down && (u.Zone == "" || (e.Zone == u.Zone && near) || (e.Zone != u.Zone && far)) {
			dst = append(dst, e)
		}
	}
	return dst, false
}

// priority gives the lowest priority of which enough is up, else the lowest and false.
func (u *Usable) priority(all []*Endpoint) (int, bool) {
	threshold := u.Panic
	if threshold == 0 {
		threshold = DefaultPanic
	}
	lowest := 0
	for first, after := true, 0; ; first = false {
		found, next, size, up := false, 0, 0, 0
		for _, e := range all {
			if !first && e.Priority <= after {
				continue
			}
			switch {
			case !found || e.Priority < next:
				found, next, size, up = true, e.Priority, 0, 0
			case e.Priority > next:
				continue
			}
			size++
			if !e.Down {
				up++
			}
		}
		if first {
			lowest = next
		}
		if !found {
			return lowest, false
		}
		if up > 0 && float64(up) >= threshold*float64(size) {
			return next, true
		}
		after = next
	}
}

// stay decides whether a request stays in the own zone.
func (u *Usable) stay(all []*Endpoint, priority int) bool {
	size, up, others := 0.0, 0.0, false
	for _, e := range all {
		switch {
		case e.Priority != priority:
		case e.Zone == u.Zone:
			size += e.weight()
			if !e.Down {
				up += e.weight()
			}
		case !e.Down:
			others = true
		}
	}
	if up == 0 || !others {
		return up > 0
	}
	spare := u.Spare
	if spare == 0 {
		spare = DefaultSpare
	}
	chance := max(spare, 1) * up / size
	return chance >= 1 || float(u.Rand) < chance
}
