package certs

import (
	"bytes"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"time"

	"golang.org/x/crypto/ocsp"

	"github.com/ratmom/ratmom/internal/wholefile"
)

// maxFile is the most that a file may have.
const maxFile = 1 << 20

// Files are where one certificate is.
type Files struct {
	// Cert has the certificate and those that lead to its authority, Key the private key,
	// both as PEM. They may be one file.
	Cert, Key string
	// OCSP has the answer of the certificate's authority about its revocation (DER), as
	// "openssl ocsp -respout" writes it. It goes to clients that ask for it, until its
	// time is over. "" is none.
	OCSP string
}

// contents are the bytes of Files.
type contents struct{ cert, key, ocsp []byte }

func (f Files) read() (c contents, err error) {
	if c.cert, err = readFile(f.Cert); err != nil {
		return c, err
	}
	if c.key, err = readFile(f.Key); err != nil {
		return c, err
	}
	if f.OCSP == "" {
		return c, nil
	}
	c.ocsp, err = wholefile.Read(f.OCSP, maxFile)
	return c, err // one that is not there yet is none
}

func readFile(path string) ([]byte, error) {
	b, err := wholefile.Read(path, maxFile)
	if err == nil && len(b) == 0 {
		err = fmt.Errorf("%s is not there, or empty", path)
	}
	return b, err
}

// sum tells contents apart without keeping a second copy of a key.
type sum [2][sha256.Size]byte

func (c contents) sum() sum {
	pair := sha256.New()
	for _, b := range [][]byte{c.cert, c.key} {
		one := sha256.Sum256(b)
		pair.Write(one[:])
	}
	return sum{[sha256.Size]byte(pair.Sum(nil)), sha256.Sum256(c.ocsp)}
}

// pair is a certificate that can be served.
type pair struct {
	bare, stapled *tls.Certificate // stapled is nil without an answer of the authority
	until         time.Time        // of the answer; zero is for ever
	loaded        time.Time
}

func parsePair(c contents) (*pair, error) {
	cert, err := tls.X509KeyPair(c.cert, c.key)
	if err != nil {
		return nil, err // it says nothing of the key's content
	}
	if cert.Leaf == nil {
		if cert.Leaf, err = x509.ParseCertificate(cert.Certificate[0]); err != nil {
			return nil, err
		}
	}
	return &pair{bare: &cert, loaded: time.Now()}, nil
}

// validAt says why a certificate must not be served at a time.
func (p *pair) validAt(now time.Time) error {
	switch leaf := p.bare.Leaf; {
	case now.Before(leaf.NotBefore):
		return fmt.Errorf("the certificate begins at %s", leaf.NotBefore.Format(time.RFC3339))
	case now.After(leaf.NotAfter):
		return fmt.Errorf("the certificate ended at %s", leaf.NotAfter.Format(time.RFC3339))
	}
	return nil
}

// staple adds an answer of the authority.
func (p *pair) staple(der []byte, now time.Time) error {
	var issuer *x509.Certificate
	if chain := p.bare.Certificate; len(chain) > 1 {
		// Without the issuer the signature stays unchecked; clients check it.
		issuer, _ = x509.ParseCertificate(chain[1])
	}
	answer, err := ocsp.ParseResponseForCert(der, p.bare.Leaf, issuer)
	switch {
	case err != nil:
		return fmt.Errorf("OCSP: %w", err)
	case answer.Status != ocsp.Good:
		return errors.New("OCSP: the certificate is revoked, or not known to its authority")
	case !answer.NextUpdate.IsZero() && now.After(answer.NextUpdate):
		return fmt.Errorf("OCSP: the answer ended at %s", answer.NextUpdate.Format(time.RFC3339))
	}
	stapled := *p.bare
	stapled.OCSPStaple = bytes.Clone(der)
	p.stapled, p.until = &stapled, answer.NextUpdate
	return nil
}

// at is what to serve at a time.
func (p *pair) at(now time.Time) *tls.Certificate {
	if p.stapled != nil && (p.until.IsZero() || now.Before(p.until)) {
		return p.stapled
	}
	return p.bare
}
