package testserver

import (
	"bufio"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// Auth is a way to ask for credentials, which are User and Password.
type Auth string

const (
	NoAuth     Auth = ""
	BasicAuth  Auth = "Basic"
	DigestAuth Auth = "Digest"
	NTLMAuth   Auth = "NTLM" // with any password

	negotiateAuth Auth = "Negotiate"
)

// SquidServer is a running Squid: an HTTP proxy that forwards and tunnels to
// any port of the loopback addresses, and caches nothing.
type SquidServer struct {
	*Process
	Addr   string // host:port of the proxy in clear text
	URL    string // the same as http://
	TLSURL string // the proxy behind TLS, https://
	CAFile string
	CAPEM  []byte
}

// Squid starts a Squid that asks for credentials as auth says.
func Squid(t testing.TB, auth Auth) *SquidServer {
	t.Helper()
	return startSquid(t, auth, nil, "")
}

// SquidWith starts a Squid that asks for no credentials, with more lines in its configuration.
func SquidWith(t testing.TB, lines ...string) *SquidServer {
	t.Helper()
	return startSquid(t, NoAuth, nil, strings.Join(lines, "\n"))
}

// Log is what Squid wrote to cache.log until now.
func (s *SquidServer) Log() string {
	s.t.Helper()
	b, err := os.ReadFile(filepath.Join(s.Dir, "cache.log"))
	require.NoError(s.t, err)
	return string(b)
}

// Reload has Squid read its configuration anew.
func (s *SquidServer) Reload() {
	s.t.Helper()
	require.NoError(s.t, syscall.Kill(s.PID(), syscall.SIGHUP))
}

// SquidKerberos starts a Squid that wants a ticket of k.
func SquidKerberos(t testing.TB, k *KerberosServer) *SquidServer {
	t.Helper()
	return startSquid(t, negotiateAuth, k, "")
}

func startSquid(t testing.TB, auth Auth, k *KerberosServer, more string) *SquidServer {
	t.Helper()
	lookDaemon(t, "squid", "squid")
	dir := tempDir(t, "squid")
	a := LocalAuthority(t)
	cert := a.Localhost(t)
	s := &SquidServer{CAFile: a.File(t), CAPEM: a.PEM}
	// The name keeps its shared memory apart from that of other Squids; a Squid
	// that is killed leaves it behind.
	name := strings.ReplaceAll(filepath.Base(dir), "-", "")
	t.Cleanup(func() {
		left, _ := filepath.Glob("/dev/shm/" + name + "-*")
		for _, file := range left {
			_ = os.Remove(file)
		}
	})
	writeFile(t, filepath.Join(dir, "cert.pem"), cert.CertPEM, 0o644)
	writeFile(t, filepath.Join(dir, "key.pem"), cert.KeyPEM, 0o644)
	handDown(t, dir, "proxy")
	var env []string
	if k != nil {
		env = k.ServerEnv
	}
	d := &daemon{
		binary: "squid", of: "squid", ports: 2, dir: dir, env: env,
		configure: func(ports []int) []string {
			conf := strings.NewReplacer("@DIR", dir, "@PORT", fmt.Sprint(ports[0]), "@TLS", fmt.Sprint(ports[1]),
				"@AUTH", squidAuth(t, dir, auth, k)).Replace(squidConfig) + more + "\n"
			file := writeFile(t, filepath.Join(dir, "squid.conf"), []byte(conf), 0o644)
			return []string{"-N", "-n", name, "-f", file}
		},
	}
	var ports []int
	s.Process, ports = d.start(t)
	s.Addr = fmt.Sprintf("127.0.0.1:%d", ports[0])
	s.URL = "http://" + s.Addr
	s.TLSURL = fmt.Sprintf("https://localhost:%d", ports[1])
	return s
}

// Requests are the lines that Squid wrote about requests that have ended: result
// and status, method, target, user.
func (s *SquidServer) Requests() (lines []string) {
	s.t.Helper()
	f, err := os.Open(filepath.Join(s.Dir, "access.log"))
	require.NoError(s.t, err)
	defer func() { _ = f.Close() }()
	for scan := bufio.NewScanner(f); scan.Scan(); {
		lines = append(lines, scan.Text())
	}
	return lines
}

// handDown gives the folder to the user that a daemon started by root becomes.
func handDown(t testing.TB, dir, name string) {
	t.Helper()
	if os.Getuid() != 0 {
		return
	}
	owner, err := user.Lookup(name)
	require.NoError(t, err)
	uid, err := strconv.Atoi(owner.Uid)
	require.NoError(t, err)
	gid, err := strconv.Atoi(owner.Gid)
	require.NoError(t, err)
	require.NoError(t, os.Chown(dir, uid, gid))
}

func squidAuth(t testing.TB, dir string, auth Auth, k *KerberosServer) string {
	t.Helper()
	const helpers = "/usr/lib/squid/"
	var program string
	switch auth {
	case NoAuth:
		return "http_access allow all"
	case BasicAuth:
		// Squid gives user and password to helpers as in a URL.
		program = writeFile(t, filepath.Join(dir, "basic"), []byte(fmt.Sprintf(
			"#!/bin/sh\nwhile read -r user password; do\n\t[ \"$user $password\" = '%s %s' ] && echo OK || echo ERR\ndone\n",
			percent(User), percent(Password))), 0o755)
	case DigestAuth:
		// The password is the hash, so that it may hold any character.
		file := writeFile(t, filepath.Join(dir, "digest"), []byte(User+":"+realm+":"+ha1()+"\n"), 0o644)
		program = helpers + "digest_file_auth -c " + file
	case NTLMAuth:
		program = helpers + "ntlm_fake_auth"
	case negotiateAuth:
		program = helpers + "negotiate_kerberos_auth -s GSS_C_NO_NAME -k " + k.Keytab
	}
	if path, _, _ := strings.Cut(program, " "); path != "" {
		if _, err := os.Stat(path); err != nil {
			Lacks(t, "squid has no %s (Debian: squid)", path)
		}
	}
	scheme := strings.ToLower(string(auth))
	lines := []string{
		fmt.Sprintf("auth_param %s program %s", scheme, program),
		fmt.Sprintf("auth_param %s children 2 startup=1", scheme),
	}
	if auth != NTLMAuth && auth != negotiateAuth {
		lines = append(lines, fmt.Sprintf("auth_param %s realm %s", scheme, realm))
	} else {
		lines = append(lines, fmt.Sprintf("auth_param %s keep_alive on", scheme))
	}
	return strings.Join(append(lines, "acl known proxy_auth REQUIRED", "http_access allow known", "http_access deny all"), "\n")
}

// percent is the form in which Squid gives user and password to its helpers:
// RFC 1738, with reserved characters left as they are.
func percent(s string) string {
	var b strings.Builder
	for _, c := range []byte(s) {
		if c <= ' ' || c >= 0x7f || strings.IndexByte("<>\"#%{}|\\^~[]`'", c) >= 0 {
			fmt.Fprintf(&b, "%%%02X", c)
			continue
		}
		b.WriteByte(c)
	}
	return b.String()
}

const squidConfig = `http_port 127.0.0.1:@PORT
https_port 127.0.0.1:@TLS tls-cert=@DIR/cert.pem tls-key=@DIR/key.pem
visible_hostname localhost
pid_filename none
cache_log @DIR/cache.log
logfile_rotate 0
logformat short %Ss/%03>Hs %rm %ru %un
access_log stdio:@DIR/access.log short
buffered_logs off
netdb_filename none
coredump_dir @DIR
cache deny all
pinger_enable off
icp_port 0
shutdown_lifetime 0 seconds
read_timeout 1 hour
client_idle_pconn_timeout 1 hour
max_filedescriptors 4096
@AUTH
`
