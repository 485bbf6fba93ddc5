package testserver

import (
	"fmt"
	"path/filepath"
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

// Nghttpx starts an nghttpx before the proxy next, host:port.
func Nghttpx(t testing.TB, next string) *NghttpxServer {
	t.Helper()
	lookDaemon(t, "nghttpx", "nghttp2-proxy")
	dir := tempDir(t, "nghttpx")
	a := LocalAuthority(t)
	cert := a.Localhost(t)
	n := &NghttpxServer{CAFile: a.File(t), CAPEM: a.PEM}
	certFile := writeFile(t, filepath.Join(dir, "cert.pem"), cert.CertPEM, 0o644)
	keyFile := writeFile(t, filepath.Join(dir, "key.pem"), cert.KeyPEM, 0o600)
	empty := writeFile(t, filepath.Join(dir, "nghttpx.conf"), nil, 0o644)
	d := &daemon{
		binary: "nghttpx", of: "nghttp2-proxy", ports: 1, dir: dir,
		configure: func(ports []int) []string {
			return []string{
				"--conf=" + empty, "--http2-proxy", "--single-process", "--single-thread", "--workers=1",
				"--accesslog-file=" + filepath.Join(dir, "access.log"), "--accesslog-format=$alpn $method $status",
				fmt.Sprintf("--frontend=127.0.0.1,%d", ports[0]),
				"--backend=" + strings.Replace(next, ":", ",", 1), keyFile, certFile,
			}
		},
	}
	var ports []int
	n.Process, ports = d.start(t)
	n.URL = fmt.Sprintf("https://localhost:%d", ports[0])
	return n
}
