package testserver

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// SRPServer is an Apache that lets in who knows a password, by TLS-SRP (RFC 5054), and
// nobody else. It has /hello.txt, Hello.
type SRPServer struct {
	*Process
	URL    string
	CAFile string
}

// SRP starts one that knows a user.
func SRP(t testing.TB, user, password string) *SRPServer {
	t.Helper()
	lookDaemon(t, "apache2", "apache2")
	openssl := lookDaemon(t, "openssl", "openssl")
	dir := tempDir(t, "srp")
	a := LocalAuthority(t)
	cert := a.Localhost(t)
	writeFile(t, filepath.Join(dir, "hello.txt"), []byte(Hello), 0o644)
	writeFile(t, filepath.Join(dir, "cert.pem"), cert.CertPEM, 0o644)
	writeFile(t, filepath.Join(dir, "key.pem"), cert.KeyPEM, 0o644)
	verifiers := writeFile(t, filepath.Join(dir, "verifiers"), nil, 0o644)
	out, err := exec.Command(openssl, "srp", "-srpvfile", verifiers, "-gn", "2048", "-passout", "pass:"+password, "-add", user).CombinedOutput()
	require.NoError(t, err, "%s", out)
	s := &SRPServer{CAFile: a.File(t)}
	d := &daemon{
		binary: "apache2", of: "apache2", ports: 1, dir: dir,
		configure: func(ports []int) []string {
			conf := strings.NewReplacer("@DIR", dir, "@PORT", fmt.Sprint(ports[0]), "@MODULES", apacheModules,
				"@USER", apacheUser()).Replace(srpConfig)
			writeFile(t, filepath.Join(dir, "apache.conf"), []byte(conf), 0o644)
			return []string{"-X", "-d", dir, "-f", filepath.Join(dir, "apache.conf"), "-E", "/dev/stderr"}
		},
	}
	var ports []int
	s.Process, ports = d.start(t)
	s.URL = fmt.Sprintf("https://localhost:%d", ports[0])
	return s
}

const srpConfig = `ServerName localhost
ServerRoot @DIR
DocumentRoot @DIR
PidFile @DIR/apache.pid
DefaultRuntimeDir @DIR
ErrorLog @DIR/error.log
LoadModule mpm_event_module @MODULES/mod_mpm_event.so
LoadModule authz_core_module @MODULES/mod_authz_core.so
LoadModule ssl_module @MODULES/mod_ssl.so
@USER
Listen 127.0.0.1:@PORT
Mutex file:@DIR
SSLEngine on
SSLSessionCache none
SSLCertificateFile @DIR/cert.pem
SSLCertificateKeyFile @DIR/key.pem
SSLProtocol -all +TLSv1.2
SSLCipherSuite SRP
SSLSRPVerifierFile @DIR/verifiers
<Directory @DIR>
	Require all granted
</Directory>
`
