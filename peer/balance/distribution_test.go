package balance

import (
	"math"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// assertShares holds counts of n independent picks against the chances: within five
// standard deviations of the binomial distribution, which one of 1.7 million misses.
func assertShares(t *testing.T, chances []float64, counts []int, n int) {
	t.Helper()
	for i, p := range chances {
		assert.InDelta(t, float64(n)*p, counts[i], 5*math.Sqrt(float64(n)*p*(1-p)), "endpoint %d", i)
	}
}

// shares makes chances of weights.
func shares(ws ...float64) []float64 {
	total := 0.0
	for _, w := range ws {
		total += w
	}
	out := make([]float64, len(ws))
	for i, w := range ws {
		out[i] = w / total
	}
	return out
}

func TestRandom_gives_each_its_share(t *testing.T) {
	const n = 20000
	eps := weights(1, 2, 3, 4, 0.5)
	assertShares(t, shares(1, 2, 3, 4, 0.5), count(&Random{Rand: seeded(4)}, eps, n, nil), n)
}

func TestFirst_picks_the_first(t *testing.T) {
	assert.Equal(t, []int{100, 0, 0}, count(new(First), some(3), 100, nil))
}

func TestRoundRobin_mixes_evenly(t *testing.T) {
	eps, p := weights(5, 1, 1), new(RoundRobin)
	var order []int
	for range 14 {
		order = append(order, p.Pick(eps, "", noon))
	}
	// nginx, commit 52327e0: a a b a c a a.
	assert.Equal(t, []int{0, 0, 1, 0, 2, 0, 0, 0, 0, 1, 0, 2, 0, 0}, order)
}

func TestRoundRobin_is_exact_after_each_round_and_never_one_ahead(t *testing.T) {
	r := seeded(5)
	for range 50 {
		ws, total := make([]float64, 1+r.IntN(9)), 0
		for i := range ws {
			w := 1 + r.IntN(9)
			ws[i], total = float64(w), total+w
		}
		eps, p, counts := weights(ws...), new(RoundRobin), make([]int, len(ws))
		for k := 1; k <= 3*total; k++ {
			counts[p.Pick(eps, "", noon)]++
			for i, w := range ws {
				due := float64(k) * w / float64(total)
				// What is owed is above −total after each pick, and adds up to 0.
				assert.Less(t, float64(counts[i]), due+1+1e-9)
				assert.Greater(t, float64(counts[i]), due-float64(len(ws)))
				if k%total == 0 {
					assert.Equal(t, int(math.Round(due)), counts[i], "after %d picks by %v", k, ws)
				}
			}
		}
	}
}

func TestRoundRobin_does_not_flood_one_that_comes_back(t *testing.T) {
	eps, p := some(4), new(RoundRobin)
	count(p, eps[:3], 1000, nil) // the fourth was away
	assert.Equal(t, []int{25, 25, 25, 25}, count(p, eps, 100, nil))
}

func TestLeastRequests_picks_the_least_busy_by_weight(t *testing.T) {
	r := seeded(6)
	p := &LeastRequests{Rand: r}
	for range 500 {
		eps := some(1 + r.IntN(20))
		low := math.Inf(1)
		for _, e := range eps {
			e.InFlight, e.Weight = r.IntN(10), float64(1+r.IntN(4))
			low = min(low, float64(e.InFlight+1)/e.Weight)
		}
		e := eps[p.Pick(eps, "", noon)]
		assert.Equal(t, low, float64(e.InFlight+1)/e.Weight)
	}
}

func TestLeastRequests_picks_any_of_equals(t *testing.T) {
	const n = 20000
	eps := some(5)
	eps[2].InFlight = 1
	assertShares(t, []float64{.25, .25, 0, .25, .25}, count(&LeastRequests{Rand: seeded(7)}, eps, n, nil), n)
}

func TestTwoChoices_never_pick_the_worst_and_the_others_by_their_rank(t *testing.T) {
	const n = 20000
	eps := some(5)
	for i, e := range eps {
		e.InFlight = i
	}
	// Of the ten pairs, the k-th best wins those with a worse one: 4, 3, 2, 1, 0.
	want := []float64{.4, .3, .2, .1, 0}
	assertShares(t, want, count(&LeastRequests{Rand: seeded(8), Choices: 2}, eps, n, nil), n)
	for i, e := range eps {
		e.InFlight = 0
		e.Latency.Observe(time.Duration(i+1)*ms, noon)
	}
	assertShares(t, want, count(&PeakEWMA{Rand: seeded(9)}, eps, n, nil), n)
}

func TestFiveChoices_pick_by_rank_with_repetition(t *testing.T) {
	const n = 20000
	eps := some(10)
	chances := make([]float64, len(eps))
	for i, e := range eps {
		e.InFlight = i
		// The best of three draws is the k-th: ((10−k)³ − (9−k)³) / 10³.
		chances[i] = (math.Pow(float64(10-i), 3) - math.Pow(float64(9-i), 3)) / 1000
	}
	assertShares(t, chances, count(&LeastRequests{Rand: seeded(10), Choices: 3}, eps, n, nil), n)
}

func TestHash_gives_each_its_share_of_the_keys(t *testing.T) {
	const n = 20000
	ws := []float64{1, 1, 2, 4, 0.5, 1.5}
	assertShares(t, shares(ws...), count(&Hash{}, weights(ws...), n, numbered), n)
}

func TestHash_moves_only_the_keys_of_one_that_leaves(t *testing.T) {
	eps, p := weights(1, 2, 3, 1, 1), new(Hash)
	without := slices.Delete(slices.Clone(eps), 2, 3)
	for i := range 5000 {
		before := eps[p.Pick(eps, numbered(i), noon)]
		after := without[p.Pick(without, numbered(i), noon)]
		if before != eps[2] {
			assert.Same(t, before, after, "key %d", i)
		}
	}
}

func TestHash_keeps_the_choice_between_processes(t *testing.T) {
	// These must never change: processes of different versions have to agree.
	eps, p := some(10), new(Hash)
	var got []int
	for i := range 12 {
		got = append(got, p.Pick(eps, numbered(i), noon))
	}
	assert.Equal(t, []int{2, 3, 6, 9, 3, 7, 7, 9, 2, 9, 5, 0}, got)
	p.Seed = 1
	moved := 0
	for i := range 12 {
		if p.Pick(eps, numbered(i), noon) != got[i] {
			moved++
		}
	}
	assert.NotZero(t, moved, "a seed changes nothing")
}

func TestHash_follows_the_name_and_not_the_address(t *testing.T) {
	eps, p := some(10), new(Hash)
	for i, e := range eps {
		e.Name = string(rune('a' + i))
	}
	before := p.Pick(eps, "key", noon)
	eps[before].Address = "192.0.2.1:80"
	assert.Equal(t, before, p.Pick(eps, "key", noon))
	moved := false
	for i := range 100 { // another name is another endpoint
		k := numbered(i)
		eps[3].Name = "d"
		was := p.Pick(eps, k, noon)
		eps[3].Name = "other"
		moved = moved || was != p.Pick(eps, k, noon)
	}
	assert.True(t, moved)
}

func TestHash_bounds_the_load(t *testing.T) {
	r := seeded(11)
	for _, bound := range []float64{0, 1, 1.1, 2, 0.3} {
		p := &Hash{Bound: bound, Rand: r}
		c := p.bound()
		eps := weights(1, 1, 2, 4, 1, 3)
		total, under := 12.0, 0
		for range 5000 {
			if under > 0 && r.IntN(3) == 0 { // one ends
				if e := eps[r.IntN(len(eps))]; e.InFlight > 0 {
					e.InFlight--
					under--
				}
				continue
			}
			// One key is half of the traffic.
			i := p.Pick(eps, numbered(r.IntN(2)*r.IntN(1000)), noon)
			eps[i].InFlight++
			under++
			limit := math.Ceil(c * float64(under) * eps[i].Weight / total)
			assert.LessOrEqual(t, float64(eps[i].InFlight), limit, "bound %v", bound)
		}
	}
}

func TestHash_without_bound_stays_whatever_the_load(t *testing.T) {
	eps, p := some(5), &Hash{Bound: math.Inf(1)}
	at := p.Pick(eps, "key", noon)
	eps[at].InFlight = 1 << 30
	assert.Equal(t, at, p.Pick(eps, "key", noon))
	p.Bound = 2
	assert.NotEqual(t, at, p.Pick(eps, "key", noon))
}

func TestHash_without_key_gives_each_its_share(t *testing.T) {
	const n = 20000
	assertShares(t, shares(1, 2), count(&Hash{Rand: seeded(12)}, weights(1, 2), n, nil), n)
}

func TestCARP_gives_each_its_share_of_the_keys(t *testing.T) {
	const n = 20000
	ws := []float64{1, 1, 2, 4, 3}
	counts := count(new(CARP), weights(ws...), n, numbered)
	for i, p := range shares(ws...) {
		// Its hash is weak: a fifth off on such keys is what Squid lives with, too.
		assert.InEpsilon(t, float64(n)*p, counts[i], 0.2, "endpoint %d", i)
	}
}

func TestCARP_moves_only_the_keys_of_one_that_is_down(t *testing.T) {
	eps, p := weights(1, 2, 3, 1, 1), new(CARP)
	p.Update(eps)
	without := slices.Delete(slices.Clone(eps), 2, 3)
	for i := range 5000 {
		before := eps[p.Pick(eps, numbered(i), noon)]
		after := without[p.Pick(without, numbered(i), noon)]
		if before != eps[2] {
			assert.Same(t, before, after, "key %d", i)
		}
	}
}

func TestCARP_has_finite_scores_with_any_weights(t *testing.T) {
	r := seeded(13)
	for range 200 {
		eps := busyEndpoints(r, 1+r.IntN(1500))
		p := new(CARP)
		p.Update(eps)
		sum := 0.0
		for _, e := range p.order {
			assert.False(t, math.IsNaN(e.carp.multiplier) || math.IsInf(e.carp.multiplier, 0) || e.carp.multiplier < 0)
			sum += e.carp.multiplier
		}
		assert.Positive(t, sum)
	}
}

func TestCARP_spreads_keys_over_more_endpoints_than_have_a_thousandth_each(t *testing.T) {
	const n = 4000
	picked := 0
	for _, c := range count(new(CARP), some(1500), n, numbered) {
		picked += min(c, 1)
	}
	assert.Greater(t, picked, 500) // the hash is weak; those without a share would leave 1
}

func TestCARP_sees_that_weights_have_changed(t *testing.T) {
	eps, p := weights(1, 1), new(CARP)
	even := count(p, eps, 1000, numbered)
	eps[0].Weight = 9
	assert.Greater(t, count(p, eps, 1000, numbered)[0], even[0]+200)
}
