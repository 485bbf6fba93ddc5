package config

import (
	"fmt"

	"github.com/ratmom/ratmom/cgo"
)

// IssuerCertificate takes the certificate of a server only if that in the PEM file at
// path has signed it itself, beside what the CA says. The file is looked at when the
// option is applied, and read by libcurl when it connects.
//
// "" is none. It fails with an error of kind ErrCertificateVerification. Default: none.
// CURLOPT_ISSUERCERT.
func IssuerCertificate(path string) Option { return both(issuerCertificate{file: path}) }

// IssuerCertificateBytes is [IssuerCertificate] with the content of the file. No bytes
// are none.
//
// GnuTLS cannot. Default: none. CURLOPT_ISSUERCERT_BLOB.
func IssuerCertificateBytes(pem []byte) Option {
	return both(issuerCertificate{pem: append([]byte(nil), pem...)})
}

type issuerCertificate struct {
	file string
	pem  []byte
}

func (s issuerCertificate) String() string {
	switch {
	case s.pem != nil:
		return fmt.Sprintf("%d bytes", len(s.pem))
	case s.file == "":
		return "none"
	}
	return s.file
}

func (s issuerCertificate) load() (setting, error) {
	switch {
	case s.pem != nil:
		if err := checkCertificates(s.pem); err != nil {
			return nil, invalid("IssuerCertificateBytes", s, "%v", err)
		}
	case s.file != "":
		if err := checkText("IssuerCertificate", s.file); err != nil {
			return nil, err
		}
		data, err := readFile(s.file)
		if err == nil {
			err = checkCertificates(data)
		}
		if err != nil {
			return nil, invalid("IssuerCertificate", s.file, "%v", err)
		}
	}
	return s, nil
}

func (issuerCertificate) validate() error { return nil }

func (s issuerCertificate) supported(f *cgo.FeatureSet) error {
	switch {
	case s.pem == nil && s.file == "" || isOpenSSL(f):
	case s.pem != nil:
		return unsupported(f, "IssuerCertificateBytes", s, "OpenSSL")
	case !f.Backend("GnuTLS"):
		return unsupported(f, "IssuerCertificate", s, "OpenSSL or GnuTLS")
	}
	return nil
}

func (s issuerCertificate) encodeEnd(e tlsEnd) {
	switch {
	case s.pem != nil:
		e.blob(optIssuerCertBlob, s.pem)
	case s.file != "":
		e.string(optIssuerCert, s.file)
	}
}
