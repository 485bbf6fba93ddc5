package config

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/ratmom/ratmom/cgo"
	"github.com/ratmom/ratmom/internal/valid"
)

// ProxyHeaders sends header fields to the proxy alone, with the CONNECT request.
// Requests that go through an HTTP proxy without a tunnel carry the request's own
// header only. Given again it replaces what was there; nil switches it off.
//
// Default: none. CURLOPT_PROXYHEADER, CURLOPT_HEADEROPT.
func ProxyHeaders(h http.Header) Option { return both(proxyHeaders{h.Clone()}) }

type proxyHeaders struct{ h http.Header }

// String leaves the values out: they may be secrets.
func (s proxyHeaders) String() string {
	return strings.Join(slices.Sorted(maps.Keys(s.h)), " ")
}

func (s proxyHeaders) validate() error {
	if err := valid.Header(s.h); err != nil {
		return invalid("ProxyHeaders", s.String(), "%v", err)
	}
	return nil
}

// Without a tunnel libcurl adds them to the request, and the proxy hands on what it
// does not know.
func (s proxyHeaders) encodeTarget(o *cgo.Options, r *RequestConfig, t target) {
	if len(s.h) > 0 && t.proxy != nil && r.tunnels(t.url) {
		s.encodeWith(o, "")
	}
}

// tunnels reports whether HTTP proxies are asked for a tunnel to u.
func (r *RequestConfig) tunnels(u *url.URL) bool { return u.Scheme == "https" || r.ProxyTunnel() }

// EncodeProxyHeaders appends the header for the proxy of a tunnel that the URL does not
// tell of.
func (r *RequestConfig) EncodeProxyHeaders(o *cgo.Options) {
	if s, _ := lookup[proxyHeaders](r); len(s.h) > 0 {
		s.encodeWith(o, "")
	}
}

// EncodeProxyAuthorization appends the header for the proxy on the way to u with that
// value of Proxy-Authorization, unless [ProxyHeaders] has one.
func (r *RequestConfig) EncodeProxyAuthorization(o *cgo.Options, u *url.URL, value string) {
	s, _ := lookup[proxyHeaders](r)
	if !r.tunnels(u) {
		s = proxyHeaders{}
	}
	if len(s.h["Proxy-Authorization"]) == 0 {
		s.encodeWith(o, value)
	}
}

func (s proxyHeaders) encodeWith(o *cgo.Options, authorization string) {
	o.Long(cgo.OptHeaderOpt, cgo.HeaderSeparate)
	l := o.BeginList(cgo.OptProxyHeader)
	for _, k := range slices.Sorted(maps.Keys(s.h)) {
		for _, v := range s.h[k] {
			l.Add(k, ": ", v)
		}
	}
	if authorization != "" {
		l.Add("Proxy-Authorization: ", authorization)
	}
	l.End()
}
