package main

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"
)

const (
	width  = 1200
	height = 17 // of a box
	top    = 64
	letter = 6.6 // the width of one, about
)

var legend = []struct{ colour, text string }{
	{"#a8d5a2", "Go"}, {"#d1b3e0", "ratmom's C"}, {"#85b8cb", "libcurl"}, {"#c3cfd9", "other libraries"}, {"#e8a87c", "kernel"},
}

func draw(w io.Writer, root *frame, title string, share float64) {
	least := max(1, int(share*float64(root.samples)))
	depth := root.depth(least)
	fmt.Fprintf(w, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif" font-size="11">`+"\n",
		width, top+depth*height+10)
	fmt.Fprintf(w, `<rect width="100%%" height="100%%" fill="white"/>`+"\n")
	fmt.Fprintf(w, `<text x="8" y="22" font-size="15">%s</text>`+"\n", escape(title))
	for i, l := range legend {
		x := 8 + i*130
		fmt.Fprintf(w, `<rect x="%d" y="34" width="12" height="12" fill="%s"/><text x="%d" y="44">%s</text>`+"\n", x, l.colour, x+17, l.text)
	}
	box(w, root, root.samples, least, 0, width, top+(depth-1)*height)
	fmt.Fprintln(w, "</svg>")
}

// box draws f, and what it called above it.
func box(w io.Writer, f *frame, all, least int, x, wide float64, y int) {
	share := 100 * float64(f.samples) / float64(all)
	fmt.Fprintf(w, `<g><title>%s (%s): %.1f %%</title><rect x="%.1f" y="%d" width="%.1f" height="%d" fill="%s" stroke="white" stroke-width="0.5"/>`,
		escape(f.name), escape(f.file), share, x, y, wide, height, f.colour())
	if text := fit(short(f.name), wide-6); text != "" {
		fmt.Fprintf(w, `<text x="%.1f" y="%d">%s</text>`, x+3, y+12, escape(text))
	}
	fmt.Fprintln(w, "</g>")
	for _, c := range f.sorted() {
		if c.samples < least {
			break
		}
		part := wide * float64(c.samples) / float64(f.samples)
		box(w, c, all, least, x, part, y-height)
		x += part
	}
}

// short leaves a package's path out.
func short(name string) string { return name[strings.LastIndexByte(name, '/')+1:] }

func fit(s string, wide float64) string {
	n := int(wide / letter)
	switch {
	case n < 3:
		return ""
	case len(s) <= n:
		return s
	}
	return s[:n-1] + "…"
}

func escape(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(s))
	return b.String()
}
