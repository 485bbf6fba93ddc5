package handler

import (
	"crypto/x509"
	"encoding/pem"
)

// peerCertificates parses the certificates of a server. One that Go's parser refuses,
// which the TLS library has not, has its Raw alone.
func peerCertificates(text []byte) []*x509.Certificate {
	var list []*x509.Certificate
	for {
		b, rest := pem.Decode(text)
		if b == nil {
			return list
		}
		text = rest
		c, err := x509.ParseCertificate(b.Bytes)
		if err != nil {
			c = &x509.Certificate{Raw: b.Bytes}
		}
		list = append(list, c)
	}
}
