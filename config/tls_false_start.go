package config

import "github.com/ratmom/ratmom/cgo"

// TLSFalseStart sends the request before the server has ended the handshake (RFC 7918).
//
// Hardly any TLS library can: OpenSSL and GnuTLS cannot. Default: false.
// CURLOPT_SSL_FALSESTART.
func TLSFalseStart(on bool) Option { return both(tlsFalseStart(on)) }

type tlsFalseStart bool

func (tlsFalseStart) validate() error { return nil }

func (s tlsFalseStart) supported(f *cgo.FeatureSet) error {
	if bool(s) && !f.FalseStart {
		return unsupported(f, "TLSFalseStart", bool(s), "a TLS library with false start")
	}
	return nil
}

func (s tlsFalseStart) encodeTLS(o *cgo.Options) {
	if s {
		o.Long(cgo.OptSSLFalseStart, 1)
	}
}

func (s tlsFalseStart) apart(settings) (place, string) { return overTLS, unless(!bool(s), "on") }
