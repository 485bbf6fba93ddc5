package config

import "github.com/ratmom/ratmom/cgo"

// UserAgent sets the User-Agent of requests that have no such header field of
// their own. "" sends none.
//
// Default: ratmom's name and version with libcurl's. It must be plain text.
// CURLOPT_USERAGENT, which proxies see in a CONNECT request too.
func UserAgent(s string) Option { return both(userAgent(s)) }

// UserAgent returns the value of the option of that name, and whether it is set.
func (r *RequestConfig) UserAgent() (string, bool) {
	s, ok := lookup[userAgent](r)
	return string(s), ok
}

type userAgent string

func (s userAgent) validate() error { return checkText("UserAgent", string(s)) }

func (s userAgent) encode(o *cgo.Options) {
	if s != "" {
		o.String(cgo.OptUserAgent, string(s))
	}
}
