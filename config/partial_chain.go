package config

import "github.com/ratmom/ratmom/cgo"

// PartialChain lets a certificate in the CA that is not self-signed end a chain of
// certificates: an intermediate is trusted by itself. Without it every chain must end in
// a root. With a [CRLFile] it is off in any case.
//
// OpenSSL only; without it the CA is read for every connection. Default: true.
// CURLOPT_SSL_OPTIONS (CURLSSLOPT_NO_PARTIALCHAIN).
func PartialChain(on bool) Option { return both(partialChain(on)) }

type partialChain bool

func (partialChain) validate() error { return nil }

func (s partialChain) supported(f *cgo.FeatureSet) error {
	if !bool(s) && !isOpenSSL(f) {
		return unsupported(f, "PartialChain", bool(s), "OpenSSL")
	}
	return nil
}

func (s partialChain) encodeEnd(e tlsEnd) {
	if !s {
		e.long(optSSLOptions, cgo.SSLOptNoPartialChain)
	}
}

func (s partialChain) encodeTarget(o *cgo.Options, r *RequestConfig, t target) {
	if t.tls() {
		r.set.mendTLS(o)
	}
}
