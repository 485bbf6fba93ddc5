package config

import "github.com/ratmom/ratmom/cgo"

// mendTLS keeps libcurl from using again what was made under other settings, where it
// does not compare them.
func (s settings) mendTLS(o *cgo.Options) {
	// A CA that is kept is kept with this flag, or without it.
	if partial, ok := find[partialChain](s); ok && !bool(partial) {
		o.Long(cgo.OptCACacheTimeout, 0)
	}
	// A TLS session stands for the certificate it was made with, and 8.14.1 knows one in
	// memory by its content only where the server is verified.
	danger, _ := find[dangerAcceptInvalidCertificates](s)
	if c, _ := find[clientCertificate](s); bool(danger) && c.cert != nil {
		o.Long(cgo.OptSSLSessionIDCache, 0)
	}
}
