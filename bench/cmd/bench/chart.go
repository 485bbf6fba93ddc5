package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// chart is a picture of horizontal bars.
type chart struct {
	title, note string
	one         string // what a bar of length 1 stands for
	line        float64
	lineText    string
	bars        []bar
}

type bar struct {
	label, text string
	value       float64
	strong      bool    // in colour
	mark        float64 // a tick of its own; 0: none
}

const (
	chartWidth  = 760
	labelWidth  = 190
	plotWidth   = 350 // the rest is for the text beside a bar
	barHeight   = 16
	barDistance = 24
	chartTop    = 78
	longest     = 2.5 // longer bars are cut off
)

// svg writes it. Colours are given as classes, so that a dark page has its own.
func (c chart) svg(w io.Writer) {
	most := max(1, c.line)
	for _, b := range c.bars {
		most = max(most, b.value, b.mark)
	}
	most = min(most, longest)
	x := func(v float64) float64 { return labelWidth + plotWidth*min(v, most)/most }
	bottom := chartTop + barDistance*len(c.bars)
	fmt.Fprintf(w, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif" font-size="12">
<style>
.page{fill:#fff} text{fill:#24292f} .quiet{fill:#57606a} .bar{fill:#b6bec9} .ours{fill:#1f6feb}
.one{stroke:#57606a} .bound{stroke:#cf222e;stroke-width:2;stroke-dasharray:5 3} .tick{stroke:#cf222e;stroke-width:3} .red{fill:#cf222e}
@media (prefers-color-scheme:dark){.page{fill:#0d1117} text{fill:#e6edf3} .quiet{fill:#9198a1} .bar{fill:#59636e} .red{fill:#ff7b72} .bound,.tick{stroke:#ff7b72}}
</style>
<rect class="page" width="100%%" height="100%%"/>
`, chartWidth, bottom+28)
	fmt.Fprintf(w, "<text x=\"12\" y=\"22\" font-size=\"15\" font-weight=\"bold\">%s</text>\n", escape(c.title))
	fmt.Fprintf(w, "<text class=\"quiet\" x=\"12\" y=\"42\">%s</text>\n", escape(c.note))
	for i, b := range c.bars {
		y := chartTop + barDistance*i
		class := "bar"
		if b.strong {
			class = "ours"
		}
		fmt.Fprintf(w, "<text x=\"%d\" y=\"%d\" text-anchor=\"end\">%s</text>\n", labelWidth-8, y+12, escape(b.label))
		fmt.Fprintf(w, "<rect class=\"%s\" x=\"%d\" y=\"%d\" width=\"%.1f\" height=\"%d\"/>\n", class, labelWidth, y, x(b.value)-labelWidth, barHeight)
		text := b.text
		if b.value > most {
			text = "→ " + text
		}
		fmt.Fprintf(w, "<text x=\"%d\" y=\"%d\">%s</text>\n", labelWidth+plotWidth+12, y+12, escape(text))
		if b.mark > 0 {
			fmt.Fprintf(w, "<path class=\"tick\" d=\"M%.1f %dv%d\"/>\n", x(b.mark), y-2, barHeight+4)
		}
	}
	fmt.Fprintf(w, "<path class=\"one\" d=\"M%.1f %dV%d\"/>\n", x(1), chartTop-6, bottom)
	fmt.Fprintf(w, "<text class=\"quiet\" x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">1 = %s</text>\n", x(1), bottom+16, escape(c.one))
	if c.line > 0 {
		fmt.Fprintf(w, "<path class=\"bound\" d=\"M%.1f %dV%d\"/>\n", x(c.line), chartTop-6, bottom)
		fmt.Fprintf(w, "<text class=\"red\" x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%s</text>\n", x(c.line), chartTop-10, escape(c.lineText))
	}
	fmt.Fprintln(w, "</svg>")
}

var escape = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace

// chart draws the row's figure of every peer beside net/http's, or else beside that
// of the last peer that a bound is to.
func (r row) chart(measured []runs) (c chart, ok bool) {
	base := -1
	for _, b := range r.bounds {
		i := slices.IndexFunc(measured, func(m runs) bool { return m.peer.name == b.to })
		if i < 0 || b.metric.of != nil || base >= 0 && measured[base].peer.name == netHTTP.name {
			continue
		}
		base, c.line = i, b.limit
		c.lineText = "bound " + verdict{metric: r.metric, limit: b.limit}.target()
	}
	if base < 0 {
		return c, false
	}
	better := "less is better"
	if r.metric.higher {
		better = "more is better"
	}
	c.title, c.one = r.title, measured[base].peer.name
	c.note = fmt.Sprintf("%s as a ratio to %s (median of the rounds' ratios); %s", r.metric.name, c.one, better)
	for _, m := range measured {
		q := ratio(m, measured[base], r.metric)
		c.bars = append(c.bars, bar{
			label: m.peer.name, value: q, strong: m.peer.ours(),
			text: fmt.Sprintf("%.2f  (%s %s)", q, number(m.median(r.metric)), r.metric.name),
		})
	}
	return c, true
}
