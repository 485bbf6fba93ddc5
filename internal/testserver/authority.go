package testserver

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/ocsp"
)

// Authority is a certificate authority that lives as long as the process.
type Authority struct {
	PEM  []byte         // its own certificate
	Pool *x509.CertPool // its own certificate alone

	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

var localAuthority = sync.OnceValues(func() (*Authority, error) { return newAuthority("ratmom test authority") })

// LocalAuthority is the authority behind the certificates of all servers of
// this package, the same for the whole process.
func LocalAuthority(t testing.TB) *Authority {
	t.Helper()
	a, err := localAuthority()
	require.NoError(t, err)
	return a
}

// NewAuthority makes one more authority, which no server here uses by itself.
func NewAuthority(t testing.TB) *Authority {
	t.Helper()
	a, err := newAuthority("another test authority")
	require.NoError(t, err)
	return a
}

func newAuthority(name string) (*Authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := authorityTemplate(name)
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return nil, err
	}
	return authorityOf(der, key)
}

func authorityTemplate(name string) *x509.Certificate {
	return &x509.Certificate{
		SerialNumber:          serial(),
		Subject:               pkix.Name{CommonName: name, Organization: []string{"ratmom"}},
		NotBefore:             time.Now().Add(-24 * time.Hour),
		NotAfter:              time.Now().Add(365 * 24 * time.Hour),
		IsCA:                  true,
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign | x509.KeyUsageDigitalSignature,
	}
}

func authorityOf(der []byte, key *ecdsa.PrivateKey) (*Authority, error) {
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	a := &Authority{PEM: pemBlock("CERTIFICATE", der), Pool: x509.NewCertPool(), cert: cert, key: key}
	a.Pool.AddCert(cert)
	return a, nil
}

// File writes the authority's certificate to a file that lives as long as t.
func (a *Authority) File(t testing.TB) string {
	t.Helper()
	return writeFile(t, filepath.Join(t.TempDir(), "ca.pem"), a.PEM, 0o644)
}

func (a *Authority) keyPEM(t testing.TB) []byte {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(a.key)
	require.NoError(t, err)
	return pemBlock("PRIVATE KEY", der)
}

// Certificate is a certificate with its key, signed by an Authority.
type Certificate struct {
	CertPEM, KeyPEM []byte
	TLS             tls.Certificate
}

// Files writes certificate and key to files that live as long as t.
func (c *Certificate) Files(t testing.TB) (cert, key string) {
	t.Helper()
	dir := t.TempDir()
	return writeFile(t, filepath.Join(dir, "cert.pem"), c.CertPEM, 0o644),
		writeFile(t, filepath.Join(dir, "key.pem"), c.KeyPEM, 0o600)
}

// Localhost is a server certificate for localhost, *.localhost, 127.0.0.1 and ::1.
func (a *Authority) Localhost(t testing.TB) *Certificate {
	t.Helper()
	return a.Issue(t, func(c *x509.Certificate) {
		c.DNSNames = []string{"localhost", "*.localhost"}
		c.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback}
	})
}

// Host is a server certificate for the given host names alone.
func (a *Authority) Host(t testing.TB, names ...string) *Certificate {
	t.Helper()
	return a.Issue(t, func(c *x509.Certificate) { c.DNSNames = names })
}

// WrongHost is a good server certificate, but for wrong.host.test.
func (a *Authority) WrongHost(t testing.TB) *Certificate {
	t.Helper()
	return a.Host(t, "wrong.host.test")
}

// Expired is Localhost, but its time was over an hour ago.
func (a *Authority) Expired(t testing.TB) *Certificate {
	t.Helper()
	return a.Issue(t, func(c *x509.Certificate) {
		c.DNSNames = []string{"localhost"}
		c.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback}
		c.NotBefore, c.NotAfter = time.Now().Add(-48*time.Hour), time.Now().Add(-time.Hour)
	})
}

// RevocationList is a list of the certificates of a that are revoked, as PEM, good for
// a day.
func (a *Authority) RevocationList(t testing.TB, revoked ...*Certificate) []byte {
	t.Helper()
	list := &x509.RevocationList{
		Number: serial(), ThisUpdate: time.Now().Add(-time.Hour), NextUpdate: time.Now().Add(24 * time.Hour),
	}
	for _, c := range revoked {
		list.RevokedCertificateEntries = append(list.RevokedCertificateEntries, x509.RevocationListEntry{
			SerialNumber: c.TLS.Leaf.SerialNumber, RevocationTime: time.Now().Add(-time.Hour),
		})
	}
	der, err := x509.CreateRevocationList(rand.Reader, list, a.cert, a.key)
	require.NoError(t, err)
	return pemBlock("X509 CRL", der)
}

// Staple gives c the chain up to a, and an answer of a's about its revocation (RFC 6960)
// that a server hands out with it: ocsp.Good, ocsp.Revoked or ocsp.Unknown.
func (a *Authority) Staple(t testing.TB, c *Certificate, status int) {
	t.Helper()
	answer, err := ocsp.CreateResponse(a.cert, a.cert, ocsp.Response{
		Status: status, SerialNumber: c.TLS.Leaf.SerialNumber,
		ThisUpdate: time.Now().Add(-time.Hour), NextUpdate: time.Now().Add(24 * time.Hour),
		RevokedAt: time.Now().Add(-time.Hour), RevocationReason: ocsp.KeyCompromise,
	}, a.key)
	require.NoError(t, err)
	a.Chain(c)
	c.TLS.OCSPStaple = answer
}

// Chain has servers send a's own certificate behind c.
func (a *Authority) Chain(c *Certificate) {
	c.TLS.Certificate = append(c.TLS.Certificate[:1:1], a.cert.Raw)
}

// Sub is an authority whose certificate a has signed.
func (a *Authority) Sub(t testing.TB) *Authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := authorityTemplate("intermediate test authority")
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, &key.PublicKey, a.key)
	require.NoError(t, err)
	sub, err := authorityOf(der, key)
	require.NoError(t, err)
	return sub
}

// Client is a client certificate with the given common name.
func (a *Authority) Client(t testing.TB, name string) *Certificate {
	t.Helper()
	return a.Issue(t, func(c *x509.Certificate) {
		c.Subject.CommonName = name
		c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	})
}

// Issue signs a server certificate that is good for a year after change has
// altered it.
func (a *Authority) Issue(t testing.TB, change func(*x509.Certificate)) *Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: serial(),
		Subject:      pkix.Name{CommonName: "test", Organization: []string{"ratmom"}},
		NotBefore:    time.Now().Add(-24 * time.Hour),
		NotAfter:     time.Now().Add(365 * 24 * time.Hour),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	change(template)
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, &key.PublicKey, a.key)
	require.NoError(t, err)
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	c := &Certificate{CertPEM: pemBlock("CERTIFICATE", der), KeyPEM: pemBlock("PRIVATE KEY", keyDER)}
	c.TLS, err = tls.X509KeyPair(c.CertPEM, c.KeyPEM)
	require.NoError(t, err)
	return c
}

func serial() *big.Int {
	n, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		panic(err)
	}
	return n
}

func pemBlock(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

func writeFile(t testing.TB, path string, content []byte, mode os.FileMode) string {
	t.Helper()
	require.NoError(t, os.WriteFile(path, content, mode))
	return path
}
