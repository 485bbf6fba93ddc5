package config

import "github.com/ratmom/ratmom/cgo"

// CertificateChain tells the certificates of the server, as it sent them: in
// Response.TLS.PeerCertificates, and in the PeerCertificates of an Error about them. Of
// a server that is not trusted at all OpenSSL keeps none. No TLS session is taken up, for
// the server sends no certificates then. A request with it whose client is without has
// a new connection.
//
// Default: false. CURLOPT_CERTINFO.
func CertificateChain(on bool) Option { return both(certificateChain(on)) }

// CertificateChain returns the value of the option of that name.
func (r *RequestConfig) CertificateChain() bool {
	s, _ := lookup[certificateChain](r)
	return bool(s)
}

type certificateChain bool

func (certificateChain) validate() error { return nil }

func (s certificateChain) supported(f *cgo.FeatureSet) error {
	if bool(s) && !f.CertInfo {
		return unsupported(f, "CertificateChain", bool(s), "a TLS library that tells the certificates")
	}
	return nil
}

func (s certificateChain) encodeTLS(o *cgo.Options) {
	if s {
		o.Long(cgo.OptCertInfo, 1)
		o.Long(cgo.OptSSLSessionIDCache, 0)
	}
}

func (s certificateChain) encodeTarget(o *cgo.Options, r *RequestConfig, t target) {
	if of, _ := lookupClient[certificateChain](r.client); bool(s) && !bool(of) && t.url.Scheme == "https" {
		o.Long(cgo.OptFreshConnect, 1)
	}
}
