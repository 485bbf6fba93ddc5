// Package trust is Go's TLS as the peers that use it set it up.
package trust

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
)

// Config trusts the authority in the file, and resumes sessions as libcurl does by
// default; nil if there is no file.
func Config(caFile string) (*tls.Config, error) {
	if caFile == "" {
		return nil, nil
	}
	pem, err := os.ReadFile(caFile)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s: no certificate", caFile)
	}
	return &tls.Config{RootCAs: pool, ClientSessionCache: tls.NewLRUClientSessionCache(0)}, nil
}
