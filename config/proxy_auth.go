package config

import "github.com/ratmom/ratmom/cgo"

// ProxyBasicAuth gives the proxy user and password, in place of those in the
// proxy's URL.
//
// Here and with the other Proxy...Auth options: the last of them counts. They
// apply to whichever proxy is used; SOCKS proxies know one way only and get name
// and password, SOCKS4 the name alone. CURLOPT_PROXYAUTH, CURLOPT_PROXYUSERNAME,
// CURLOPT_PROXYPASSWORD.
func ProxyBasicAuth(user, password string) Option { return withProxyAuth(AuthBasic, user, password) }

// ProxyDigestAuth answers the proxy's challenge by a digest of the password (RFC
// 7616).
func ProxyDigestAuth(user, password string) Option { return withProxyAuth(AuthDigest, user, password) }

// ProxyNTLMAuth authenticates the connection to the proxy by NTLM. It needs a
// libcurl with NTLM; else it is ErrUnsupported. CURLAUTH_NTLM.
func ProxyNTLMAuth(user, password string) Option { return withProxyAuth(AuthNTLM, user, password) }

// ProxyAnyAuth asks the proxy which way it wants and takes the safest of Digest,
// NTLM and Basic, as far as libcurl has them. A request body that goes through
// the proxy without a tunnel must be in memory or have a GetBody: see [AnyAuth].
func ProxyAnyAuth(user, password string) Option { return withProxyAuth(anyAuth(), user, password) }

// ProxyAnySafeAuth is [ProxyAnyAuth] without Basic: no proxy is given the password
// itself, but for SOCKS5 proxies, which know no other way.
func ProxyAnySafeAuth(user, password string) Option {
	return withProxyAuth(anySafeAuth(), user, password)
}

// NoProxyAuth switches off what the client has of the other Proxy...Auth options;
// what is in the proxy's URL counts again.
func NoProxyAuth() Option { return both(proxyAuth{}) }

func withProxyAuth(a AuthScheme, user, password string) Option {
	return both(proxyAuth{credentials{a, user, password}})
}

// ProxyAuth returns the schemes to try, 0 for none, with user name and password.
// It knows the options alone, not what is in a proxy's URL.
func (r *RequestConfig) ProxyAuth() (schemes AuthScheme, user, password string) {
	s, _ := lookup[proxyAuth](r)
	return s.schemes, s.user, s.password
}

type proxyAuth struct{ credentials }

func (s proxyAuth) validate() error { return s.credentials.validate("Proxy") }

func (s proxyAuth) apart(all settings) (place, string) {
	return toProxy, all.proxyNegotiation().apart()
}

func (s proxyAuth) supported(f *cgo.FeatureSet) error {
	return s.credentials.supported(f, "Proxy")
}
