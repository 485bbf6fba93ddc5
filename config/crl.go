package config

import (
	"encoding/asn1"
	"errors"
	"fmt"

	"github.com/ratmom/ratmom/cgo"
)

// CRLFile refuses servers whose certificate is on a list of revoked ones, in a PEM file
// with the lists of all authorities of the chain: with OpenSSL a certificate whose
// authority has no list there, or one that is over, is refused too. The file is looked
// at when the option is applied, and read, with the CA's, for every connection; what
// is changed in it holds for connections made from then on.
//
// "" is none. Default: none. CURLOPT_CRLFILE.
func CRLFile(path string) Option { return both(crlFile(path)) }

type crlFile string

func (s crlFile) validate() error {
	if s == "" {
		return nil
	}
	if err := checkText("CRLFile", string(s)); err != nil {
		return err
	}
	return nil
}

func (s crlFile) load() (setting, error) {
	if s == "" || badByte(string(s)) != "" {
		return s, nil
	}
	data, err := readFile(string(s))
	if err == nil {
		err = checkRevocationLists(data)
	}
	if err != nil {
		return nil, invalid("CRLFile", string(s), "%v", err)
	}
	return s, nil
}

// checkRevocationLists reports whether data is PEM with lists in it. Only the form is
// looked at.
func checkRevocationLists(data []byte) error {
	lists := 0
	for b := range pemBlocks(data) {
		if b.Type != "X509 CRL" {
			continue
		}
		lists++
		var form struct {
			Body, Algorithm asn1.RawValue
			Signature       asn1.BitString
		}
		rest, err := asn1.Unmarshal(b.Bytes, &form)
		if err == nil && len(rest) > 0 {
			err = errors.New("something follows it")
		}
		if err != nil {
			return fmt.Errorf("list %d: %w", lists, err)
		}
	}
	if lists == 0 {
		return errors.New("holds no PEM revocation list (X509 CRL)")
	}
	return nil
}

func (s crlFile) supported(f *cgo.FeatureSet) error {
	if s != "" && !isOpenSSL(f) && !f.Backend("GnuTLS", "mbedTLS") {
		return unsupported(f, "CRLFile", string(s), "a TLS library that takes such lists, such as OpenSSL and GnuTLS")
	}
	return nil
}

func (s crlFile) encodeEnd(e tlsEnd) {
	if s != "" {
		e.string(optCRLFile, string(s))
	}
}
