package config

import "github.com/ratmom/ratmom/cgo"

// ALPN tells servers in the TLS handshake which versions of HTTP are spoken (RFC 7301).
// Without it, it is HTTP/1.1 that is spoken. A request that has it off and whose client
// has it on, or the other way round, has a connection of its own.
//
// Default: true. CURLOPT_SSL_ENABLE_ALPN.
func ALPN(on bool) Option { return both(alpn(on)) }

type alpn bool

func (alpn) validate() error { return nil }

func (s alpn) encodeTLS(o *cgo.Options) {
	if !s {
		o.Long(cgo.OptSSLEnableALPN, 0)
	}
}

func (s alpn) apart(settings) (place, string) { return overTLS, unless(bool(s), "off") }
