package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/ratmom/ratmom/bench/internal/result"
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

func (r runs) values(of func(result.Result) float64) []float64 {
	v := make([]float64, len(r.samples))
	for i, s := range r.samples {
		v[i] = of(s.Result)
	}
	return v
}

// noise is what disturbed the typical sample, in percent.
func (r runs) noise() float64 {
	v := make([]float64, len(r.samples))
	for i, s := range r.samples {
		v[i] = 100 * s.noise()
	}
	return median(v)
}

// ratio is the median of the rounds' ratios: the two runs of a round met the
// same machine, which the medians of all runs may not have.
func ratio(a, b runs, of func(result.Result) float64) float64 {
	va, vb := a.values(of), b.values(of)
	for i := range va {
		va[i] /= vb[i]
	}
	return median(va)
}

// print writes the row's table and reports whether every bound held.
func (r row) print(w io.Writer, measured []runs) (ok bool) {
	ok = true
	var bases []runs
	var bounds []bound
	for _, b := range r.bounds {
		if i := slices.IndexFunc(measured, func(m runs) bool { return m.peer.name == b.to }); i >= 0 {
			bases, bounds = append(bases, measured[i]), append(bounds, b)
		}
	}
	fmt.Fprintf(w, "### %s (`%s`)\n\n", r.title, r.name)
	head := []string{"peer", r.metric.name, "min – max", "user", "sys", "wall s", "peak MiB", "noise %"}
	for _, b := range bounds {
		head = append(head, "× "+b.to)
	}
	fmt.Fprintf(w, "| %s |\n|---|%s\n", strings.Join(head, " | "), strings.Repeat("---:|", len(head)-1))
	for _, m := range measured {
		v := m.values(r.metric.of)
		scale := 1.0
		if r.metric.name == cpuPerRequest.name {
			scale = 1e6 / float64(m.samples[0].Requests)
		}
		cells := []string{
			m.peer.name,
			"**" + number(median(v)) + "**",
			number(slices.Min(v)) + " – " + number(slices.Max(v)),
			number(scale * median(m.values(func(r result.Result) float64 { return r.User }))),
			number(scale * median(m.values(func(r result.Result) float64 { return r.Sys }))),
			number(median(m.values(func(r result.Result) float64 { return r.Wall }))),
			number(median(m.values(peakMemory.of))),
			fmt.Sprintf("%.0f", m.noise()),
		}
		for i, base := range bases {
			q := ratio(m, base, r.metric.of)
			cell := fmt.Sprintf("%.2f", q)
			if most := bounds[i].most; most > 0 && m.peer.program == ratmom.program {
				verdict := "ok"
				if q > most+0.005 {
					verdict, ok = "**missed**", false
				}
				cell += fmt.Sprintf(" (≤ %.2f: %s)", most, verdict)
			}
			cells = append(cells, cell)
		}
		fmt.Fprintf(w, "| %s |\n", strings.Join(cells, " | "))
	}
	fmt.Fprintln(w)
	return ok
}

func number(v float64) string {
	switch {
	case v >= 100:
		return fmt.Sprintf("%.0f", v)
	case v >= 10:
		return fmt.Sprintf("%.1f", v)
	default:
		return fmt.Sprintf("%.2f", v)
	}
}
