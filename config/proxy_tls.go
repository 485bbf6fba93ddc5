package config

import (
	"reflect"
	"strings"

	"github.com/ratmom/ratmom/cgo"
)

// ProxyTLS applies options of TLS to the connection with an https proxy: those for
// the CA, the client's certificate, its password, revocation lists, the issuer, pinned
// keys, versions, ciphers, TLS-SRP, PartialChain and the two Danger options. Any
// other is an error. Several ProxyTLS add up, and of two for the same thing the last
// counts.
//
// Without it the proxy's certificate is verified with the CA and the versions of the
// servers' ([CAFile], [TLSMinVersion]); nothing else of theirs holds for a proxy.
//
// Default: none. The CURLOPT_PROXY_ twins of the options' own.
func ProxyTLS(opts ...Option) Option {
	var s proxyTLS
	for _, o := range opts {
		if o, ok := o.(option); ok {
			s.given = append(s.given, o.s)
		}
	}
	return both(s)
}

type proxyTLS struct {
	given []setting // until they are loaded
	set   settings
}

func (s proxyTLS) String() string { return append(settings(s.given), s.set...).String() }

func (s proxyTLS) load() (setting, error) {
	var n proxyTLS
	for _, x := range s.given {
		if _, ok := x.(tlsEndEncoder); !ok {
			name, _, _ := strings.Cut(describe(x), "{")
			return nil, invalid("ProxyTLS", name, "is not an option of TLS with a proxy")
		}
		if err := n.set.put(x); err != nil {
			return nil, err
		}
	}
	return n, nil
}

func (s proxyTLS) after(prev setting) setting {
	sum := append(settings{}, prev.(proxyTLS).set...)
	for _, x := range s.set {
		sum.place(x)
	}
	return proxyTLS{set: sum}
}

// validate leaves the parts of a sum to check.
func (proxyTLS) validate() error { return nil }

// check looks at the parts, and at the versions together with those of the servers.
func (s proxyTLS) check(all settings) error {
	if err := s.set.check(cgo.Features()); err != nil {
		return err
	}
	v, _ := s.versions(all)
	return v.validate()
}

// versions are those of the servers' but for what is set for the proxy.
func (s proxyTLS) versions(all settings) (v tlsVersions, own bool) {
	outer, _ := find[tlsVersions](all)
	if v, own = find[tlsVersions](s.set); !own {
		return outer, false
	}
	return v.after(outer).(tlsVersions), true
}

func (s proxyTLS) supported(f *cgo.FeatureSet) error {
	if len(s.set)+len(s.given) > 0 && !f.HTTPSProxy {
		return unsupported(f, "ProxyTLS", s, "to be built with HTTPS proxies")
	}
	return nil
}

func (s proxyTLS) encodeTLS(o *cgo.Options) {
	if _, ok := find[trust](s.set); ok && takesCABlob(cgo.Features()) {
		o.Null(cgo.OptProxyCAInfoBlob) // that of the servers may be set, and would win
	}
	for _, x := range s.set {
		x.(tlsEndEncoder).encodeEnd(tlsEnd{o, true})
	}
}

func (s proxyTLS) apart(settings) (place, string) { return overTLS, s.set.apart()[overTLS] }

func (s proxyTLS) encodeTarget(o *cgo.Options, r *RequestConfig, t target) {
	if t.proxy == nil || t.proxy.scheme != "https" {
		return
	}
	if v, own := s.versions(r.set); own {
		v.encodeEnd(tlsEnd{o, true})
	}
	s.set.mendTLS(o)
	// 7.88.1 does not compare what it has for proxies when it looks for a connection
	// for an http URL.
	if t.url.Scheme != "http" || cgo.Features().AtLeast(8, 14, 1) {
		return
	}
	if of, _ := lookupClient[proxyTLS](r.client); !reflect.DeepEqual(of.set, s.set) {
		ownConnection(o)
	}
}
