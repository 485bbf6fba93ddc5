package testserver

import (
	"fmt"
	"path/filepath"
	"testing"
)

// CaddyServer is a running Caddy that speaks HTTP/1.1, HTTP/2 and HTTP/3 on one port, and
// passes every request on to another server.
type CaddyServer struct {
	*Process
	URL    string // https, of localhost
	CAFile string
}

// Caddy starts one in front of the server at backend, "host:port", which speaks HTTP/1.1.
func Caddy(t testing.TB, backend string) *CaddyServer {
	t.Helper()
	lookDaemon(t, "caddy", "caddy")
	dir := tempDir(t, "caddy")
	a := LocalAuthority(t)
	cert := a.Localhost(t)
	certFile := writeFile(t, filepath.Join(dir, "cert.pem"), cert.CertPEM, 0o644)
	keyFile := writeFile(t, filepath.Join(dir, "key.pem"), cert.KeyPEM, 0o600)
	c := &CaddyServer{CAFile: a.File(t)}
	d := &daemon{
		binary: "caddy", of: "caddy", ports: 1, dir: dir,
		env: []string{"HOME=" + dir, "XDG_DATA_HOME=" + dir, "XDG_CONFIG_HOME=" + dir},
		configure: func(ports []int) []string {
			file := writeFile(t, filepath.Join(dir, "Caddyfile"), fmt.Appendf(nil, `{
	admin off
	auto_https off
}
https://localhost:%d, https://127.0.0.1:%[1]d {
	bind 127.0.0.1
	tls %s %s
	reverse_proxy %s
}
`, ports[0], certFile, keyFile, backend), 0o644)
			return []string{"run", "--config", file, "--adapter", "caddyfile"}
		},
	}
	var ports []int
	c.Process, ports = d.start(t)
	c.URL = fmt.Sprintf("https://localhost:%d", ports[0])
	return c
}
