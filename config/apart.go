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
	// apart is the value as text, which may be secret, and where it matters; "" is
	// libcurl's default. Some depend on other settings.
	apart(all settings) (place, string)
}

// place is where a setting keeps connections apart.
type place int

const (
	anywhere place = iota
	overTLS        // where TLS is spoken
	toProxy        // where there is a proxy
	places
)

// apartness has the values of all aparters, put together by place.
type apartness [places]string

// apart puts all values together, in an order that does not depend on how they were
// given.
func (s settings) apart() (all apartness) {
	var parts [places][]string
	for _, x := range s {
		if a, ok := x.(aparter); ok {
			if at, v := a.apart(s); v != "" {
				parts[at] = append(parts[at], reflect.TypeOf(x).String()+"\x00"+v)
			}
		}
	}
	for at, list := range parts {
		if len(list) > 1 {
			slices.Sort(list)
		}
		all[at] = strings.Join(list, "\x00")
	}
	return all
}

// differs tells where a request with the values a may not use the connections of
// those with b.
func (a *apartness) differs(b *apartness) (apart [places]bool) {
	for at := range a {
		apart[at] = a[at] != b[at]
	}
	return apart
}

// encodeApart keeps the request to itself if its settings are not its client's, as far as
// they matter on its way.
func (r *RequestConfig) encodeApart(o *cgo.Options, t target) {
	if r.apart[anywhere] || r.apart[overTLS] && t.tls() || r.apart[toProxy] && t.proxy != nil {
		ownConnection(o)
	}
}

// ownConnection has the request share its connection with none before it, and none
// after it.
func ownConnection(o *cgo.Options) {
	o.Long(cgo.OptFreshConnect, 1)
	o.Long(cgo.OptForbidReuse, 1)
}

// unless is text where something is not as libcurl has it by default.
func unless(byDefault bool, text string) string {
	if byDefault {
		return ""
	}
	return text
}
