package config

import (
	"slices"
	"strings"

	"github.com/ratmom/ratmom/cgo"
)

// StatusAliases takes a response whose first line begins with one of prefixes for
// "HTTP/1.0 200 OK", for servers that have a protocol of their own name: "ICY 200 OK".
// Case does not matter.
//
// A prefix has at least five characters, the first of them no space, and does not
// begin with "HTTP/". Default: none. CURLOPT_HTTP200ALIASES.
func StatusAliases(prefixes ...string) Option { return both(statusAliases{slices.Clone(prefixes)}) }

// StatusAliases returns the value of the option of that name. It is shared: do not
// change it.
func (r *RequestConfig) StatusAliases() []string {
	s, _ := lookup[statusAliases](r)
	return s.prefixes
}

type statusAliases struct{ prefixes []string }

func (s statusAliases) String() string { return strings.Join(s.prefixes, ", ") }

func (s statusAliases) validate() error {
	for _, p := range s.prefixes {
		if err := checkText("StatusAliases", p); err != nil {
			return err
		}
		switch {
		case len(p) < 5: // libcurl decides by five bytes
			return invalid("StatusAliases", p, "has less than 5 characters")
		case p[0] == ' ':
			return invalid("StatusAliases", p, "begins with a space")
		case strings.EqualFold(p[:5], "HTTP/"):
			return invalid("StatusAliases", p, "is what every response begins with")
		}
	}
	return nil
}

func (s statusAliases) encode(o *cgo.Options) {
	if len(s.prefixes) > 0 {
		o.List(cgo.OptHTTP200Aliases, s.prefixes)
	}
}
