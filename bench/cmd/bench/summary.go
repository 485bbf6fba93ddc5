package main

import (
	"fmt"
	"io"
	"strings"
)

// summarize writes ratmom's ratios that have a bound, one line each.
func summarize(w io.Writer, all []verdict) {
	fmt.Fprint(w, "## Targets\n\n| row | ratmom | | to | ratio | target | |\n|---|---:|---|---|---:|---:|---|\n")
	for _, v := range all {
		if v.limit == 0 {
			continue
		}
		word := "met"
		if v.missed {
			word = "**missed**"
		}
		to, ratio := v.to, fmt.Sprintf("%.2f", v.ratio)
		if to == "" {
			to, ratio = "–", "–"
		}
		fmt.Fprintf(w, "| %s%s | %s | %s | %s | %s | %s | %s |\n",
			v.row.title, v.variant(), number(v.value), v.metric.name, to, ratio, v.target(), word)
	}
	fmt.Fprintln(w)
}

// variant tells one ratmom of a row from another.
func (v verdict) variant() string {
	if v.peer.name == ratmom.name {
		return ""
	}
	return " (" + strings.TrimLeft(strings.TrimPrefix(v.peer.name, ratmom.name), " ,") + ")"
}

// overview draws the rows' own figures beside net/http's, or quic-go's.
func overview(all []verdict) chart {
	c := chart{
		title: "ratmom beside net/http",
		note:  "ratio; the tick is the target, and grey is what missed it; HTTP/3 is beside quic-go",
		one:   "net/http",
	}
	for _, v := range all {
		if v.metric.name != v.row.metric.name || v.to != netHTTP.name && v.to != quicGo.name || v.ratio == 0 {
			continue
		}
		text := fmt.Sprintf("%.2f  %s", v.ratio, v.metric.name)
		if v.metric.higher {
			text += ", more is better"
		}
		c.bars = append(c.bars, bar{
			label: v.row.name + v.variant(), text: text,
			value: v.ratio, strong: !v.missed, mark: v.limit,
		})
	}
	return c
}
