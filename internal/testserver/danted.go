package testserver

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// SOCKSDaemon is a running SOCKS server. It forwards to loopback addresses.
type SOCKSDaemon struct {
	*Process
	Addr string // host:port
}

// Danted starts Dante's server: SOCKS4 and SOCKS5 without credentials.
func Danted(t testing.TB) *SOCKSDaemon {
	t.Helper()
	lookDaemon(t, "danted", "dante-server")
	dir := tempDir(t, "danted")
	users := ""
	if os.Getuid() == 0 {
		users = "user.privileged: root\nuser.unprivileged: nobody\n"
	}
	d := &daemon{
		binary: "danted", of: "dante-server", ports: 1, dir: dir,
		configure: func(ports []int) []string {
			conf := fmt.Sprintf(`logoutput: stderr
internal: 127.0.0.1 port = %d
external: 127.0.0.1
clientmethod: none
socksmethod: none
%sclient pass { from: 127.0.0.0/8 to: 0.0.0.0/0 }
socks pass { from: 127.0.0.0/8 to: 0.0.0.0/0 }
`, ports[0], users)
			file := writeFile(t, filepath.Join(dir, "danted.conf"), []byte(conf), 0o644)
			return []string{"-N", "1", "-p", filepath.Join(dir, "danted.pid"), "-f", file}
		},
	}
	p, ports := d.start(t)
	return &SOCKSDaemon{p, fmt.Sprintf("127.0.0.1:%d", ports[0])}
}

// MicroSOCKS starts microsocks: SOCKS5, for User and Password only if
// credentials is true.
func MicroSOCKS(t testing.TB, credentials bool) *SOCKSDaemon {
	t.Helper()
	d := &daemon{
		binary: "microsocks", of: "microsocks", ports: 1, dir: tempDir(t, "microsocks"),
		configure: func(ports []int) []string {
			args := []string{"-i", "127.0.0.1", "-p", fmt.Sprint(ports[0])}
			if credentials {
				args = append(args, "-u", User, "-P", Password)
			}
			return args
		},
	}
	p, ports := d.start(t)
	return &SOCKSDaemon{p, fmt.Sprintf("127.0.0.1:%d", ports[0])}
}
