package config

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// PEM files for the tests: a CA, and two certificates with their keys.
var files struct {
	dir                      string
	ca, cert, key, both      string
	otherKey, encryptedKey   string
	caPEM, certPEM, keyPEM   []byte
	otherKeyPEM, damagedPEM  []byte
	notPEM, empty, directory string
	netrc, otherNetrc        string

	certDER, keyDER, pkcs12, crl, encryptedDER string
	pkcs12Bytes                                []byte
}

func TestMain(m *testing.M) {
	// The machine's own proxies must not change what the tests see.
	for _, v := range []string{"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "all_proxy", "no_proxy", "SSL_CERT_FILE", "SSL_CERT_DIR"} {
		_ = os.Unsetenv(v)
	}
	dir, err := os.MkdirTemp("", "config")
	if err == nil {
		err = makeFiles(dir)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		_ = os.RemoveAll(dir)
		os.Exit(code)
	}))
}

func makeFiles(dir string) error {
	f := &files
	f.dir, f.directory = dir, dir
	var err error
	if f.certPEM, f.keyPEM, err = newCertificate("client"); err != nil {
		return err
	}
	if f.caPEM, f.otherKeyPEM, err = newCertificate("ca"); err != nil {
		return err
	}
	f.damagedPEM = f.caPEM[:len(f.caPEM)-40]
	encrypted := pem.EncodeToMemory(&pem.Block{Type: "ENCRYPTED PRIVATE KEY", Bytes: []byte{0x30, 0}})
	certBlock, _ := pem.Decode(f.certPEM)
	keyBlock, _ := pem.Decode(f.keyPEM)
	list, err := newRevocationList()
	if err != nil {
		return err
	}
	// The outer form alone.
	f.pkcs12Bytes = []byte{0x30, 0x82, 0, 5, 2, 1, 3, 0x30, 0}
	for _, w := range []struct {
		path *string
		name string
		data []byte
	}{
		{&f.ca, "ca.pem", f.caPEM},
		{&f.cert, "cert.pem", f.certPEM},
		{&f.key, "key.pem", f.keyPEM},
		{&f.both, "both.pem", append(append([]byte{}, f.certPEM...), f.keyPEM...)},
		{&f.otherKey, "other.pem", f.otherKeyPEM},
		{&f.encryptedKey, "encrypted.pem", encrypted},
		{&f.certDER, "cert.der", certBlock.Bytes},
		{&f.keyDER, "key.der", keyBlock.Bytes},
		{&f.encryptedDER, "encrypted.der", []byte{0x30, 0x10, 0x30, 0x0b, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 5, 0x0d, 4, 1, 0}},
		{&f.pkcs12, "cert.p12", f.pkcs12Bytes},
		{&f.crl, "crl.pem", list},
		{&f.notPEM, "not.pem", []byte("hello\n")},
		{&f.empty, "empty.pem", nil},
		{&f.netrc, "netrc", []byte("machine example.org login u password " + secretText + "\n")},
		{&f.otherNetrc, "other.netrc", []byte("default login v password " + secretText + "2\n")},
	} {
		*w.path = filepath.Join(dir, w.name)
		if err := os.WriteFile(*w.path, w.data, 0o600); err != nil {
			return err
		}
	}
	return nil
}

func newCertificate(name string) (cert, key []byte, err error) {
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	t := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		Subject:      pkix.Name{CommonName: name},
		NotAfter:     time.Now().Add(time.Hour),
		IsCA:         true,
	}
	der, err := x509.CreateCertificate(rand.Reader, t, t, k.Public(), k)
	if err != nil {
		return nil, nil, err
	}
	kder, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		return nil, nil, err
	}
	cert = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	return cert, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: kder}), nil
}

func newRevocationList() ([]byte, error) {
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	issuer := &x509.Certificate{SubjectKeyId: []byte{1}, KeyUsage: x509.KeyUsageCRLSign}
	der, err := x509.CreateRevocationList(rand.Reader, &x509.RevocationList{
		Number: big.NewInt(1), ThisUpdate: time.Now(), NextUpdate: time.Now().Add(time.Hour),
	}, issuer, k)
	return pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: der}), err
}
