package config

import "net/url"

// target is where a request goes.
type target struct {
	url   *url.URL
	proxy *hop // nil: straight to the server
	doh   bool // addresses are asked for over https
}

// tls reports whether TLS is spoken on the way: to the server, to the proxy, or to who
// is asked for addresses.
func (t target) tls() bool {
	return t.url.Scheme == "https" || t.doh || t.proxy != nil && t.proxy.scheme == "https"
}

func (r *RequestConfig) targetOf(u *url.URL) (target, error) {
	p, err := r.hopFor(u)
	if err == nil {
		pre, _ := lookup[preProxy](r)
		err = pre.check(p)
	}
	if err == nil && r.dial.dialer != nil {
		err = r.dial.checkHop(r.firstHop(p))
	}
	d, _ := lookup[doh](r)
	return target{url: u, proxy: p, doh: d != ""}, err
}
