package config

import (
	"crypto/tls"
	"errors"
	"fmt"

	"github.com/ratmom/ratmom/cgo"
)

// ClientCertificate authenticates the client to servers that ask for it, with the
// certificate and the private key in two files; keyFile "" says that both are in
// certFile. A PEM file can have the certificates of the issuers behind the
// certificate; a DER file has one certificate or one key; a PKCS#12 file has the
// key, too. The format is told from the content. A password is given by
// [ClientCertificatePassword]. The files are looked at when the option is applied, and
// read by libcurl when it connects. Proxies are not given it, but see [ProxyTLS].
//
// ClientCertificate("", "") switches off what the client has.
//
// Default: none. CURLOPT_SSLCERT, CURLOPT_SSLKEY, CURLOPT_SSLCERTTYPE,
// CURLOPT_SSLKEYTYPE.
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
	// What has been found in them.
	certFormat, keyFormat credentialFormat
	encrypted             bool
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

func (s clientCertificate) option() string {
	if s.cert != nil {
		return "ClientCertificateBytes"
	}
	return "ClientCertificate"
}

func (s clientCertificate) load() (setting, error) {
	cert, key := s.cert, s.key
	if s.cert == nil {
		if s.certFile == "" && s.keyFile == "" {
			return s, nil
		}
		for _, f := range []struct {
			name string
			into *[]byte
		}{{s.certFile, &cert}, {s.keyFile, &key}} {
			if err := checkText(s.option(), f.name); err != nil {
				return nil, err
			}
			data, err := readFile(f.name)
			if err != nil {
				return nil, invalid(s.option(), f.name, "%v", err)
			}
			*f.into = data
		}
	}
	n, err := s.inspect(cert, key)
	if err != nil {
		return nil, invalid(s.option(), s, "%v", err)
	}
	return n, nil
}

// inspect looks at the formats, and whether certificate and key belong together.
func (s clientCertificate) inspect(cert, key []byte) (clientCertificate, error) {
	s.certFormat = certificateFormat(cert)
	if s.certFormat == formatPKCS12 {
		if s.keyFile != s.certFile || string(key) != string(cert) {
			return s, errors.New("a PKCS#12 file has the key in it: give no other")
		}
		return s, nil
	}
	if s.certFormat == formatDER {
		cert = pemOf("CERTIFICATE", cert)
	}
	if err := checkCertificates(cert); err != nil {
		return s, fmt.Errorf("the certificate: %w", err)
	}
	var err error
	s.keyFormat, key = keyFormat(key)
	if s.encrypted, err = checkKey(key); err != nil {
		return s, fmt.Errorf("the key: %w", err)
	}
	if s.encrypted && s.keyFormat == formatDER && s.cert == nil {
		return s, errors.New("the key: TLS libraries decrypt PEM alone, not DER")
	}
	if s.cert != nil { // in memory, PEM is all there is
		s.cert, s.key, s.certFormat, s.keyFormat = cert, key, "", ""
	}
	if s.encrypted {
		return s, nil
	}
	_, err = tls.X509KeyPair(cert, key)
	return s, err
}

func (clientCertificate) validate() error { return nil }

func (s clientCertificate) check(all settings) error {
	if p, _ := find[clientCertificatePassword](all); s.encrypted && p == "" {
		return invalid(s.option(), s, "the key: %v", errEncryptedKey)
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
	case s.certFormat != s.keyFormat && s.certFormat != formatPKCS12 && f.Backend("GnuTLS"):
		return unsupported(f, "ClientCertificate", s, "a TLS library other than "+f.SSLBackend+", or certificate and key in one format")
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

func (s clientCertificate) encodeEnd(e tlsEnd) {
	pkcs12 := s.certFormat == formatPKCS12
	switch {
	case s.cert != nil:
		e.blob(optSSLCertBlob, s.cert)
		if !pkcs12 {
			e.blob(optSSLKeyBlob, s.key)
		}
	case s.certFile != "":
		e.string(optSSLCert, s.certFile)
		if !pkcs12 {
			e.string(optSSLKey, s.keyFile)
		}
	}
	if s.certFormat != "" {
		e.string(optSSLCertType, string(s.certFormat))
	}
	if s.keyFormat != "" {
		e.string(optSSLKeyType, string(s.keyFormat))
	}
}

func (s clientCertificate) encodeTarget(o *cgo.Options, r *RequestConfig, t target) {
	if t.tls() {
		r.set.mendTLS(o)
	}
}
