package config

import "github.com/ratmom/ratmom/cgo"

// ProxyTunnel sends requests of http URLs through an HTTP proxy by a tunnel
// (CONNECT), too, so that it neither reads nor changes them. Those of https URLs go
// through one anyway. Many proxies allow tunnels to port 443 alone.
//
// Default: false. CURLOPT_HTTPPROXYTUNNEL.
func ProxyTunnel(on bool) Option { return both(proxyTunnel(on)) }

// ProxyTunnel returns the value of the option of that name.
func (r *RequestConfig) ProxyTunnel() bool {
	s, _ := lookup[proxyTunnel](r)
	return bool(s)
}

type proxyTunnel bool

func (proxyTunnel) validate() error { return nil }

func (s proxyTunnel) encodeTarget(o *cgo.Options, _ *RequestConfig, t target) {
	if bool(s) && t.proxy != nil && !t.proxy.socks() {
		o.Long(cgo.OptHTTPProxyTunnel, 1)
	}
}
