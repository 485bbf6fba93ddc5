package config

import (
	"bytes"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
)

// credentialFormat is how certificates and keys are written, in libcurl's words; ""
// is PEM.
type credentialFormat string

const (
	formatDER    credentialFormat = "DER"
	formatPKCS12 credentialFormat = "P12"
)

var pemBegin = []byte("-----BEGIN ")

// certificateFormat tells in which format data holds a certificate. What is nothing
// else is taken for PEM, whose check says what is wrong with it.
func certificateFormat(data []byte) credentialFormat {
	switch {
	case bytes.Contains(data, pemBegin):
	case isPKCS12(data):
		return formatPKCS12
	case len(data) > 0 && checkCertificates(pemOf("CERTIFICATE", data)) == nil:
		return formatDER
	}
	return ""
}

// isPKCS12 looks for the outer form of a PFX (RFC 7292, section 4), in DER or with
// lengths left open as in BER.
func isPKCS12(data []byte) bool {
	if len(data) < 2 || data[0] != 0x30 {
		return false
	}
	head := 2
	if n := int(data[1] & 0x7f); data[1] > 0x80 {
		head += n
	}
	return len(data) > head+3 && bytes.HasPrefix(data[head:], []byte{2, 1, 3, 0x30})
}

// keyFormat tells in which format data holds a private key, and returns it as PEM.
func keyFormat(data []byte) (credentialFormat, []byte) {
	if bytes.Contains(data, pemBegin) {
		return "", data
	}
	for kind, parse := range keyParsers {
		if parse(data) == nil {
			return formatDER, pemOf(kind, data)
		}
	}
	return "", data
}

// keyParsers are for the kinds of keys that stand alone in DER.
var keyParsers = map[string]func([]byte) error{
	"PRIVATE KEY":     func(der []byte) error { _, err := x509.ParsePKCS8PrivateKey(der); return err },
	"RSA PRIVATE KEY": func(der []byte) error { _, err := x509.ParsePKCS1PrivateKey(der); return err },
	"EC PRIVATE KEY":  func(der []byte) error { _, err := x509.ParseECPrivateKey(der); return err },
	"ENCRYPTED PRIVATE KEY": func(der []byte) error { // RFC 5958, section 3
		var form struct {
			Algorithm pkix.AlgorithmIdentifier
			Data      []byte
		}
		rest, err := asn1.Unmarshal(der, &form)
		if err == nil && len(rest) > 0 {
			err = asn1.SyntaxError{Msg: "trailing data"}
		}
		return err
	},
}

func pemOf(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}
