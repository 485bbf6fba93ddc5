package config

import (
	"net/http"
	"slices"
	"strings"

	"golang.org/x/net/http/httpguts"
)

// HeaderOrder sends the header lines in the order of names, in any case; those with
// other names follow, sorted. It is for servers that tell clients by it. Host is
// always the first, and what libcurl makes itself stands between it and the rest:
// credentials, and the Transfer-Encoding of a body of unknown length. A
// Content-Length stands where names has it, at the end if names does not have it or a
// round of authentication may come.
//
// Names must be valid and differ. Default: none, the order is not defined.
// CURLOPT_HTTPHEADER.
func HeaderOrder(names ...string) Option { return both(headerOrder{slices.Clone(names)}) }

// HeaderOrder returns the names in the order of the option of that name, in canonical
// form. It is shared: do not change it.
func (r *RequestConfig) HeaderOrder() []string {
	s, _ := lookup[headerOrder](r)
	if len(s.names) == 0 {
		return nil
	}
	names := make([]string, 0, len(s.names))
	for _, name := range s.names {
		names = append(names, http.CanonicalHeaderKey(name))
	}
	return names
}

type headerOrder struct{ names []string }

func (s headerOrder) String() string { return strings.Join(s.names, " ") }

func (s headerOrder) validate() error {
	seen := map[string]bool{}
	for _, name := range s.names {
		if !httpguts.ValidHeaderFieldName(name) {
			return invalid("HeaderOrder", name, "is no name of a header field")
		}
		key := http.CanonicalHeaderKey(name)
		if seen[key] {
			return invalid("HeaderOrder", name, "is there twice")
		}
		seen[key] = true
	}
	return nil
}
