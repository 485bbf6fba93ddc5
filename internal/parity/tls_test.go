package parity

import (
	"crypto/tls"
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom"
	"github.com/ratmom/ratmom/config"
	"github.com/ratmom/ratmom/internal/testserver"
)

func tlsMock(t *testing.T, options ...testserver.Option) *testserver.Mock {
	t.Helper()
	return testserver.NewMock(t, empty, append([]testserver.Option{testserver.WithTLS()}, options...)...)
}

func TestTLS_expired_certificate_is_accepted_if_invalid_ones_are(t *testing.T) {
	m := tlsMock(t, testserver.WithCertificate(testserver.LocalAuthority(t).Expired(t)))
	c := newClient(t, config.CAFile(m.CAFile))
	err := failed(t, c, newRequest(t, "GET", m.URL, nil))
	assert.ErrorIs(t, err, ratmom.ErrCertificateVerification)
	get(t, c, m.URL, config.DangerAcceptInvalidCertificates(true))
}

func TestTLS_accepting_invalid_certificates_does_not_accept_other_hosts(t *testing.T) {
	m := tlsMock(t, testserver.WithCertificate(testserver.LocalAuthority(t).WrongHost(t)))
	err := failed(t, newClient(t, config.CAFile(m.CAFile)), newRequest(t, "GET", m.URL, nil), config.DangerAcceptInvalidCertificates(true))
	assert.ErrorIs(t, err, ratmom.ErrCertificateVerification)
	assert.Empty(t, m.Requests())
}

func TestTLS_certificate_for_another_host_is_accepted_if_asked(t *testing.T) {
	m := tlsMock(t, testserver.WithCertificate(testserver.LocalAuthority(t).WrongHost(t)))
	c := newClient(t, config.CAFile(m.CAFile))
	err := failed(t, c, newRequest(t, "GET", m.URL, nil))
	assert.ErrorIs(t, err, ratmom.ErrCertificateVerification)
	get(t, c, m.URL, config.DangerAcceptInvalidHostnames(true))
}

func TestTLS_accepting_other_hosts_does_not_accept_invalid_certificates(t *testing.T) {
	m := tlsMock(t, testserver.WithCertificate(testserver.LocalAuthority(t).Expired(t)))
	err := failed(t, newClient(t, config.CAFile(m.CAFile)), newRequest(t, "GET", m.URL, nil), config.DangerAcceptInvalidHostnames(true))
	assert.ErrorIs(t, err, ratmom.ErrCertificateVerification)
	assert.Empty(t, m.Requests())
}

func TestTLS_below_the_least_version_is_refused(t *testing.T) {
	old := tlsMock(t, testserver.WithTLSVersions(tls.VersionTLS10, tls.VersionTLS11))
	err := failed(t, newClient(t, config.CAFile(old.CAFile)), newRequest(t, "GET", old.URL, nil), config.TLSMinVersion(tls.VersionTLS12))
	assert.ErrorIs(t, err, ratmom.ErrTLS)
	assert.Empty(t, old.Requests())

	t.Run("whichever it is", func(t *testing.T) {
		m := tlsMock(t, testserver.WithTLSVersions(tls.VersionTLS12, tls.VersionTLS12))
		c := newClient(t, config.CAFile(m.CAFile))
		get(t, c, m.URL)
		err := failed(t, c, newRequest(t, "GET", m.URL, nil), config.TLSMinVersion(tls.VersionTLS13), config.FreshConnection())
		assert.ErrorIs(t, err, ratmom.ErrTLS)
	})
}

// A server whose authority the child process is told of as the system's.
const childURL = "RATMOM_PARITY_URL"

func TestTLS_trusts_the_authorities_of_the_system(t *testing.T) {
	if url := os.Getenv(childURL); url != "" {
		get(t, newClient(t), url)
		return
	}
	m := tlsMock(t)
	err := failed(t, newClient(t), newRequest(t, "GET", m.URL, nil))
	assert.ErrorIs(t, err, ratmom.ErrCertificateVerification, "one that nobody knows")

	// The system's store is read once for the process, hence another one.
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$")
	child.Env = append(os.Environ(), "SSL_CERT_FILE="+m.CAFile, childURL+"="+m.URL)
	out, err2 := child.CombinedOutput()
	require.NoError(t, err2, "%s", out)
	assert.Len(t, m.Requests(), 1)
}
