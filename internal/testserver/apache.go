package testserver

import (
	"crypto/md5"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// User and Password open every server and proxy here that asks for credentials.
const (
	User     = "alice"
	Password = "open sesame: ä"
)

// ApacheServer is a running Apache with one process. Paths:
//
//	/hello.txt          Hello
//	/basic/hello.txt    the same, for User and Password by Basic
//	/digest/hello.txt   the same, by Digest with MD5 and qop=auth
//	/text.txt           compressible text; brotli, then gzip, if asked for
type ApacheServer struct {
	*Process
	URL    string // HTTP/1.1, and h2c by Upgrade and prior knowledge
	TLSURL string // HTTP/1.1 and HTTP/2
	CAFile string
	CAPEM  []byte
	// Delegated is the folder for tickets that clients have handed over.
	Delegated string
}

const apacheModules = "/usr/lib/apache2/modules"

// Apache starts an Apache httpd.
func Apache(t testing.TB) *ApacheServer {
	t.Helper()
	return startApache(t, nil)
}

// ApacheKerberos starts an Apache that has besides, for whoever has a ticket of k:
//
//	/negotiate/hello.txt   Hello; the field X-User says whose ticket it was
//	/bound/hello.txt       the same, for all that comes over the connection from then on
//
// The tickets that it is given to use go into the folder [ApacheServer.Delegated].
func ApacheKerberos(t testing.TB, k *KerberosServer) *ApacheServer {
	t.Helper()
	if _, err := os.Stat(filepath.Join(apacheModules, "mod_auth_gssapi.so")); err != nil {
		Lacks(t, "apache has no mod_auth_gssapi (Debian: libapache2-mod-auth-gssapi)")
	}
	return startApache(t, k)
}

func startApache(t testing.TB, k *KerberosServer) *ApacheServer {
	t.Helper()
	lookDaemon(t, "apache2", "apache2")
	dir := tempDir(t, "apache")
	a := LocalAuthority(t)
	cert := a.Localhost(t)
	s := &ApacheServer{CAFile: a.File(t), CAPEM: a.PEM}
	root := filepath.Join(dir, "root")
	for _, sub := range []string{
		root, filepath.Join(root, "basic"), filepath.Join(root, "digest"),
		filepath.Join(root, "negotiate"), filepath.Join(root, "bound"),
	} {
		require.NoError(t, os.Mkdir(sub, 0o755))
		writeFile(t, filepath.Join(sub, "hello.txt"), []byte(Hello), 0o644)
	}
	writeFile(t, filepath.Join(root, "text.txt"), []byte(strings.Repeat("one line of many\n", 5000)), 0o644)
	writeFile(t, filepath.Join(dir, "cert.pem"), cert.CertPEM, 0o644)
	writeFile(t, filepath.Join(dir, "key.pem"), cert.KeyPEM, 0o644)
	writeFile(t, filepath.Join(dir, "digest"), []byte(User+":"+realm+":"+ha1()+"\n"), 0o644)
	negotiate, env := "", []string(nil)
	if k != nil {
		s.Delegated = filepath.Join(dir, "delegated")
		require.NoError(t, os.Mkdir(s.Delegated, 0o700))
		handDown(t, s.Delegated, "nobody")
		negotiate = strings.NewReplacer("@DIR", dir, "@MODULES", apacheModules, "@REALM", realm, "@KEYTAB", k.Keytab).Replace(apacheNegotiate)
		env = k.ServerEnv
	}
	d := &daemon{
		binary: "apache2", of: "apache2", ports: 2, dir: dir, env: env,
		configure: func(ports []int) []string {
			conf := strings.NewReplacer("@DIR", dir, "@PORT", fmt.Sprint(ports[0]), "@TLS", fmt.Sprint(ports[1]),
				"@MODULES", apacheModules, "@REALM", realm, "@USER", apacheUser(), "@NEGOTIATE", negotiate).Replace(apacheConfig)
			writeFile(t, filepath.Join(dir, "apache.conf"), []byte(conf), 0o644)
			return []string{"-X", "-d", dir, "-f", filepath.Join(dir, "apache.conf"), "-E", "/dev/stderr"}
		},
	}
	var ports []int
	s.Process, ports = d.start(t)
	s.URL = fmt.Sprintf("http://127.0.0.1:%d", ports[0])
	s.TLSURL = fmt.Sprintf("https://localhost:%d", ports[1])
	return s
}

const realm = "ratmom tests"

// ha1 is the hash of the credentials that password files of Digest hold.
func ha1() string {
	sum := md5.Sum([]byte(User + ":" + realm + ":" + Password))
	return hex.EncodeToString(sum[:])
}

// Apache refuses to serve as root and wants to be told who to be.
func apacheUser() string {
	if os.Getuid() == 0 {
		return "User nobody\nGroup nogroup"
	}
	return ""
}

// AuthBasicUseDigestAlgorithm lets Basic read the password file of Digest.
const apacheConfig = `ServerName localhost
ServerRoot @DIR
DocumentRoot @DIR/root
PidFile @DIR/apache.pid
DefaultRuntimeDir @DIR
ErrorLog @DIR/error.log
LogLevel warn
LoadModule mpm_event_module @MODULES/mod_mpm_event.so
LoadModule authn_core_module @MODULES/mod_authn_core.so
LoadModule authn_file_module @MODULES/mod_authn_file.so
LoadModule authz_core_module @MODULES/mod_authz_core.so
LoadModule authz_user_module @MODULES/mod_authz_user.so
LoadModule auth_basic_module @MODULES/mod_auth_basic.so
LoadModule auth_digest_module @MODULES/mod_auth_digest.so
LoadModule mime_module @MODULES/mod_mime.so
LoadModule filter_module @MODULES/mod_filter.so
LoadModule deflate_module @MODULES/mod_deflate.so
LoadModule brotli_module @MODULES/mod_brotli.so
LoadModule socache_shmcb_module @MODULES/mod_socache_shmcb.so
LoadModule ssl_module @MODULES/mod_ssl.so
LoadModule http2_module @MODULES/mod_http2.so
@USER
TypesConfig /dev/null
AddType text/plain txt
Listen 127.0.0.1:@PORT
Listen 127.0.0.1:@TLS
Mutex file:@DIR
KeepAliveTimeout 3600
MaxKeepAliveRequests 0
Timeout 3600
ThreadsPerChild 64
Protocols h2c http/1.1
<VirtualHost 127.0.0.1:@TLS>
	SSLEngine on
	SSLCertificateFile @DIR/cert.pem
	SSLCertificateKeyFile @DIR/key.pem
	Protocols h2 http/1.1
</VirtualHost>
<Directory @DIR/root>
	Require all granted
</Directory>
<Location /basic>
	AuthType Basic
	AuthName "@REALM"
	AuthBasicProvider file
	AuthBasicUseDigestAlgorithm MD5
	AuthUserFile @DIR/digest
	Require valid-user
</Location>
<Location /digest>
	AuthType Digest
	AuthName "@REALM"
	AuthDigestProvider file
	AuthDigestQop auth
	AuthUserFile @DIR/digest
	Require valid-user
</Location>
<Location /text.txt>
	SetOutputFilter BROTLI_COMPRESS;DEFLATE
</Location>
@NEGOTIATE
`

// The module does not merge what several sections say.
const apacheNegotiate = `LoadModule headers_module @MODULES/mod_headers.so
LoadModule auth_gssapi_module @MODULES/mod_auth_gssapi.so
<Location /negotiate>
	AuthType GSSAPI
	AuthName "@REALM"
	GssapiCredStore keytab:@KEYTAB
	GssapiDelegCcacheDir @DIR/delegated
	Require valid-user
	Header set X-User "expr=%{REMOTE_USER}"
</Location>
<Location /bound>
	AuthType GSSAPI
	AuthName "@REALM"
	GssapiCredStore keytab:@KEYTAB
	GssapiDelegCcacheDir @DIR/delegated
	Require valid-user
	Header set X-User "expr=%{REMOTE_USER}"
	GssapiConnectionBound On
</Location>
`
