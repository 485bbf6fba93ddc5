package config

import "net/url"

// target is where a request goes.
type target struct {
	url   *url.URL
	proxy *hop // nil: straight to the server
}

// tls reports whether TLS is spoken on the way, to the server or to the proxy.
func (t target) tls() bool {
	return t.url.Scheme == "https" || t.proxy != nil && t.proxy.scheme == "https"
}

func (r *RequestConfig) targetOf(u *url.URL) (target, error) {
	p, err := r.hopFor(u)
	return target{url: u, proxy: p}, err
}
