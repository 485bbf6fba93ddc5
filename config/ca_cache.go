package config

import (
	"time"

	"github.com/ratmom/ratmom/cgo"
)

// CACacheTimeout sets how long the content of a [CAFile] is kept in memory and used for
// new connections. With 0 it is read for each. The content of a [CADirectory] and of
// [CABytes] is never kept, nor is it where there is a [CRLFile].
//
// Unit: seconds, rounded up. Default: 24 hours. CURLOPT_CA_CACHE_TIMEOUT.
func CACacheTimeout(d time.Duration) Option { return both(caCacheTimeout(d)) }

type caCacheTimeout time.Duration

func (s caCacheTimeout) String() string { return time.Duration(s).String() }

func (s caCacheTimeout) validate() error {
	return checkTime("CACacheTimeout", time.Duration(s), maxCoarseTime)
}

func (s caCacheTimeout) supported(f *cgo.FeatureSet) error {
	// Old ones take it for any TLS library and then do nothing; 8.14 knows better.
	if !isOpenSSL(f) && (!f.CACache || !f.AtLeast(8, 14, 0)) {
		return unsupported(f, "CACacheTimeout", s, "a TLS library whose CA can be kept, such as OpenSSL")
	}
	return nil
}

func (s caCacheTimeout) encodeTLS(o *cgo.Options) {
	o.Long(cgo.OptCACacheTimeout, cgo.Seconds(time.Duration(s)))
}
