package config

import (
	"reflect"
	"slices"
	"strings"

	"github.com/ratmom/ratmom/cgo"
)

// An aparter makes connections that others may not use, and libcurl does not see
// that: it does not compare the option when it looks for a connection to use again. A
// request whose value differs from its client's has a connection of its own.
type aparter interface {
	// apart is the value as text, which may be secret; "" is libcurl's default.
	apart() string
}

// apart puts all values together, in an order that does not depend on how they were
// given.
func (s settings) apart() string {
	var parts []string
	for _, x := range s {
		if a, ok := x.(aparter); ok {
			if v := a.apart(); v != "" {
				parts = append(parts, reflect.TypeOf(x).String()+"\x00"+v)
			}
		}
	}
	if len(parts) > 1 {
		slices.Sort(parts)
	}
	return strings.Join(parts, "\x00")
}

// ownConnection has the request share its connection with none before it, and none
// after it.
func ownConnection(o *cgo.Options) {
	o.Long(cgo.OptFreshConnect, 1)
	o.Long(cgo.OptForbidReuse, 1)
}

// keepApart gives a request whose setting is not its client's a connection of its
// own: libcurl does not look at such a setting when it chooses a connection to use
// again.
func keepApart[T interface {
	comparable
	setting
}](o *cgo.Options, r *RequestConfig, s T) {
	if of, _ := lookupClient[T](r.client); of != s {
		ownConnection(o)
	}
}

// unless is text where something is not as libcurl has it by default.
func unless(byDefault bool, text string) string {
	if byDefault {
		return ""
	}
	return text
}
