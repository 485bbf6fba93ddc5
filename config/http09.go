package config

import "github.com/ratmom/ratmom/cgo"

// AllowHTTP09 takes a response without a head, as HTTP/0.9 has it: whatever a server
// sends is its body then, with status 200. Anything that is not HTTP looks like it, so
// allow it for servers that are known to be so old alone.
//
// Default: false, such a response is an error. CURLOPT_HTTP09_ALLOWED.
func AllowHTTP09(on bool) Option { return both(allowHTTP09(on)) }

type allowHTTP09 bool

func (allowHTTP09) validate() error { return nil }

func (s allowHTTP09) encode(o *cgo.Options) {
	if s {
		o.Long(cgo.OptHTTP09Allowed, 1)
	}
}
