package config

import "github.com/ratmom/ratmom/cgo"

// isOpenSSL reports whether the TLS library is OpenSSL or one of those made from it, for
// which libcurl has the same code.
func isOpenSSL(f *cgo.FeatureSet) bool {
	return f.Backend("OpenSSL", "LibreSSL", "BoringSSL", "AWS-LC", "quictls")
}
