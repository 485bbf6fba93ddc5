package config

import "github.com/ratmom/ratmom/cgo"

// OCSPStapling asks the server for a fresh proof that its certificate is not revoked
// (RFC 6961), and refuses it, with an error of kind ErrCertificateVerification, if there
// is none. Not every TLS library of libcurl can. A libcurl before 8.14.1, or with GnuTLS,
// misses the proof when it takes up an earlier TLS session, so that it does not then.
//
// Default: false. CURLOPT_SSL_VERIFYSTATUS.
func OCSPStapling(on bool) Option { return both(ocspStapling(on)) }

type ocspStapling bool

func (ocspStapling) validate() error { return nil }

func (s ocspStapling) supported(f *cgo.FeatureSet) error {
	if bool(s) && !f.OCSPStapling {
		return unsupported(f, "OCSPStapling", bool(s), "a TLS library that asks for it, such as OpenSSL and GnuTLS")
	}
	return nil
}

func (s ocspStapling) encodeTLS(o *cgo.Options) {
	if !s {
		return
	}
	o.Long(cgo.OptSSLVerifyStatus, 1)
	if f := cgo.Features(); f.Backend("GnuTLS") || !f.AtLeast(8, 14, 1) {
		o.Long(cgo.OptSSLSessionIDCache, 0)
	}
}
