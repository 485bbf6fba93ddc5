package balance

import (
	"cmp"
	"math"
	"math/bits"
	"slices"
	"time"
)

// CARP takes the endpoint that Squid would take among cache_peers of the same names and
// weights, so that a ratmom beside a Squid finds what that stored
// (draft-vinod-carp-v1-03, as Squid reads it). Squid hashes the name= of the cache_peer:
// set [Endpoint.Name].
//
//	h(s)  = for each byte c of s: h = h + rotl(h, 19) + c   (32 bits, c signed)
//	f(h)  = rotl(h + h·0x62531965, 21)
//	score = f(h(key) XOR f(h(name))) · multiplier
//
// The multipliers are made of the shares p of the weights, in the order of the weights:
//
//	X(k) = ((K−k+1)·(p(k)−p(k−1)) / (X(1)·…·X(k−1)) + X(k−1)^(K−k+1))^(1/(K−k+1))
//
// A share below a thousandth counts as none, as it does there, unless all are.
//
// For Squid's userhash and sourcehash the zero value is right, with a key from [ByUser]
// or [BySource]; for its carp, set Running and take the key from [ByURI].
//
// Multipliers are made of all endpoints, those too that are down: the scheduler calls
// [CARP.Update]. If it never does, those that Pick is offered count as all. Slow start is
// left out.
type CARP struct {
	// Running goes on hashing from endpoint to endpoint instead of beginning anew, as
	// Squid's carp does (5.7 and later, at least): the k-th endpoint by weight sees the
	// key k times. An endpoint that comes or goes then moves keys of all that come after
	// it.
	Running bool

	any     Random
	updated bool
	order   []*Endpoint // by weight; equals as they came
	of      []carpOf    // what order was made of
	picks   uint64
}

// carpOf is what the multipliers depend on.
type carpOf struct {
	e      *Endpoint
	weight float64
}

// carpMember is what CARP keeps about an endpoint.
type carpMember struct {
	of         string
	hash       uint32
	multiplier float64
	pick       uint64 // the last pick that it was offered in
	index      int    // where
}

// Update implements [Updater].
func (p *CARP) Update(all []*Endpoint) {
	p.updated = true
	p.refresh(all)
}

// Pick implements [Policy]. A request without a key goes anywhere, by weight.
func (p *CARP) Pick(eps []*Endpoint, key Key, now time.Time) int {
	if key == "" {
		return p.any.Pick(eps, key, now)
	}
	if !p.updated {
		p.refresh(eps)
	}
	p.picks++
	for i, e := range eps {
		e.carp.pick, e.carp.index = p.picks, i
	}
	best, high := -1, math.Inf(-1)
	hash := uint32(0)
	for k, e := range p.order {
		if k == 0 || p.Running {
			hash = carpHash(hash, string(key))
		}
		if e.carp.pick != p.picks {
			continue
		}
		if s := carpScore(hash, e); s > high {
			best, high = e.carp.index, s
		}
	}
	if best < 0 && len(eps) > 0 { // Update was not told of any of them
		return p.any.Pick(eps, key, now)
	}
	return best
}

// refresh makes the multipliers anew, unless they were made of the same.
func (p *CARP) refresh(all []*Endpoint) {
	if slices.EqualFunc(p.of, all, func(o carpOf, e *Endpoint) bool { return o.e == e && o.weight == e.weight() }) {
		return
	}
	clear(p.of)
	p.of = p.of[:0]
	total := 0.0
	for _, e := range all {
		p.of = append(p.of, carpOf{e, e.weight()})
		total += e.weight()
	}
	clear(p.order)
	p.order = append(p.order[:0], all...)
	slices.SortStableFunc(p.order, func(a, b *Endpoint) int { return cmp.Compare(a.weight(), b.weight()) })

	count := len(p.order)
	if count == 0 {
		return
	}
	low := 0.001
	if p.order[count-1].weight()/total < low { // more than a thousand: Squid would take none
		low = 0
	}
	product, lastX, lastShare := 1.0, 0.0, 0.0
	for k, e := range p.order {
		share := e.weight() / total
		if share < low {
			share = 0
		}
		left := float64(count - k)
		x := math.Pow(left*(share-lastShare)/product+math.Pow(lastX, left), 1/left)
		e.carp.multiplier = x
		if x > 0 { // what has no share is as if it were not there
			product *= x
		}
		lastX, lastShare = x, share
	}
}

// carpHash goes on with a hash. Squid's char is signed.
func carpHash(h uint32, s string) uint32 {
	for i := range len(s) {
		h += bits.RotateLeft32(h, 19) + uint32(int32(int8(s[i])))
	}
	return h
}

func carpMix(h uint32) uint32 {
	return bits.RotateLeft32(h+h*0x62531965, 21)
}

func carpScore(key uint32, e *Endpoint) float64 {
	if name := e.name(); e.carp.of != name {
		e.carp.of, e.carp.hash = name, carpMix(carpHash(0, name))
	}
	return float64(carpMix(key^e.carp.hash)) * e.carp.multiplier
}
