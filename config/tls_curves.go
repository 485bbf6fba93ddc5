package config

import "github.com/ratmom/ratmom/cgo"

// TLSCurves sets the groups of the key exchange, best first, as in "X25519" and "P-256".
// An unknown name fails the request with an error of kind ErrTLS. No names are the
// library's.
//
// OpenSSL and wolfSSL only. Default: the TLS library's. CURLOPT_SSL_EC_CURVES.
func TLSCurves(names ...string) Option { return both(tlsCurves{namesOf(names)}) }

type tlsCurves struct{ tlsNames }

func (s tlsCurves) validate() error { return s.tlsNames.check("TLSCurves") }

// supported tells it from the TLS library: libcurl takes the option and then ignores
// it.
func (s tlsCurves) supported(f *cgo.FeatureSet) error {
	if len(s.tlsNames) > 0 && !isOpenSSL(f) && !f.Backend("wolfSSL") {
		return unsupported(f, "TLSCurves", s, "OpenSSL or wolfSSL")
	}
	return nil
}

func (s tlsCurves) encodeTLS(o *cgo.Options) {
	if len(s.tlsNames) > 0 {
		o.String(cgo.OptSSLECCurves, s.join())
	}
}
