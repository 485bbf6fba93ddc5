package config

import (
	"bytes"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"strings"
)

var (
	errNoCertificate = errors.New("holds no PEM certificate")
	errNoKey         = errors.New("holds no PEM private key")
	errEncryptedKey  = errors.New("holds an encrypted private key, and there is no ClientCertificatePassword")
)

// pemBlocks yields the PEM blocks of data; text between them is skipped.
func pemBlocks(data []byte) iter.Seq[*pem.Block] {
	return func(yield func(*pem.Block) bool) {
		for {
			b, rest := pem.Decode(data)
			if b == nil || !yield(b) {
				return
			}
			data = rest
		}
	}
}

// checkKey reports whether data is PEM with a private key, and whether the key is
// encrypted: then OpenSSL would ask for the password on the terminal, on the agent's
// goroutine.
func checkKey(data []byte) (encrypted bool, err error) {
	for b := range pemBlocks(data) {
		if !strings.HasSuffix(b.Type, "PRIVATE KEY") {
			continue
		}
		return b.Type == "ENCRYPTED PRIVATE KEY" || strings.Contains(b.Headers["Proc-Type"], "ENCRYPTED"), nil
	}
	return false, errNoKey
}

// checkCertificates reports whether data is PEM with certificates in it. Other
// blocks may stand among them. Only the form is looked at: systems carry old
// roots that Go's parser refuses and TLS libraries take.
func checkCertificates(data []byte) error {
	blocks, certificates := 0, 0
	for b := range pemBlocks(data) {
		blocks++
		if !strings.HasSuffix(b.Type, "CERTIFICATE") {
			continue
		}
		certificates++
		var form struct {
			Body, Algorithm asn1.RawValue
			Signature       asn1.BitString
		}
		rest, err := asn1.Unmarshal(b.Bytes, &form)
		// OpenSSL's "trusted" kind goes on after the certificate.
		if err == nil && len(rest) > 0 && b.Type != "TRUSTED CERTIFICATE" {
			err = errors.New("something follows it")
		}
		if err != nil {
			return fmt.Errorf("certificate %d: %w", certificates, err)
		}
	}
	switch {
	case certificates == 0:
		return errNoCertificate
	case bytes.Count(data, []byte("-----BEGIN ")) != blocks:
		return errors.New("holds a PEM block that is cut short or damaged")
	}
	return nil
}

// maxPEM bounds the files that are looked at, in bytes; libcurl takes no longer
// ones from memory either.
const maxPEM = 8_000_000

// readFile returns the content of a regular file of sensible size.
func readFile(path string) ([]byte, error) {
	if path == "" {
		return nil, errors.New("names no file")
	}
	// A pipe would be empty when libcurl opens it again.
	switch info, err := os.Stat(path); {
	case err != nil:
		return nil, err
	case info.IsDir():
		return nil, errors.New("is a directory")
	case !info.Mode().IsRegular():
		return nil, errors.New("is not a regular file")
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	data, err := io.ReadAll(io.LimitReader(f, maxPEM+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxPEM {
		return nil, fmt.Errorf("is longer than %d bytes", maxPEM)
	}
	return data, nil
}

// checkDirectory reports whether path is a directory that can be read.
func checkDirectory(path string) error {
	if path == "" {
		return errors.New("names no directory")
	}
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { _ = d.Close() }()
	if _, err := d.Readdirnames(1); err != nil && err != io.EOF {
		return err
	}
	return nil
}
