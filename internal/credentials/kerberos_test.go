package credentials

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom"
	"github.com/ratmom/ratmom/cgo"
	"github.com/ratmom/ratmom/config"
	"github.com/ratmom/ratmom/internal/testserver"
)

// Variables of the child: what the tests beside it have started.
const (
	apacheURL   = "RATMOM_TEST_APACHE"
	apacheTLS   = "RATMOM_TEST_APACHE_TLS"
	apacheCA    = "RATMOM_TEST_APACHE_CA"
	delegatedTo = "RATMOM_TEST_DELEGATED"
	squidURL    = "RATMOM_TEST_SQUID"
	squidTLS    = "RATMOM_TEST_SQUID_TLS"
	leavesCalls = "RATMOM_TEST_LEAVES_CALLS"
)

// The GSS-API library reads the environment of its process, so that its user is a
// child, started with that of the KDC.
func TestKerberos(t *testing.T) {
	needGSSAPI(t)
	k := testserver.Kerberos(t)
	apache := testserver.ApacheKerberos(t, k)
	squid := testserver.SquidKerberos(t, k)
	env := []string{
		apacheURL + "=" + strings.Replace(apache.URL, "127.0.0.1", "localhost", 1), apacheTLS + "=" + apache.TLSURL,
		apacheCA + "=" + apache.CAFile, delegatedTo + "=" + apache.Delegated,
		squidURL + "=" + strings.Replace(squid.URL, "127.0.0.1", "localhost", 1), squidTLS + "=" + squid.TLSURL,
	}
	t.Run("with a ticket", func(t *testing.T) {
		again(t, "TestChild_with_a_ticket", append(k.ClientEnv, env...))
		assert.Contains(t, k.Log(), testserver.User+"@"+testserver.KerberosRealm+" for HTTP/localhost@")
		assert.Contains(t, k.Log(), testserver.User+"@"+testserver.KerberosRealm+" for web/localhost@", "ServiceName")
	})
	t.Run("without a ticket", func(t *testing.T) {
		again(t, "TestChild_without_a_ticket", append(k.BareEnv, env...))
	})
	t.Run("while the KDC is silent", func(t *testing.T) {
		conf, err := os.ReadFile(filepath.Join(k.Dir, "krb5.conf"))
		require.NoError(t, err)
		deaf := testserver.Unanswering(t)
		dir := t.TempDir()
		silent := filepath.Join(dir, "krb5.conf")
		lines := strings.Split(string(conf), "\n")
		for i, l := range lines {
			if strings.Contains(l, "kdc =") {
				lines[i] = "\t\tkdc = " + deaf
			}
		}
		require.NoError(t, os.WriteFile(silent, []byte(strings.Join(lines, "\n")), 0o600))
		// The ticket that gets tickets is there, and none for the service yet.
		again(t, "TestChild_while_the_KDC_is_silent", append(append(k.ClientEnv, env...), "KRB5_CONFIG="+silent, leavesCalls+"=1"))
	})
}

func needGSSAPI(t *testing.T) {
	t.Helper()
	if !cgo.Features().GSSAPI {
		testserver.Lacks(t, "libcurl without GSS-API")
	}
}

// again runs a test of this program in another process.
func again(t *testing.T, name string, env []string) {
	t.Helper()
	exe, err := os.Executable()
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, exe, "-test.run=^"+name+"$", "-test.v", "-test.count=1")
	cmd.Env = append(os.Environ(), env...)
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.Contains(t, string(out), "--- PASS: "+name, "%s", out)
}

// childOnly skips where there is no parent.
func childOnly(t *testing.T) {
	t.Helper()
	if os.Getenv(apacheURL) == "" {
		t.Skip("run by TestKerberos")
	}
}

func TestChild_with_a_ticket(t *testing.T) {
	childOnly(t)
	apache, ca := os.Getenv(apacheURL), config.CAFile(os.Getenv(apacheCA))
	c := newClient(t, ca, config.NegotiateAuth())
	user := testserver.User + "@" + testserver.KerberosRealm
	hello := func(t *testing.T, c *ratmom.Client, url string, opts ...config.RequestOption) *ratmom.Response {
		t.Helper()
		resp, err := c.Get(url, opts...)
		require.NoError(t, err)
		text, err := resp.Text()
		require.NoError(t, err)
		require.Equal(t, 200, resp.StatusCode, text)
		require.Equal(t, testserver.Hello, text)
		return resp
	}
	status := func(t *testing.T, url string, opts ...config.RequestOption) int {
		t.Helper()
		resp, err := c.Get(url, opts...)
		require.NoError(t, err)
		require.NoError(t, resp.Discard())
		return resp.StatusCode
	}

	t.Run("over all versions of HTTP", func(t *testing.T) {
		for _, url := range []string{apache, os.Getenv(apacheTLS)} {
			for range 3 {
				assert.Equal(t, user, hello(t, c, url+"/negotiate/hello.txt").Header.Get("X-User"))
			}
		}
		assert.Equal(t, 1, hello(t, c, apache+"/negotiate/hello.txt").ProtoMajor)
		if cgo.Features().HTTP2 {
			assert.Equal(t, 2, hello(t, c, os.Getenv(apacheTLS)+"/negotiate/hello.txt").ProtoMajor)
		}
	})
	t.Run("not without the option", func(t *testing.T) {
		assert.Equal(t, 401, status(t, apache+"/negotiate/hello.txt", config.NoAuth()))
		assert.Equal(t, 401, status(t, apache+"/negotiate/hello.txt", config.AnyAuth("a", "b")), "has no name for it")
	})
	t.Run("through Transport and SendAsync", func(t *testing.T) {
		hc := &http.Client{Transport: c.Transport()}
		resp, err := hc.Get(apache + "/negotiate/hello.txt")
		require.NoError(t, err)
		_, err = io.Copy(io.Discard, resp.Body)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		assert.Equal(t, 200, resp.StatusCode)
		var all []*ratmom.Future
		for range 40 {
			req, err := http.NewRequestWithContext(t.Context(), "GET", apache+"/negotiate/hello.txt", nil)
			require.NoError(t, err)
			all = append(all, c.SendAsync(req))
		}
		for _, f := range all {
			resp, err := f.Wait(t.Context())
			require.NoError(t, err)
			assert.Equal(t, 200, resp.StatusCode)
			require.NoError(t, resp.Discard())
		}
	})
	// Each token goes with its body at once, a stream too: there is nothing to rewind.
	t.Run("with bodies", func(t *testing.T) {
		for _, body := range []io.Reader{strings.NewReader("abc"), io.MultiReader(strings.NewReader(strings.Repeat("x", 300_000)))} {
			req, err := http.NewRequestWithContext(t.Context(), "POST", apache+"/negotiate/hello.txt", body)
			require.NoError(t, err)
			resp, err := c.Send(req)
			require.NoError(t, err)
			require.NoError(t, resp.Discard())
			assert.Equal(t, user, resp.Header.Get("X-User"))
			assert.NotEqual(t, 401, resp.StatusCode)
		}
	})
	// The server lets all through that comes over a connection once authenticated.
	t.Run("not for who has no part in it, over the same connection", func(t *testing.T) {
		url := apache + "/bound/hello.txt"
		for range 2 {
			hello(t, c, url)
		}
		assert.Equal(t, 401, status(t, url, config.NoAuth()))
		hello(t, c, url)
		plain := newClient(t)
		hello(t, plain, url, config.NegotiateAuth())
		resp, err := plain.Get(url)
		require.NoError(t, err)
		require.NoError(t, resp.Discard())
		assert.Equal(t, 401, resp.StatusCode)
	})
	t.Run("ServiceName", func(t *testing.T) {
		hello(t, c, apache+"/negotiate/hello.txt", config.ServiceName("web"))
		_, err := c.Get(apache+"/negotiate/hello.txt", config.ServiceName("nosuch"))
		require.ErrorIs(t, err, ratmom.ErrAuth)
		assert.ErrorContains(t, err, "no ticket for nosuch/localhost")
	})
	t.Run("GSSAPIDelegation", func(t *testing.T) {
		handed := filepath.Join(os.Getenv(delegatedTo), user)
		hello(t, c, apache+"/negotiate/hello.txt", config.GSSAPIDelegation(config.DelegationByPolicy))
		assert.NoFileExists(t, handed, "the KDC does not vouch for the server")
		hello(t, c, apache+"/negotiate/hello.txt", config.GSSAPIDelegation(config.DelegationAlways))
		assert.FileExists(t, handed)
	})
	t.Run("to proxies", func(t *testing.T) {
		for _, proxy := range []string{os.Getenv(squidURL), os.Getenv(squidTLS)} {
			p := newClient(t, ca, config.Proxy(proxy))
			for _, url := range []string{apache + "/hello.txt", os.Getenv(apacheTLS) + "/hello.txt"} {
				hello(t, p, url, config.ProxyNegotiateAuth())
				hello(t, p, url, config.ProxyNegotiateAuth(), config.ProxyServiceName("web"))
				hello(t, p, strings.Replace(url, "/hello", "/negotiate/hello", 1), config.ProxyNegotiateAuth(), config.NegotiateAuth())
			}
			resp, err := p.Get(apache + "/hello.txt")
			require.NoError(t, err)
			require.NoError(t, resp.Discard())
			assert.Equal(t, 407, resp.StatusCode)
			_, err = p.Get(os.Getenv(apacheTLS) + "/hello.txt")
			require.Error(t, err)
			always := newClient(t, ca, config.Proxy(proxy), config.ProxyNegotiateAuth())
			for range 3 {
				hello(t, always, apache+"/hello.txt")
				hello(t, always, os.Getenv(apacheTLS)+"/hello.txt")
			}
		}
	})
	t.Run("not to another origin", func(t *testing.T) {
		other := newRecorder(t)
		first := testserver.StartFunc(t, testserver.H1, func(w http.ResponseWriter, r *http.Request) {
			assert.True(t, strings.HasPrefix(r.Header.Get("Authorization"), "Negotiate "))
			http.Redirect(w, r, other.URL+r.URL.Path, http.StatusFound)
		})
		url := fmt.Sprintf("http://localhost:%d/", first.Port())
		get(t, c, url)
		other.sawNothing(t)
		throughHTTPClient(t, c, url)
		other.sawNothing(t)
	})
}

func TestChild_without_a_ticket(t *testing.T) {
	childOnly(t)
	s := newRecorder(t)
	c := newClient(t, config.NegotiateAuth())
	resp, err := c.Get(strings.Replace(s.URL, "127.0.0.1", "localhost", 1))
	if err == nil {
		_ = resp.Discard()
	}
	require.ErrorIs(t, err, ratmom.ErrAuth)
	assert.ErrorContains(t, err, "no ticket for HTTP/localhost")
	assert.Empty(t, s.all(), "nothing is sent")
	// The request's own header needs none.
	req, err := http.NewRequestWithContext(t.Context(), "GET", s.URL, nil)
	require.NoError(t, err)
	req.Header.Set("Authorization", "Other x")
	resp, err = c.Send(req)
	require.NoError(t, err)
	require.NoError(t, resp.Discard())
	assert.Equal(t, "Other x", s.all()[0].Get("Authorization"))
}

// A KDC that does not answer holds up those that need it, as long as they may take,
// and nobody else.
func TestChild_while_the_KDC_is_silent(t *testing.T) {
	childOnly(t)
	s := newRecorder(t)
	c := newClient(t)
	url := strings.Replace(s.URL, "127.0.0.1", "localhost", 1)
	var all []*ratmom.Future
	for range 20 { // more than there are threads for it
		req, err := http.NewRequestWithContext(t.Context(), "GET", url, nil)
		require.NoError(t, err)
		all = append(all, c.SendAsync(req, config.NegotiateAuth(), config.ServiceName("absent"), config.Timeout(300*time.Millisecond)))
	}
	get(t, c, url)
	ctx, cancel := context.WithCancel(t.Context())
	req, err := http.NewRequestWithContext(ctx, "GET", url, nil)
	require.NoError(t, err)
	f := c.SendAsync(req, config.NegotiateAuth(), config.ServiceName("absent"))
	cancel()
	_, err = f.Wait(t.Context())
	require.ErrorIs(t, err, context.Canceled)
	for _, f := range all {
		_, err := f.Wait(t.Context())
		require.ErrorIs(t, err, ratmom.ErrTimeout)
	}
	assert.Len(t, s.all(), 1)
}
