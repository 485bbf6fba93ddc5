package config

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"strings"

	"github.com/ratmom/ratmom/cgo"
)

// PinnedPublicKey takes a server only if its certificate has one of these public keys,
// beside what the CA says. A key is given as "sha256//" and the base64 of the SHA-256
// of its SubjectPublicKeyInfo (RFC 7469), or as the path of a file with the key or a
// certificate, in PEM or DER, which is read when the option is applied.
//
// A server with another key fails with an error of kind ErrCertificateVerification. None
// switches it off. Default: none. CURLOPT_PINNEDPUBLICKEY.
func PinnedPublicKey(keys ...string) Option {
	return both(pinnedPublicKey{given: append([]string(nil), keys...)})
}

type pinnedPublicKey struct {
	given []string
	pins  string // as libcurl takes them
}

func (s pinnedPublicKey) String() string {
	if len(s.given) == 0 {
		return "none"
	}
	return strings.Join(s.given, ";")
}

const pinPrefix = "sha256//"

func (s pinnedPublicKey) load() (setting, error) {
	pins := make([]string, 0, len(s.given))
	for _, key := range s.given {
		pin, err := pinOf(key)
		if err != nil {
			return nil, invalid("PinnedPublicKey", key, "%v", err)
		}
		pins = append(pins, pin)
	}
	s.pins = strings.Join(pins, ";")
	return s, nil
}

func (pinnedPublicKey) validate() error { return nil }

func pinOf(key string) (string, error) {
	if bad := badByte(key); bad != "" {
		return "", errors.New(bad)
	}
	if sum, ok := strings.CutPrefix(key, pinPrefix); ok {
		if b, err := base64.StdEncoding.Strict().DecodeString(sum); err != nil || len(b) != sha256.Size {
			return "", errors.New("is not sha256// and the base64 of 32 bytes")
		}
		return key, nil
	}
	data, err := readFile(key)
	if err != nil {
		return "", err
	}
	info, err := publicKeyInfo(data)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(info)
	return pinPrefix + base64.StdEncoding.EncodeToString(sum[:]), nil
}

// publicKeyInfo returns the SubjectPublicKeyInfo of a public key or of the first
// certificate.
func publicKeyInfo(data []byte) ([]byte, error) {
	kind := ""
	if bytes.Contains(data, pemBegin) {
		var found *pem.Block
		for b := range pemBlocks(data) {
			if b.Type == "PUBLIC KEY" || b.Type == "CERTIFICATE" {
				found = b
				break
			}
		}
		if found == nil {
			return nil, errors.New("holds neither a public key nor a certificate")
		}
		kind, data = found.Type, found.Bytes
	}
	if kind != "CERTIFICATE" {
		if _, err := x509.ParsePKIXPublicKey(data); err == nil {
			return data, nil
		} else if kind != "" {
			return nil, err
		}
	}
	c, err := x509.ParseCertificate(data)
	if err != nil {
		return nil, errors.New("holds neither a public key nor a certificate")
	}
	return c.RawSubjectPublicKeyInfo, nil
}

func (s pinnedPublicKey) supported(f *cgo.FeatureSet) error {
	if len(s.given) > 0 && !f.PinnedPublicKey {
		return unsupported(f, "PinnedPublicKey", s, "a TLS library that can compare keys")
	}
	return nil
}

func (s pinnedPublicKey) encodeEnd(e tlsEnd) {
	if s.pins != "" {
		e.string(optPinnedPublicKey, s.pins)
	}
}
