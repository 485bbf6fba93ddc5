package balance

import (
	"container/heap"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// simulation is a peer of endpoints that answer in a time of their own: each has some
// links, and a queue before them. Requests arrive at random (a Poisson process).
type simulation struct {
	policy   Policy
	mean     []time.Duration // time to answer, without queueing, of each endpoint
	links    int             // of each
	rate     float64         // requests a second
	requests int
	warm     int // requests at the beginning that do not count
	refuses  int // this endpoint refuses at once, if it is not 0
	hangs    int // this one never answers after the warm-up, if it is not 0
	rand     *rand.Rand
}

// done is a request that ends.
type done struct {
	at       time.Time
	endpoint int
	flight   *Flight
}

type doneHeap []done

func (h doneHeap) Len() int           { return len(h) }
func (h doneHeap) Less(i, j int) bool { return h[i].at.Before(h[j].at) }
func (h doneHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *doneHeap) Push(x any)        { *h = append(*h, x.(done)) }
func (h *doneHeap) Pop() any {
	last := (*h)[len(*h)-1]
	*h = (*h)[:len(*h)-1]
	return last
}

// run gives the 99th percentile of all requests, and how many each endpoint got; of one
// that hangs only those that hang.
func (s *simulation) run() (time.Duration, []int) {
	eps := some(len(s.mean))
	free := make([][]time.Time, len(eps)) // when each link is free
	for i := range free {
		free[i] = make([]time.Time, s.links)
	}
	var (
		now    = noon
		ends   doneHeap
		took   []time.Duration
		stuck  int
		counts = make([]int, len(eps))
	)
	for n := range s.requests {
		now = now.Add(time.Duration(s.rand.ExpFloat64() / s.rate * 1e9))
		for len(ends) > 0 && !ends[0].at.After(now) {
			d := heap.Pop(&ends).(done)
			if d.endpoint == s.refuses && s.refuses != 0 {
				d.flight.Fail(d.at)
			} else {
				d.flight.Head(d.at)
			}
			d.flight.End()
		}
		i := s.policy.Pick(eps, "", now)
		flight := new(Flight)
		flight.Begin(eps[i], now)
		counts[i]++
		link := 0
		for l, at := range free[i] {
			if at.Before(free[i][link]) {
				link = l
			}
		}
		if s.hangs != 0 && i == s.hangs && n >= s.warm {
			stuck++
			continue
		}
		start := now
		if free[i][link].After(now) {
			start = free[i][link]
		}
		// Log-normal with σ = 0.5: the 99th percentile is 2.8 times the mean.
		const sigma = 0.5
		service := time.Duration(float64(s.mean[i]) * math.Exp(sigma*s.rand.NormFloat64()-sigma*sigma/2))
		end := start.Add(service)
		free[i][link] = end
		heap.Push(&ends, done{end, i, flight})
		if n >= s.warm {
			took = append(took, end.Sub(now))
		}
	}
	if s.hangs != 0 {
		counts[s.hangs] = stuck
	}
	slices.Sort(took)
	return took[len(took)*99/100], counts
}

func TestPeakEWMA_keeps_p99_when_one_of_ten_is_ten_times_slower(t *testing.T) {
	const good, slow, requests = 10 * ms, 100 * ms, 20000
	nine := slices.Repeat([]time.Duration{good}, 9)
	ten := append(slices.Clone(nine), slow)
	for _, load := range []struct {
		name string
		rate float64 // nine endpoints with four links of 10 ms each carry 3,600 a second
	}{{"1 % busy", 36}, {"30 % busy", 1080}, {"60 % busy", 2160}, {"80 % busy", 2880}} {
		t.Run(load.name, func(t *testing.T) {
			p99 := func(p Policy, mean []time.Duration) (time.Duration, []int) {
				s := simulation{policy: p, mean: mean, links: 4, rate: load.rate, requests: requests, warm: 1000, rand: seeded(41)}
				return s.run()
			}
			bar, _ := p99(&PeakEWMA{Rand: seeded(40)}, nine)
			t.Logf("%-22s p99 %8v (nine good endpoints alone)", "peak EWMA", bar.Round(100*time.Microsecond))
			for _, c := range []struct {
				name string
				p    Policy
				held bool
			}{
				{"peak EWMA", &PeakEWMA{Rand: seeded(40)}, true},
				{"peak EWMA of all", &PeakEWMA{Rand: seeded(40), Choices: 10}, true},
				{"round robin", new(RoundRobin), false},
				{"least requests", &LeastRequests{Rand: seeded(40)}, false},
				{"least requests of two", &LeastRequests{Rand: seeded(40), Choices: 2}, false},
				{"random", &Random{Rand: seeded(40)}, false},
			} {
				got, counts := p99(c.p, ten)
				times := float64(got) / float64(bar)
				t.Logf("%-22s p99 %8v, %5.2f times; the slow one got %.2f %%", c.name, got.Round(100*time.Microsecond), times,
					100*float64(counts[9])/requests)
				if c.held {
					assert.LessOrEqual(t, times, 1.5, c.name)
				}
				if c.name == "round robin" {
					assert.Greater(t, times, 1.5, "the simulation shows no difference")
				}
			}
		})
	}
}

func TestPeakEWMA_is_not_drawn_to_an_endpoint_that_refuses_at_once(t *testing.T) {
	mean := append(slices.Repeat([]time.Duration{10 * ms}, 9), 100*time.Microsecond)
	share := func(p Policy) float64 {
		s := simulation{policy: p, mean: mean, links: 4, rate: 1080, requests: 40000, refuses: 9, rand: seeded(43)}
		_, counts := s.run()
		return float64(counts[9]) / 40000
	}
	peak, least := share(&PeakEWMA{Rand: seeded(42)}), share(&LeastRequests{Rand: seeded(42)})
	t.Logf("refused: peak EWMA %.3f %%, least requests %.1f %%", 100*peak, 100*least)
	assert.Less(t, peak, 0.001)
	assert.Greater(t, least, 0.1, "the simulation has no black hole")
}

func TestPeakEWMA_leaves_an_endpoint_that_hangs(t *testing.T) {
	stuck := func(p Policy, rate float64, requests int) int {
		s := simulation{
			policy: p, mean: slices.Repeat([]time.Duration{10 * ms}, 10), links: 4, rate: rate, requests: requests, warm: 1000,
			hangs: 9, rand: seeded(45),
		}
		_, counts := s.run()
		return counts[9]
	}
	for _, rate := range []float64{36, 1080, 2880} {
		// Ten minutes at the lowest rate, in which its average is long forgotten.
		peak, round := stuck(&PeakEWMA{Rand: seeded(44)}, rate, 22600), stuck(new(RoundRobin), rate, 22600)
		t.Logf("%v requests/s: of 21600, peak EWMA loses %d, round robin %d", rate, peak, round)
		assert.LessOrEqual(t, peak, 10)
		assert.Equal(t, 2160, round)
	}
}
