package main

import (
	"math"
	"slices"
)

// runs holds what was measured for one peer, one sample a round.
type runs struct {
	peer    peer
	samples []sample
}

func median(v []float64) float64 {
	v = slices.Sorted(slices.Values(v))
	n := len(v)
	if n%2 == 1 {
		return v[n/2]
	}
	return (v[n/2-1] + v[n/2]) / 2
}

func (r runs) values(of func(sample) float64) []float64 {
	v := make([]float64, len(r.samples))
	for i, s := range r.samples {
		v[i] = of(s)
	}
	return v
}

func (r runs) median(m metric) float64 { return median(r.values(m.of)) }

// noise is what disturbed the typical sample, in percent.
func (r runs) noise() float64 { return 100 * median(r.values(sample.noise)) }

// ratio is the median of the rounds' ratios: the two runs of a round met the
// same machine, which the medians of all runs may not have. It is 0 if one of the
// two does not have the figure.
func ratio(a, b runs, m metric) float64 {
	va, vb := a.values(m.of), b.values(m.of)
	for i := range va {
		if va[i] == 0 || vb[i] == 0 {
			return 0
		}
		va[i] /= vb[i]
	}
	return median(va)
}

// verdict is one of ratmom's ratios.
type verdict struct {
	row    row
	peer   peer
	metric metric
	to     string
	value  float64 // of the metric
	ratio  float64 // or the value, if it is to nothing
	limit  float64 // 0: none
	missed bool
}

// verdicts compares the row's ratmoms with its bounds.
func (r row) verdicts(measured []runs) (all []verdict) {
	for _, m := range measured {
		for _, b := range r.bounds {
			base := slices.IndexFunc(measured, func(m runs) bool { return m.peer.name == b.to })
			if !m.peer.ours() || base < 0 && b.to != "" || m.peer.name == b.to {
				continue
			}
			v := verdict{row: r, peer: m.peer, metric: r.boundMetric(b), to: b.to}
			v.value = m.median(v.metric)
			if v.ratio = v.value; base >= 0 {
				v.ratio = ratio(m, measured[base], v.metric)
			}
			if b.peer == "" || b.peer == m.peer.name {
				v.limit = b.limit
			}
			// What is shown as met is met.
			shown := math.Round(v.ratio*100) / 100
			if v.metric.higher {
				v.missed = v.limit > 0 && shown < v.limit
			} else {
				v.missed = v.limit > 0 && shown > v.limit
			}
			all = append(all, v)
		}
	}
	return all
}
