package balance

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestPeakEWMA_tries_an_unknown_endpoint_by_one_request_at_a_time(t *testing.T) {
	eps := some(3)
	eps[0].Latency.Observe(1*ms, noon)
	eps[1].Latency.Observe(1*ms, noon)
	p := &PeakEWMA{Rand: seeded(20), Choices: 3}
	assert.Equal(t, 2, p.Pick(eps, "", noon), "the unknown one is wanted first")
	eps[2].InFlight = 1
	eps[0].InFlight, eps[1].InFlight = 1000, 1000
	for range 100 {
		assert.NotEqual(t, 2, p.Pick(eps, "", noon), "and no more before it has answered")
	}
	eps[2].Latency.Observe(1*ms, noon)
	assert.Equal(t, 2, p.Pick(eps, "", noon))
}

func TestPeakEWMA_spreads_the_first_requests_while_nothing_is_known(t *testing.T) {
	eps, p := weights(1, 1, 2), &PeakEWMA{Rand: seeded(21), Choices: 3}
	for range 400 {
		eps[p.Pick(eps, "", noon)].InFlight++
	}
	assert.Equal(t, []int{100, 100, 200}, []int{eps[0].InFlight, eps[1].InFlight, eps[2].InFlight})
}

func TestPeakEWMA_counts_latency_requests_under_way_and_weight(t *testing.T) {
	for name, c := range map[string]struct {
		latency  [2]time.Duration
		inFlight [2]int
		weight   [2]float64
		want     int
	}{
		"the faster":                       {[2]time.Duration{10 * ms, 9 * ms}, [2]int{3, 3}, [2]float64{1, 1}, 1},
		"the less busy":                    {[2]time.Duration{9 * ms, 9 * ms}, [2]int{3, 4}, [2]float64{1, 1}, 0},
		"the heavier":                      {[2]time.Duration{9 * ms, 9 * ms}, [2]int{3, 3}, [2]float64{1, 2}, 1},
		"ten times slower, nine under way": {[2]time.Duration{10 * ms, 100 * ms}, [2]int{8, 0}, [2]float64{1, 1}, 0},
		"ten times slower, ten under way":  {[2]time.Duration{10 * ms, 100 * ms}, [2]int{10, 0}, [2]float64{1, 1}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			eps := some(2)
			for i, e := range eps {
				e.Latency.Observe(c.latency[i], noon)
				e.InFlight, e.Weight = c.inFlight[i], c.weight[i]
			}
			assert.Equal(t, c.want, (&PeakEWMA{Rand: seeded(22)}).Pick(eps, "", noon))
		})
	}
}

func TestPeakEWMA_counts_how_long_the_oldest_request_waits(t *testing.T) {
	eps, p := some(2), &PeakEWMA{Rand: seeded(24)}
	eps[0].Latency.Observe(10*ms, noon)
	eps[1].Latency.Observe(50*ms, noon)
	eps[0].Waiting = noon
	assert.Equal(t, 0, p.Pick(eps, "", noon.Add(40*ms)))
	assert.Equal(t, 1, p.Pick(eps, "", noon.Add(60*ms)))
	eps[0].Waiting = time.Time{}
	assert.Equal(t, 0, p.Pick(eps, "", noon.Add(60*ms)))
}

func TestPeakEWMA_comes_back_to_a_slow_endpoint_after_a_while(t *testing.T) {
	eps, p := some(2), &PeakEWMA{Rand: seeded(23)}
	eps[1].Latency.Observe(100*ms, noon)
	var back time.Duration
	for at := time.Duration(0); back == 0 && at < 5*time.Minute; at += time.Second {
		eps[0].Latency.Observe(10*ms, noon.Add(at)) // the good one goes on
		if p.Pick(eps, "", noon.Add(at)) == 1 {
			back = at
		}
	}
	assert.Equal(t, 70*time.Second, back) // 30 s · ln 10 = 69.08 s
}
