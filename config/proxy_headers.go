package config

import (
	"maps"
	"net/http"
	"slices"

	"github.com/ratmom/ratmom/cgo"
	"github.com/ratmom/ratmom/internal/valid"
)

// ProxyHeaders are sent to the proxy alone, with the CONNECT request. Requests that
// go through an HTTP proxy without a tunnel carry the request's own header only.
//
// Default: none. (CURLOPT_PROXYHEADER, CURLOPT_HEADEROPT)
func ProxyHeaders(h http.Header) Option { return both(proxyHeaders{h.Clone()}) }

type proxyHeaders struct{ h http.Header }

// String leaves the values out: they may be secrets.
func (s proxyHeaders) String() string { return "ProxyHeaders(…)" }

func (s proxyHeaders) validate() error {
	if err := valid.Header(s.h); err != nil {
		return invalid("ProxyHeaders", "…", err.Error())
	}
	return nil
}

func (s proxyHeaders) encode(o *cgo.Options) {
	o.Long(cgo.OptHeaderOpt, cgo.HeaderSeparate)
	l := o.BeginList(cgo.OptProxyHeader)
	for _, k := range slices.Sorted(maps.Keys(s.h)) {
		for _, v := range s.h[k] {
			l.Add(k, ": ", v)
		}
	}
	l.End()
}
