package testserver

import (
	"fmt"
	"net/netip"
	"path/filepath"
	"strings"
	"testing"
)

// NameServer is a running BIND that has the zone "test" and asks nobody.
type NameServer struct {
	*Process
	Addr   netip.AddrPort // UDP and TCP
	DoHURL string         // DNS over HTTPS, for localhost
	CAFile string
	CAPEM  []byte
}

// Named starts a BIND with these records in the zone "test.", in the form of a zone
// file. What else it is asked for, it refuses.
func Named(t testing.TB, records string) *NameServer {
	t.Helper()
	lookDaemon(t, "named", "bind9")
	dir := tempDir(t, "named")
	a := LocalAuthority(t)
	cert := a.Localhost(t)
	writeFile(t, filepath.Join(dir, "cert.pem"), cert.CertPEM, 0o644)
	writeFile(t, filepath.Join(dir, "key.pem"), cert.KeyPEM, 0o644)
	writeFile(t, filepath.Join(dir, "test.zone"), []byte(namedZone+records), 0o644)
	d := &daemon{
		binary: "named", of: "bind9", ports: 2, dir: dir,
		configure: func(ports []int) []string {
			conf := strings.NewReplacer("@DIR", dir, "@DNS", fmt.Sprint(ports[0]), "@DOH", fmt.Sprint(ports[1])).Replace(namedConfig)
			return []string{"-g", "-n", "1", "-c", writeFile(t, filepath.Join(dir, "named.conf"), []byte(conf), 0o644)}
		},
	}
	p, ports := d.start(t)
	return &NameServer{
		Process: p, Addr: netip.MustParseAddrPort(fmt.Sprintf("127.0.0.1:%d", ports[0])),
		DoHURL: fmt.Sprintf("https://localhost:%d/dns-query", ports[1]), CAFile: a.File(t), CAPEM: a.PEM,
	}
}

const namedZone = `$ORIGIN test.
$TTL 300
@ 300 IN SOA ns root 1 3600 600 86400 120
@ 300 IN NS ns
ns 300 IN A 127.0.0.1
`

const namedConfig = `
tls local { cert-file "@DIR/cert.pem"; key-file "@DIR/key.pem"; };
http local { endpoints { "/dns-query"; }; };
options {
	directory "@DIR";
	pid-file "@DIR/named.pid";
	session-keyfile "@DIR/session.key";
	managed-keys-directory "@DIR";
	listen-on port @DNS { 127.0.0.1; };
	listen-on port @DOH tls local http local { 127.0.0.1; };
	listen-on-v6 { none; };
	recursion no;
	allow-query { any; };
	dnssec-validation no;
	minimal-responses yes;
	notify no;
};
controls { };
zone "test" { type primary; file "@DIR/test.zone"; };
`
