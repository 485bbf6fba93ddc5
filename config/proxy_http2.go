package config

import "github.com/ratmom/ratmom/cgo"

// ProxyHTTP2 speaks HTTP/2 with an https proxy that agrees to it, and else HTTP/1.1 as
// without. It needs libcurl 8.2 or later with HTTP/2.
//
// Default: false. CURLOPT_PROXYTYPE (CURLPROXY_HTTPS2).
func ProxyHTTP2(on bool) Option { return both(proxyHTTP2(on)) }

type proxyHTTP2 bool

func (proxyHTTP2) validate() error { return nil }

func (s proxyHTTP2) supported(f *cgo.FeatureSet) error {
	if bool(s) && (!f.HTTP2 || !f.HTTPSProxy || !f.AtLeast(8, 2, 0)) {
		return unsupported(f, "ProxyHTTP2", bool(s), "to be 8.2 or later, with HTTP/2 and HTTPS proxies")
	}
	return nil
}

func (s proxyHTTP2) encodeTarget(o *cgo.Options, _ *RequestConfig, t target) {
	if bool(s) && t.proxy != nil && t.proxy.scheme == "https" {
		o.Long(cgo.OptProxyType, cgo.ProxyTypeHTTPS2)
	}
}
