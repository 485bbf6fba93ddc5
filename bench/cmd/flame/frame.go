package main

import (
	"cmp"
	"slices"
	"strings"
)

// frame is a function where it was called: its samples, with those of what it called.
type frame struct {
	name, file string
	samples    int
	callees    []*frame
}

// add counts a stack, given from the innermost frame on.
func (f *frame) add(stack []string) {
	if len(stack) == 0 {
		return
	}
	f.samples++
	for _, label := range slices.Backward(stack) {
		f = f.callee(label)
		f.samples++
	}
}

func (f *frame) callee(label string) *frame {
	name, file, _ := strings.Cut(label, "\t")
	for _, c := range f.callees {
		if c.name == name && c.file == file {
			return c
		}
	}
	c := &frame{name: name, file: file}
	f.callees = append(f.callees, c)
	return c
}

// sorted are the callees, those with most samples first.
func (f *frame) sorted() []*frame {
	slices.SortStableFunc(f.callees, func(a, b *frame) int { return cmp.Compare(b.samples, a.samples) })
	return f.callees
}

// depth is how many frames lie above each other, of those that are drawn.
func (f *frame) depth(least int) int {
	deepest := 0
	for _, c := range f.callees {
		if c.samples >= least {
			deepest = max(deepest, c.depth(least))
		}
	}
	return deepest + 1
}

// colour tells where the time goes.
func (f *frame) colour() string {
	switch {
	case strings.Contains(f.file, "kernel"):
		return "#e8a87c"
	case strings.HasPrefix(f.file, "libcurl"):
		return "#85b8cb"
	case strings.HasPrefix(f.file, "lib"), strings.HasPrefix(f.file, "[vdso"):
		return "#c3cfd9"
	case strings.HasPrefix(f.name, "ratmom_"), strings.HasPrefix(f.name, "on_"), strings.HasPrefix(f.name, "small_"):
		return "#d1b3e0"
	}
	return "#a8d5a2" // Go
}
