package testserver

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// OpenSSLStaple is the file with an answer about the revocation of c (RFC 6960), as
// the openssl program writes it in the name of a: status is 'V' for a good certificate,
// 'R' for one that is revoked, and 'U' for one that nobody knows. It lives as long as t.
func (a *Authority) OpenSSLStaple(t testing.TB, c *Certificate, status rune) string {
	t.Helper()
	if _, err := exec.LookPath("openssl"); err != nil {
		Lacks(t, "openssl is not installed (Debian: openssl)")
	}
	dir := t.TempDir()
	ca := writeFile(t, filepath.Join(dir, "ca.pem"), a.PEM, 0o644)
	key := writeFile(t, filepath.Join(dir, "ca.key"), a.keyPEM(t), 0o600)
	cert := writeFile(t, filepath.Join(dir, "cert.pem"), c.CertPEM, 0o644)
	// The database of openssl-ca: status, end, revocation, serial, file, subject.
	const form = "060102150405Z"
	serial := fmt.Sprintf("%X", c.TLS.Leaf.SerialNumber)
	if len(serial)%2 == 1 {
		serial = "0" + serial
	}
	revoked := ""
	if status == 'R' {
		revoked = time.Now().Add(-time.Hour).UTC().Format(form)
	}
	line := strings.Join([]string{string(status), c.TLS.Leaf.NotAfter.UTC().Format(form), revoked, serial, "unknown", "/CN=test"}, "\t") + "\n"
	if status == 'U' {
		line = ""
	}
	index := writeFile(t, filepath.Join(dir, "index.txt"), []byte(line), 0o644)
	answer := filepath.Join(dir, "answer.der")
	out, err := exec.Command("openssl", "ocsp", "-index", index, "-CA", ca, "-rsigner", ca, "-rkey", key, "-ndays", "1",
		"-issuer", ca, "-cert", cert, "-no_nonce", "-respout", answer).CombinedOutput()
	require.NoError(t, err, "%s", out)
	return answer
}
