package handler

import (
	"cmp"
	"net/http"
	"slices"
	"strings"

	"github.com/ratmom/ratmom/cgo"
)

// headerLines is the list of a request's header lines. With an order it holds them
// back until the end.
type headerLines struct {
	cgo.ListWriter
	order []string // names in canonical form
	held  []string
}

// Add appends a line.
func (l *headerLines) Add(parts ...string) {
	if len(l.order) == 0 {
		l.ListWriter.Add(parts...)
		return
	}
	l.held = append(l.held, strings.Join(parts, ""))
}

// places reports whether the order says where a field stands.
func (l *headerLines) places(name string) bool { return slices.Contains(l.order, name) }

// End closes the list.
func (l *headerLines) End() {
	if len(l.held) > 0 {
		l.place()
	}
	l.ListWriter.End()
}

func (l *headerLines) place() {
	slices.SortStableFunc(l.held, func(a, b string) int {
		a, b = lineName(a), lineName(b)
		return cmp.Or(cmp.Compare(l.rank(a), l.rank(b)), cmp.Compare(a, b))
	})
	for _, line := range l.held {
		l.ListWriter.Add(line)
	}
}

func (l *headerLines) rank(name string) int {
	if i := slices.Index(l.order, name); i >= 0 {
		return i
	}
	return len(l.order)
}

// lineName is the name of a line as libcurl takes it, "Name: value" or "Name;".
func lineName(line string) string {
	if i := strings.IndexAny(line, ":;"); i >= 0 {
		line = line[:i]
	}
	return http.CanonicalHeaderKey(line)
}
