package testserver

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// NghttpxServer is a running nghttpx: a proxy over TLS that speaks HTTP/2 and HTTP/1.1
// with clients and hands all to another proxy.
type NghttpxServer struct {
	*Process
	URL    string // https
	CAFile string
	CAPEM  []byte
}

// NghttpxOption alters [Nghttpx].
type NghttpxOption func(*nghttpxSettings)

type nghttpxSettings struct {
	cert *Certificate
	args []string
}

// NghttpxCertificate serves with another certificate.
func NghttpxCertificate(c *Certificate) NghttpxOption {
	return func(s *nghttpxSettings) { s.cert = c }
}

// NghttpxClients takes only clients with a certificate of a.
func NghttpxClients(t testing.TB, a *Authority) NghttpxOption {
	t.Helper()
	return NghttpxWith("--verify-client", "--verify-client-cacert="+a.File(t))
}

// NghttpxWith adds arguments.
func NghttpxWith(args ...string) NghttpxOption {
	return func(s *nghttpxSettings) { s.args = append(s.args, args...) }
}

// Nghttpx starts an nghttpx before the proxy next, host:port.
func Nghttpx(t testing.TB, next string, options ...NghttpxOption) *NghttpxServer {
	t.Helper()
	lookDaemon(t, "nghttpx", "nghttp2-proxy")
	dir := tempDir(t, "nghttpx")
	a := LocalAuthority(t)
	s := &nghttpxSettings{}
	for _, o := range options {
		o(s)
	}
	if s.cert == nil {
		s.cert = a.Localhost(t)
	}
	n := &NghttpxServer{CAFile: a.File(t), CAPEM: a.PEM}
	certFile := writeFile(t, filepath.Join(dir, "cert.pem"), s.cert.CertPEM, 0o644)
	keyFile := writeFile(t, filepath.Join(dir, "key.pem"), s.cert.KeyPEM, 0o600)
	empty := writeFile(t, filepath.Join(dir, "nghttpx.conf"), nil, 0o644)
	d := &daemon{
		binary: "nghttpx", of: "nghttp2-proxy", ports: 1, dir: dir,
		configure: func(ports []int) []string {
			return append(slices.Clone(s.args),
				"--conf="+empty, "--http2-proxy", "--single-process", "--single-thread", "--workers=1",
				"--accesslog-file="+filepath.Join(dir, "access.log"), "--accesslog-format=$alpn $method $status",
				fmt.Sprintf("--frontend=127.0.0.1,%d", ports[0]),
				"--backend="+strings.Replace(next, ":", ",", 1), keyFile, certFile)
		},
	}
	var ports []int
	n.Process, ports = d.start(t)
	n.URL = fmt.Sprintf("https://localhost:%d", ports[0])
	return n
}
