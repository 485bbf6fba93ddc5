package testserver

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// KerberosRealm is the realm of a [KerberosServer].
const KerberosRealm = "RATMOM.TEST"

// KerberosServer is a running KDC. It knows User, and the services HTTP and web of
// localhost. GSS-API reads the environment of its process: a client is a child with
// ClientEnv.
type KerberosServer struct {
	*Process
	ClientEnv []string // of who has User's ticket
	BareEnv   []string // of who has none
	ServerEnv []string
	Keytab    string // of the services
}

// Kerberos starts a KDC and gets a ticket for User.
func Kerberos(t testing.TB) *KerberosServer {
	t.Helper()
	util := lookDaemon(t, "kdb5_util", "krb5-kdc")
	admin := lookDaemon(t, "kadmin.local", "krb5-admin-server")
	kinit := lookDaemon(t, "kinit", "krb5-user")
	dir := tempDir(t, "kdc")
	file := func(name string) string { return filepath.Join(dir, name) }
	k := &KerberosServer{
		Keytab:    file("http.keytab"),
		ServerEnv: []string{"KRB5_CONFIG=" + file("krb5.conf"), "KRB5RCACHETYPE=none"},
		BareEnv:   []string{"KRB5_CONFIG=" + file("krb5.conf"), "KRB5CCNAME=FILE:" + file("none"), "KRB5_CLIENT_KTNAME=" + file("none")},
		ClientEnv: []string{"KRB5_CONFIG=" + file("krb5.conf"), "KRB5CCNAME=FILE:" + file("tickets"), "KRB5_CLIENT_KTNAME=" + file("none")},
	}
	env := []string{"KRB5_CONFIG=" + file("krb5.conf"), "KRB5_KDC_PROFILE=" + file("kdc.conf")}
	run := func(env []string, program string, args ...string) {
		t.Helper()
		cmd := exec.Command(program, args...)
		cmd.Env = append(os.Environ(), env...)
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s %v: %s", program, args, out)
	}
	made := false
	d := &daemon{
		binary: "krb5kdc", of: "krb5-kdc", ports: 1, dir: dir, env: env,
		configure: func(ports []int) []string {
			fill := strings.NewReplacer("@DIR", dir, "@PORT", fmt.Sprint(ports[0]), "@REALM", KerberosRealm)
			writeFile(t, file("krb5.conf"), []byte(fill.Replace(krb5Config)), 0o644)
			writeFile(t, file("kdc.conf"), []byte(fill.Replace(kdcConfig)), 0o644)
			if !made {
				made = true
				run(env, util, "create", "-s", "-P", "master of the tests", "-r", KerberosRealm)
				for _, command := range []string{
					"addprinc -randkey HTTP/localhost", "addprinc -randkey web/localhost", "addprinc -randkey " + User,
					"ktadd -k " + k.Keytab + " HTTP/localhost web/localhost", "ktadd -k " + file("user.keytab") + " " + User,
				} {
					run(env, admin, "-r", KerberosRealm, "-q", command)
				}
				require.NoError(t, os.Chmod(k.Keytab, 0o644)) // for daemons that root has started
			}
			return []string{"-n", "-r", KerberosRealm, "-P", file("kdc.pid")}
		},
	}
	k.Process, _ = d.start(t)
	run(k.ClientEnv, kinit, "-f", "-k", "-t", file("user.keytab"), User)
	return k
}

// No name server is asked for a host's other names.
const krb5Config = `[libdefaults]
	default_realm = @REALM
	dns_lookup_kdc = false
	dns_lookup_realm = false
	dns_canonicalize_hostname = false
	rdns = false
	udp_preference_limit = 1
	forwardable = true
[realms]
	@REALM = {
		kdc = 127.0.0.1:@PORT
	}
[domain_realm]
	localhost = @REALM
`

const kdcConfig = `[kdcdefaults]
	kdc_listen = ""
	kdc_tcp_listen = 127.0.0.1:@PORT
[realms]
	@REALM = {
		database_name = @DIR/principal
		key_stash_file = @DIR/stash
		acl_file = @DIR/acl
	}
[logging]
	kdc = FILE:@DIR/kdc.log
`
