package balance

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// policies are all of them, with chance from r.
func policies(r *rand.Rand) map[string]Policy {
	return map[string]Policy{
		"peak EWMA":               &PeakEWMA{Rand: r},
		"peak EWMA of all":        &PeakEWMA{Rand: r, Choices: 1000},
		"peak EWMA of five":       &PeakEWMA{Rand: r, Choices: 5},
		"round robin":             new(RoundRobin),
		"least requests":          &LeastRequests{Rand: r},
		"least requests of two":   &LeastRequests{Rand: r, Choices: 2},
		"random":                  &Random{Rand: r},
		"first":                   new(First),
		"hash":                    &Hash{Rand: r},
		"CARP":                    new(CARP),
		"CARP running":            &CARP{Running: true},
		"sticky":                  &Sticky{Secret: []byte("s")},
		"sticky hash":             &Sticky{Policy: &Hash{Rand: r}},
		"slow start":              new(SlowStart),
		"slow start, round robin": &SlowStart{Policy: new(RoundRobin)},
		"slow start, sticky CARP": &SlowStart{Policy: &Sticky{Policy: new(CARP)}},
	}
}

// busyEndpoints are n with everything set at random, extremes too.
func busyEndpoints(r *rand.Rand, n int) []*Endpoint {
	eps := some(n)
	for _, e := range eps {
		e.Weight = []float64{0, 1, 1, 3, -1, 0.001, 1e9}[r.IntN(7)]
		e.InFlight = []int{0, 0, 1, 7, 1 << 40}[r.IntN(5)]
		if r.IntN(3) > 0 {
			e.Latency.Observe(time.Duration(r.Int64N(1e10)), noon.Add(-time.Duration(r.Int64N(1e12))))
		}
		if r.IntN(2) == 0 {
			e.Since = noon.Add(time.Duration(r.Int64N(6e10)) - 5e10)
		}
	}
	return eps
}

func TestPolicy_picks_one_of_those_it_is_offered_whatever_their_state(t *testing.T) {
	r := seeded(1)
	for name, p := range policies(r) {
		t.Run(name, func(t *testing.T) {
			if u, ok := p.(Updater); ok && r.IntN(2) == 0 {
				u.Update(some(3)) // strangers
			}
			for _, n := range []int{1, 2, 3, 10, 100} {
				for i := range 50 {
					eps := busyEndpoints(r, n)
					before := slices.Clone(eps)
					key := Key("")
					if i%2 == 0 {
						key = numbered(i)
					}
					at := p.Pick(eps, key, noon)
					assert.True(t, at >= 0 && at < n, "%d of %d", at, n)
					assert.True(t, slices.Equal(before, eps), "the order has changed")
				}
			}
			assert.Equal(t, -1, p.Pick(nil, "", noon))
			assert.Equal(t, -1, p.Pick(nil, "k", noon))
		})
	}
}

func TestPolicy_does_not_allocate_when_it_picks(t *testing.T) {
	r := seeded(2)
	for name, p := range policies(r) {
		t.Run(name, func(t *testing.T) {
			eps := busyEndpoints(r, 100)
			p.Pick(eps, "k", noon) // names are hashed once
			assert.Zero(t, testing.AllocsPerRun(100, func() { p.Pick(eps, "http://example.org/a", noon) }))
			assert.Zero(t, testing.AllocsPerRun(100, func() { p.Pick(eps, "", noon) }))
		})
	}
}

func TestWrapper_passes_Update_on(t *testing.T) {
	carp := new(CARP)
	var p Policy = &SlowStart{Policy: &Sticky{Policy: carp}}
	p.(Updater).Update(weights(1, 2, 3))
	assert.Len(t, carp.order, 3)
	new(SlowStart).Update(some(1)) // and bears that there is nobody to tell
}

func BenchmarkPick(b *testing.B) {
	r := seeded(3)
	for _, name := range slices.Sorted(func(yield func(string) bool) {
		for n := range policies(r) {
			if !yield(n) {
				return
			}
		}
	}) {
		b.Run(name, func(b *testing.B) {
			p, eps := policies(r)[name], some(100)
			for i, e := range eps {
				e.InFlight = i % 4
				e.Latency.Observe(time.Duration(i+1)*time.Millisecond, noon)
			}
			p.Pick(eps, "k", noon)
			b.ReportAllocs()
			for b.Loop() {
				p.Pick(eps, "http://example.org/a", noon)
			}
		})
	}
}
