package testserver

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// NghttpdServer is a running nghttpd, an HTTP/2 server alone: /hello.txt is
// Hello; a body sent to any path is echoed. Every response has the trailer
// "x-sum: 34".
type NghttpdServer struct {
	*Process
	URL    string // http or https
	CAFile string
	CAPEM  []byte
}

// Nghttpd starts an nghttpd that speaks HTTP/2 in the given mode, H2 or H2C.
func Nghttpd(t testing.TB, mode Mode) *NghttpdServer {
	t.Helper()
	require.True(t, mode.HTTP2(), "nghttpd speaks HTTP/2 only")
	lookDaemon(t, "nghttpd", "nghttp2-server")
	dir := tempDir(t, "nghttpd")
	a := LocalAuthority(t)
	cert := a.Localhost(t)
	n := &NghttpdServer{CAFile: a.File(t), CAPEM: a.PEM}
	root := filepath.Join(dir, "root")
	require.NoError(t, os.Mkdir(root, 0o755))
	writeFile(t, filepath.Join(root, "hello.txt"), []byte(Hello), 0o644)
	certFile := writeFile(t, filepath.Join(dir, "cert.pem"), cert.CertPEM, 0o644)
	keyFile := writeFile(t, filepath.Join(dir, "key.pem"), cert.KeyPEM, 0o600)
	d := &daemon{
		binary: "nghttpd", of: "nghttp2-server", ports: 1, dir: dir,
		configure: func(ports []int) []string {
			args := []string{"-a", "127.0.0.1", "-d", root, "--echo-upload", "--trailer", "x-sum: 34"}
			if mode == H2C {
				return append(args, "--no-tls", fmt.Sprint(ports[0]))
			}
			return append(args, fmt.Sprint(ports[0]), keyFile, certFile)
		},
	}
	var ports []int
	n.Process, ports = d.start(t)
	n.URL = fmt.Sprintf("http://127.0.0.1:%d", ports[0])
	if mode == H2 {
		n.URL = fmt.Sprintf("https://localhost:%d", ports[0])
	}
	return n
}
