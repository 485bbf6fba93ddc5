package config

import (
	"crypto/tls"
	"fmt"

	"github.com/ratmom/ratmom/cgo"
)

// ClientCertificate authenticates the client to servers that ask for it, with the
// certificate, followed by those of its issuers, and the private key in two PEM
// files; keyFile "" says that both are in certFile. The files are looked at when
// the option is applied, and read by libcurl when it connects. A key must not be
// encrypted. Proxies are not given it.
//
// ClientCertificate("", "") switches off what the client has.
//
// Default: none. CURLOPT_SSLCERT, CURLOPT_SSLKEY.
func ClientCertificate(certFile, keyFile string) Option {
	if keyFile == "" {
		keyFile = certFile
	}
	return both(clientCertificate{certFile: certFile, keyFile: keyFile})
}

// ClientCertificateBytes is [ClientCertificate] with the content of the files. No
// bytes in key say that both are in cert.
//
// GnuTLS cannot. CURLOPT_SSLCERT_BLOB, CURLOPT_SSLKEY_BLOB.
func ClientCertificateBytes(cert, key []byte) Option {
	if len(key) == 0 {
		key = cert
	}
	return both(clientCertificate{
		cert: append([]byte{}, cert...),
		key:  append([]byte{}, key...),
	})
}

type clientCertificate struct {
	certFile, keyFile string
	cert, key         []byte
}

func (s clientCertificate) String() string {
	switch {
	case s.cert != nil:
		return fmt.Sprintf("%d bytes", len(s.cert))
	case s.certFile == "" && s.keyFile == "":
		return "none"
	}
	return s.certFile + ", " + s.keyFile
}

func (s clientCertificate) validate() error {
	option, cert, key := "ClientCertificateBytes", s.cert, s.key
	if s.cert == nil {
		option = "ClientCertificate"
		if s.certFile == "" && s.keyFile == "" {
			return nil
		}
		for _, f := range []struct {
			name string
			into *[]byte
		}{{s.certFile, &cert}, {s.keyFile, &key}} {
			if err := checkText(option, f.name); err != nil {
				return err
			}
			data, err := readFile(f.name)
			if err != nil {
				return invalid(option, f.name, "%v", err)
			}
			*f.into = data
		}
	}
	if err := checkCertificates(cert); err != nil {
		return invalid(option, s, "the certificate: %v", err)
	}
	if err := checkKey(key); err != nil {
		return invalid(option, s, "the key: %v", err)
	}
	// That the two belong together.
	if _, err := tls.X509KeyPair(cert, key); err != nil {
		return invalid(option, s, "%v", err)
	}
	return nil
}

func (s clientCertificate) supported(f *cgo.FeatureSet) error {
	switch {
	case s.cert == nil && s.certFile == "":
	case !f.TLS:
		return unsupported(f, "ClientCertificate", s, "to be built with TLS")
	case s.cert != nil && !takesCertificateBlob(f):
		return unsupported(f, "ClientCertificateBytes", s, "a TLS library other than "+f.SSLBackend+"; ClientCertificate works with all")
	}
	return nil
}

// takesCertificateBlob tells it from the TLS library: libcurl takes the option and
// then ignores it.
func takesCertificateBlob(f *cgo.FeatureSet) bool {
	switch {
	case f.Backend("GnuTLS", "NSS", "Rustls", "rustls-ffi", "BearSSL"):
		return false
	case f.Backend("wolfSSL"):
		return f.AtLeast(8, 8, 0)
	}
	return true
}

func (s clientCertificate) encodeTLS(o *cgo.Options) {
	switch {
	case s.cert != nil:
		o.Blob(cgo.OptSSLCertBlob, s.cert)
		o.Blob(cgo.OptSSLKeyBlob, s.key)
	case s.certFile != "":
		o.String(cgo.OptSSLCert, s.certFile)
		o.String(cgo.OptSSLKey, s.keyFile)
	}
}
