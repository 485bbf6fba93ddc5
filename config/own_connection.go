package config

import "github.com/ratmom/ratmom/cgo"

// keepApart gives a request whose setting is not its client's a connection of its
// own: libcurl does not look at such a setting when it chooses a connection to use
// again.
func keepApart[T interface {
	comparable
	setting
}](o *cgo.Options, r *RequestConfig, s T) {
	if of, _ := lookupClient[T](r.client); of != s {
		o.Long(cgo.OptFreshConnect, 1)
		o.Long(cgo.OptForbidReuse, 1)
	}
}
