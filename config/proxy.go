package config

import (
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/ratmom/ratmom/cgo"
)

// Proxy sends requests through the proxy at rawURL. "" is no proxy, whatever the
// environment says.
//
// Schemes: http, https (TLS to the proxy itself), socks4, socks4a, socks5 and
// socks5h; those ending in a and h leave name resolution to the proxy. A URL
// without a scheme is an http proxy. Without a port it is 80, 443 or 1080 by the
// scheme, as in net/http, not curl's 1080. User name and password can be in the
// URL. An https proxy's certificate is verified like a server's, with the same
// CA.
//
// https URLs go through a tunnel (CONNECT) that the proxy cannot look into. A
// request over a [UnixSocket] goes to no proxy.
//
// Default: [ProxyFromEnvironment]. CURLOPT_PROXY, CURLOPT_NOPROXY,
// CURLOPT_SOCKS5_AUTH.
func Proxy(rawURL string) Option {
	if rawURL == "" {
		return both(proxy{})
	}
	h, err := parseProxy(rawURL)
	return both(proxy{hop: h, text: maskProxy(rawURL), err: err})
}

// ProxyFromEnvironment sends requests through the proxies named in HTTP_PROXY and
// HTTPS_PROXY (for http and https URLs), else ALL_PROXY, except to the hosts
// in NO_PROXY; or the lower-case forms of these. The values are those that
// [Proxy] takes. The environment is read once in the life of the process. As in
// net/http, requests to localhost and loopback addresses go to no proxy, and
// HTTP_PROXY is not trusted in a CGI program.
//
// This is the default.
func ProxyFromEnvironment() Option { return both(proxy{env: environment()}) }

// ProxyFor returns the proxy that a request of u goes through, without user name
// and password; nil if there is none.
func (r *RequestConfig) ProxyFor(u *url.URL) (*url.URL, error) {
	h, err := r.hopFor(u)
	if h == nil || err != nil {
		return nil, err
	}
	return &url.URL{Scheme: h.scheme, Host: h.host}, nil
}

// Proxyless reports whether no request goes through a proxy, whatever its URL.
func (r *RequestConfig) Proxyless() bool {
	p, _ := lookup[proxy](r)
	return p.hop == nil && (p.env == nil || p.env.choose == nil)
}

func (r *RequestConfig) hopFor(u *url.URL) (*hop, error) {
	p, _ := lookup[proxy](r)
	if p.hop == nil && p.env == nil {
		return nil, nil
	}
	if s, _ := lookup[unixSocket](r); s.path != "" {
		return nil, nil
	}
	list, ok := lookup[noProxy](r)
	if ok && list.match(u) {
		return nil, nil
	}
	if p.env != nil {
		return p.env.hopFor(u, !ok)
	}
	return p.hop, nil
}

// proxy is one of: none, a fixed one, what the environment says.
type proxy struct {
	hop  *hop
	env  *proxyEnvironment
	text string // the URL, masked
	err  error
}

func (s proxy) String() string {
	switch {
	case s.env != nil:
		return "environment"
	case s.text == "":
		return "none"
	}
	return s.text
}

func (s proxy) validate() error {
	if s.err != nil {
		return invalid("Proxy", s.text, "%v", s.err)
	}
	return nil
}

func (s proxy) supported(f *cgo.FeatureSet) error {
	if s.hop != nil && s.hop.scheme == "https" && !f.HTTPSProxy {
		return unsupported(f, "Proxy", s.text, "to be built with HTTPS proxies")
	}
	return nil
}

func (s proxy) encodeTarget(o *cgo.Options, r *RequestConfig, t target) {
	// Both are set always, or libcurl would look into the environment itself.
	o.String(cgo.OptNoProxy, "")
	if t.proxy == nil {
		o.String(cgo.OptProxy, "")
		return
	}
	o.String(cgo.OptProxy, t.proxy.scheme+"://"+t.proxy.host)
	c := r.proxyCredentials(t.proxy)
	if c.schemes&passwordSchemes != 0 {
		o.Long(cgo.OptProxyAuth, int64(c.schemes))
		o.String(cgo.OptProxyUsername, c.user)
		o.String(cgo.OptProxyPassword, c.password)
	}
	if r.tunnels(t.url) && r.otherTunnels(t) {
		ownConnection(o)
	}
	if t.proxy.scheme == "socks5" || t.proxy.scheme == "socks5h" {
		// Without this libcurl offers GSS-API too, which some servers choose and
		// then fail.
		o.Long(cgo.OptSOCKS5Auth, cgo.AuthBasic)
	}
}

func (r *RequestConfig) proxyCredentials(h *hop) credentials {
	if a, _ := lookup[proxyAuth](r); a.schemes != 0 {
		return a.credentials
	}
	return h.credentials
}

// otherTunnels reports whether the proxy is shown other credentials or headers than in
// the client's tunnels: libcurl does not look at either when it chooses a tunnel to use
// again.
func (r *RequestConfig) otherTunnels(t target) bool {
	if !strings.HasPrefix(t.proxy.scheme, "http") {
		return false
	}
	d := r.client.Defaults()
	var usual credentials
	if h, err := d.hopFor(t.url); err == nil && h != nil && h.scheme == t.proxy.scheme && h.host == t.proxy.host {
		usual = d.proxyCredentials(h)
	}
	mine, _ := lookup[proxyHeaders](r)
	theirs, _ := lookup[proxyHeaders](d)
	return r.proxyCredentials(t.proxy) != usual || !maps.EqualFunc(mine.h, theirs.h, slices.Equal)
}
