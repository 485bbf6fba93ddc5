package config

import (
	"strings"

	"github.com/ratmom/ratmom/cgo"
)

// PreProxy makes the connections to an HTTP or HTTPS proxy through the SOCKS proxy
// at rawURL. Requests that go to no proxy do not go there either; a [Proxy] that is
// itself a SOCKS proxy cannot have one. "" is none.
//
// Schemes: socks4, socks4a, socks5 and socks5h; those ending in a and h leave the
// resolution of the proxy's name to it. Without a port it is 1080. The URL may have
// no user name and password: libcurl would show them to the HTTP proxy, too.
//
// Default: none. CURLOPT_PRE_PROXY.
func PreProxy(rawURL string) Option {
	if rawURL == "" {
		return both(preProxy{})
	}
	h, err := parseProxy(rawURL)
	return both(preProxy{hop: h, text: maskProxy(rawURL), err: err})
}

type preProxy struct {
	hop  *hop
	text string // the URL, masked
	err  error
}

func (s preProxy) String() string {
	if s.text == "" {
		return "none"
	}
	return s.text
}

func (s preProxy) validate() error {
	switch {
	case s.err != nil:
		return invalid("PreProxy", s.text, "%v", s.err)
	case s.hop == nil:
		return nil
	case !s.hop.socks():
		return invalid("PreProxy", s.text, "scheme %q is none of socks4, socks4a, socks5, socks5h", s.hop.scheme)
	case s.hop.schemes != 0:
		return invalid("PreProxy", s.text, "has a user name, which libcurl would show to the HTTP proxy, too")
	}
	return nil
}

// check refuses two SOCKS proxies in a row.
func (s preProxy) check(next *hop) error {
	if s.hop != nil && next != nil && next.socks() {
		return invalid("PreProxy", s.text, "the proxy behind it is a SOCKS proxy, too: %s://%s", next.scheme, next.host)
	}
	return nil
}

func (s preProxy) encodeTarget(o *cgo.Options, _ *RequestConfig, t target) {
	if s.hop == nil || t.proxy == nil {
		return
	}
	o.String(cgo.OptPreProxy, s.hop.scheme+"://"+s.hop.host)
	if strings.HasPrefix(s.hop.scheme, "socks5") {
		o.Long(cgo.OptSOCKS5Auth, cgo.AuthBasic) // as in proxy.encodeTarget
	}
}
