package config_test

import (
	"encoding/pem"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom"
	"github.com/ratmom/ratmom/cgo"
	"github.com/ratmom/ratmom/config"
	"github.com/ratmom/ratmom/internal/testserver"
)

// openssl runs the tool of that name, which writes what Go cannot.
func openssl(t *testing.T, args ...string) {
	t.Helper()
	if _, err := exec.LookPath("openssl"); err != nil {
		testserver.Lacks(t, "openssl is not installed (Debian: openssl)")
	}
	out, err := exec.Command("openssl", args...).CombinedOutput()
	require.NoError(t, err, "%s", out)
}

// rehash gives the certificates of a directory the names that OpenSSL looks for.
func rehash(t *testing.T, dir string) { openssl(t, "rehash", dir) }

func TestEffect_client_certificates_in_every_format(t *testing.T) {
	const password = "s3cret"
	a := testserver.LocalAuthority(t)
	client := a.Client(t, "me")
	cert, key := client.Files(t)
	dir := t.TempDir()
	file := func(name string) string { return filepath.Join(dir, name) }
	decode := func(text []byte, name string) string {
		b, _ := pem.Decode(text)
		require.NoError(t, os.WriteFile(file(name), b.Bytes, 0o600))
		return file(name)
	}
	certDER, keyDER := decode(client.CertPEM, "cert.der"), decode(client.KeyPEM, "key.der")
	openssl(t, "pkcs8", "-topk8", "-in", key, "-out", file("pkcs8.pem"), "-passout", "pass:"+password)
	openssl(t, "ec", "-aes256", "-in", key, "-out", file("sec1.pem"), "-passout", "pass:"+password)
	openssl(t, "pkcs8", "-topk8", "-in", key, "-outform", "DER", "-out", file("pkcs8.der"), "-passout", "pass:"+password)
	openssl(t, "pkcs12", "-export", "-in", cert, "-inkey", key, "-out", file("locked.p12"), "-passout", "pass:"+password)
	openssl(t, "pkcs12", "-export", "-in", cert, "-inkey", key, "-out", file("open.p12"), "-passout", "pass:")

	name := func(r *http.Request) any { return r.TLS.PeerCertificates[0].Subject.CommonName }
	s := testserver.Start(t, testserver.HTTPS1, tell(name), testserver.WithClientCertificates(a))
	c := newClient(t, config.CAFile(a.File(t)))
	gnutls := cgo.Features().Backend("GnuTLS")
	for _, f := range []struct {
		cert, key string
		locked    bool
		skip      bool // libcurl or the TLS library cannot
	}{
		{cert, key, false, false},
		{certDER, keyDER, false, false},
		{certDER, key, false, gnutls},
		{cert, keyDER, false, gnutls},
		{cert, file("pkcs8.pem"), true, false},
		{cert, file("sec1.pem"), true, false},
		{file("locked.p12"), "", true, false},
		{file("open.p12"), "", false, false},
		{certDER, file("pkcs8.der"), true, true},
	} {
		t.Run(filepath.Base(f.cert)+" "+filepath.Base(f.key), func(t *testing.T) {
			from := func(path string) []byte {
				if path == "" {
					return nil
				}
				data, err := os.ReadFile(path)
				require.NoError(t, err)
				return data
			}
			ways := []config.Option{}
			if !f.skip {
				ways = append(ways, config.ClientCertificate(f.cert, f.key))
			}
			if !gnutls {
				ways = append(ways, config.ClientCertificateBytes(from(f.cert), from(f.key)))
			}
			for _, way := range ways {
				if !f.locked {
					assert.Equal(t, "me", get(t, c, s.URL, way, config.FreshConnection()))
					continue
				}
				right, wrong := config.ClientCertificatePassword(password), config.ClientCertificatePassword("wrong")
				assert.Equal(t, "me", get(t, c, s.URL, way, right))
				kind := error(ratmom.ErrClientCertificate)
				if gnutls {
					kind = ratmom.ErrTLS
				}
				refused(t, kind, c, s.URL, way, wrong)
				kept := newClient(t, config.CAFile(a.File(t)), way, right)
				assert.Equal(t, "me", get(t, kept, s.URL))
				refused(t, kind, kept, s.URL, wrong)
				assert.Equal(t, "me", get(t, kept, s.URL))
			}
		})
	}
}

func TestEffect_an_https_proxy_asks_for_a_certificate_in_PKCS12(t *testing.T) {
	needsHTTPSProxy(t)
	a := testserver.LocalAuthority(t)
	cert, key := a.Client(t, "me").Files(t)
	p12 := filepath.Join(t.TempDir(), "me.p12")
	openssl(t, "pkcs12", "-export", "-in", cert, "-inkey", key, "-out", p12, "-passout", "pass:s3cret")
	s := testserver.Start(t, testserver.HTTPS1, tell(host))
	p := testserver.StartProxy(t, testserver.Proxy{}, testserver.WithClientCertificates(a))
	c := newClient(t, config.CAFile(a.File(t)), config.Proxy("https://"+p.Addr))
	with := config.ProxyTLS(config.ClientCertificate(p12, ""))
	assert.Equal(t, s.Addr, get(t, c, s.URL, with, config.ProxyTLS(config.ClientCertificatePassword("s3cret"))))
	_, err := c.Get(s.URL, with, config.ProxyTLS(config.ClientCertificatePassword("wrong")))
	assert.Error(t, err)
}

func TestEffect_TLSSRP(t *testing.T) {
	if !cgo.Features().TLSSRP {
		t.Skip("libcurl without TLS-SRP")
	}
	s := testserver.SRP(t, "alice", "s3cret")
	c := newClient(t, config.DangerAcceptInvalidCertificates(true), config.DangerAcceptInvalidHostnames(true))
	srp := config.TLSCiphers("SRP")
	if cgo.Features().Backend("GnuTLS") {
		srp = config.TLSCiphers()
	}
	assert.Equal(t, testserver.Hello, get(t, c, s.URL+"/hello.txt", config.TLSSRP("alice", "s3cret"), srp))
	for _, wrong := range []config.Option{config.TLSSRP("alice", "wrong"), config.TLSSRP("bob", "s3cret")} {
		refused(t, ratmom.ErrTLS, c, s.URL+"/hello.txt", wrong, srp)
	}
}
