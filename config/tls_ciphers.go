package config

import "github.com/ratmom/ratmom/cgo"

// TLSCiphers sets the cipher suites of TLS 1.2 and before, best first, in the words of
// the TLS library: for OpenSSL its cipher list, as in "ECDHE-RSA-AES128-GCM-SHA256" or
// "!SHA1"; for GnuTLS a priority string, whose parts may begin with + or -. An unknown
// name fails the request with an error of kind ErrTLS. No names are the library's.
//
// Default: the TLS library's. CURLOPT_SSL_CIPHER_LIST.
func TLSCiphers(names ...string) Option { return both(tlsCiphers{namesOf(names)}) }

type tlsCiphers struct{ tlsNames }

func (s tlsCiphers) validate() error { return s.tlsNames.check("TLSCiphers") }

func (s tlsCiphers) supported(f *cgo.FeatureSet) error {
	if len(s.tlsNames) > 0 && !f.TLS {
		return unsupported(f, "TLSCiphers", s, "to be built with TLS")
	}
	return nil
}

func (s tlsCiphers) encodeEnd(e tlsEnd) {
	if len(s.tlsNames) > 0 {
		e.string(optSSLCipherList, s.join())
	}
}

// TLS13Ciphers sets the cipher suites of TLS 1.3, best first, as in
// "TLS_AES_128_GCM_SHA256". An unknown name fails the request with an error of kind
// ErrTLS. No names are the library's.
//
// GnuTLS cannot, but with [TLSCiphers]. Default: the TLS library's.
// CURLOPT_TLS13_CIPHERS.
func TLS13Ciphers(names ...string) Option { return both(tls13Ciphers{namesOf(names)}) }

type tls13Ciphers struct{ tlsNames }

func (s tls13Ciphers) validate() error { return s.tlsNames.check("TLS13Ciphers") }

func (s tls13Ciphers) supported(f *cgo.FeatureSet) error {
	if len(s.tlsNames) > 0 && !f.TLS13Ciphers {
		return unsupported(f, "TLS13Ciphers", s, "a TLS library that lists these by themselves, such as OpenSSL")
	}
	return nil
}

func (s tls13Ciphers) encodeEnd(e tlsEnd) {
	if len(s.tlsNames) > 0 {
		e.string(optTLS13Ciphers, s.join())
	}
}
