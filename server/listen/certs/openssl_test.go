package certs

import (
	"context"
	"net"
	"net/http"
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/ocsp"

	"github.com/ratmom/ratmom/internal/testserver"
)

func TestStore_satisfies_openssl(t *testing.T) {
	openssl, err := exec.LookPath("openssl")
	if err != nil {
		testserver.Lacks(t, "openssl is not installed")
	}
	a := testserver.LocalAuthority(t)
	first, second := a.Host(t, "first.test"), a.Host(t, "*.second.test")
	a.Staple(t, second, ocsp.Good)
	f := files(t, second)
	f.OCSP = f.Cert + ".ocsp"
	require.NoError(t, os.WriteFile(f.OCSP, second.TLS.OCSPStaple, 0o600))
	firstFiles := files(t, first)
	s := load(t, Config{Files: []Files{firstFiles, f}, Strict: true})

	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	server := &http.Server{TLSConfig: s.TLSConfig(nil)}
	ended := make(chan error, 1)
	go func() { ended <- server.ServeTLS(tcp, "", "") }()
	defer func() {
		require.NoError(t, server.Close())
		assert.ErrorIs(t, <-ended, http.ErrServerClosed)
	}()
	ca := a.File(t)
	ask := func(name string) string {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		cmd := exec.CommandContext(ctx, openssl, "s_client", "-connect", tcp.Addr().String(), "-servername", name,
			"-verify_hostname", name, "-CAfile", ca, "-status", "-alpn", "h2,http/1.1")
		out, _ := cmd.CombinedOutput() // its input is at its end: it closes after the handshake
		return string(out)
	}
	said := ask("first.test")
	assert.Contains(t, said, "Verify return code: 0 (ok)")
	assert.Contains(t, said, "OCSP response: no response sent")
	assert.Contains(t, said, "ALPN protocol: h2")
	said = ask("www.second.test")
	assert.Contains(t, said, "Verify return code: 0 (ok)")
	assert.Contains(t, said, "OCSP Response Status: successful")
	assert.Contains(t, said, "Cert Status: good")
	assert.Contains(t, ask("third.test"), "unrecognized name")

	// Another certificate, without a new connection of ours.
	put(t, firstFiles, a.Host(t, "third.test"))
	require.NoError(t, s.Reload())
	assert.Contains(t, ask("third.test"), "Verify return code: 0 (ok)")
	assert.Contains(t, ask("first.test"), "unrecognized name")
}
