package config

import "github.com/ratmom/ratmom/cgo"

// TLSSignatureAlgorithms sets the algorithms that servers may sign with, best first, as
// in "ECDSA+SHA256" and "rsa_pss_rsae_sha256". An unknown name fails the request with an
// error of kind ErrTLS. No names are the library's.
//
// No TLS session is taken up, for nothing is signed then. It needs libcurl 8.14 with
// OpenSSL. Default: the TLS library's.
// CURLOPT_SSL_SIGNATURE_ALGORITHMS.
func TLSSignatureAlgorithms(names ...string) Option {
	return both(tlsSignatureAlgorithms{namesOf(names)})
}

type tlsSignatureAlgorithms struct{ tlsNames }

func (s tlsSignatureAlgorithms) validate() error {
	return s.tlsNames.check("TLSSignatureAlgorithms")
}

func (s tlsSignatureAlgorithms) supported(f *cgo.FeatureSet) error {
	if len(s.tlsNames) > 0 && !f.SignatureAlgorithms {
		return unsupported(f, "TLSSignatureAlgorithms", s, "libcurl 8.14 with OpenSSL")
	}
	return nil
}

func (s tlsSignatureAlgorithms) encodeTLS(o *cgo.Options) {
	if len(s.tlsNames) > 0 {
		o.String(cgo.OptSSLSignatureAlgorithms, s.join())
		// 8.14.1 does not compare the algorithms when it looks for a session.
		o.Long(cgo.OptSSLSessionIDCache, 0)
	}
}
