package testserver

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// HAProxyServer is a running HAProxy before a server of the test. Paths with a
// meaning of their own; all others go to the server:
//
//	/deny     503 from HAProxy
//	/drop     the connection is dropped without a word to the client
//	/reject   the connection is reset or closed
//	/tarpit   500 after two seconds
type HAProxyServer struct {
	*Process
	URL    string // HTTP/1.1
	TLSURL string // HTTP/1.1 and HTTP/2
	H2CURL string // HTTP/2 by prior knowledge
	CAFile string
	CAPEM  []byte
}

// HAProxy starts an HAProxy whose server is backend, host:port, speaking
// HTTP/1.1 in clear text.
func HAProxy(t testing.TB, backend string) *HAProxyServer {
	t.Helper()
	return startHAProxy(t, backend, "", "-db")
}

// HAProxyWith starts one with more lines for its frontend, and a master that can [HAProxyServer.Reload].
func HAProxyWith(t testing.TB, backend string, lines ...string) *HAProxyServer {
	t.Helper()
	return startHAProxy(t, backend, "\t"+strings.Join(lines, "\n\t"), "-db", "-W")
}

// Reload has a new process take over; the old one ends when its clients have gone.
func (h *HAProxyServer) Reload() {
	h.t.Helper()
	require.NoError(h.t, syscall.Kill(h.PID(), syscall.SIGUSR2))
}

func startHAProxy(t testing.TB, backend, more string, args ...string) *HAProxyServer {
	t.Helper()
	lookDaemon(t, "haproxy", "haproxy")
	dir := tempDir(t, "haproxy")
	a := LocalAuthority(t)
	cert := a.Localhost(t)
	h := &HAProxyServer{CAFile: a.File(t), CAPEM: a.PEM}
	writeFile(t, filepath.Join(dir, "both.pem"), append(append([]byte{}, cert.CertPEM...), cert.KeyPEM...), 0o600)
	d := &daemon{
		binary: "haproxy", of: "haproxy", ports: 3, dir: dir,
		configure: func(ports []int) []string {
			conf := strings.NewReplacer("@DIR", dir, "@BACKEND", backend, "@MORE", more, "@PORT", fmt.Sprint(ports[0]),
				"@TLS", fmt.Sprint(ports[1]), "@H2C", fmt.Sprint(ports[2])).Replace(haproxyConfig)
			return append(slices.Clone(args), "-f", writeFile(t, filepath.Join(dir, "haproxy.cfg"), []byte(conf), 0o644))
		},
	}
	var ports []int
	h.Process, ports = d.start(t)
	h.URL = fmt.Sprintf("http://127.0.0.1:%d", ports[0])
	h.TLSURL = fmt.Sprintf("https://localhost:%d", ports[1])
	h.H2CURL = fmt.Sprintf("http://127.0.0.1:%d", ports[2])
	return h
}

const haproxyConfig = `global
	maxconn 2000
	nbthread 1
defaults
	mode http
	timeout connect 5s
	timeout client 1h
	timeout server 1h
	timeout tarpit 2s
frontend tests
	bind 127.0.0.1:@PORT
	bind 127.0.0.1:@TLS ssl crt @DIR/both.pem alpn h2,http/1.1
	bind 127.0.0.1:@H2C proto h2
	http-request deny deny_status 503 if { path /deny }
	http-request silent-drop if { path /drop }
	http-request reject if { path /reject }
	http-request tarpit if { path /tarpit }
@MORE
	default_backend server
backend server
	server one @BACKEND
`
