package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// print writes the row's table.
func (r row) print(w io.Writer, measured []runs) {
	verdicts := r.verdicts(measured)
	fmt.Fprintf(w, "### %s (`%s`)\n\n", r.title, r.name)
	var columns []metric
	for _, c := range r.columns {
		if slices.ContainsFunc(measured, func(m runs) bool { return m.median(c) != 0 }) {
			columns = append(columns, c)
		}
	}
	var bases []runs
	var bounds []bound
	for _, b := range r.bounds {
		if i := slices.IndexFunc(measured, func(m runs) bool { return m.peer.name == b.to }); i >= 0 {
			bases, bounds = append(bases, measured[i]), append(bounds, b)
		}
	}
	head := []string{"peer", r.metric.name, "min – max"}
	for _, c := range columns {
		head = append(head, c.name)
	}
	head = append(head, "noise %")
	for _, b := range bounds {
		name := "× " + b.to
		if b.metric.of != nil {
			name = b.metric.name + " " + name
		}
		head = append(head, name)
	}
	fmt.Fprintf(w, "| %s |\n|---|%s\n", strings.Join(head, " | "), strings.Repeat("---:|", len(head)-1))
	for _, m := range measured {
		v := m.values(r.metric.of)
		cells := []string{m.peer.name, "**" + number(median(v)) + "**", number(slices.Min(v)) + " – " + number(slices.Max(v))}
		for _, c := range columns {
			cells = append(cells, number(m.median(c)))
		}
		cells = append(cells, fmt.Sprintf("%.0f", m.noise()))
		for i, b := range bounds {
			cell := number(ratio(m, bases[i], r.boundMetric(b)))
			for _, v := range verdicts {
				if v.peer.name == m.peer.name && v.to == b.to && v.metric.name == r.boundMetric(b).name && v.limit > 0 {
					cell += fmt.Sprintf(" (%s)", v.judged())
				}
			}
			cells = append(cells, cell)
		}
		fmt.Fprintf(w, "| %s |\n", strings.Join(cells, " | "))
	}
	fmt.Fprintln(w)
}

// target is the bound as it is written: "≤ 0.95".
func (v verdict) target() string {
	switch {
	case v.limit == 0:
		return ""
	case v.metric.higher:
		return fmt.Sprintf("≥ %.2f", v.limit)
	default:
		return fmt.Sprintf("≤ %.2f", v.limit)
	}
}

func (v verdict) judged() string {
	if v.missed {
		return v.target() + ": **missed**"
	}
	return v.target() + ": ok"
}
