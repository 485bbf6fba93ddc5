package parity

import (
	"bytes"
	"context"
	"crypto/tls"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom"
	"github.com/ratmom/ratmom/config"
	"github.com/ratmom/ratmom/cookie"
	"github.com/ratmom/ratmom/internal/testserver"
)

// runCurl runs a command that AsCurl made, and returns what it printed.
func runCurl(t *testing.T, command, input string) string {
	t.Helper()
	if _, err := exec.LookPath("curl"); err != nil {
		if os.Getenv(testserver.RequireServers) != "" {
			require.NoError(t, err)
		}
		t.Skip("there is no curl")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	sh := exec.CommandContext(ctx, "sh", "-c", command)
	sh.Stdin = strings.NewReader(input)
	// Nothing of the user's has a say.
	sh.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "LD_LIBRARY_PATH=" + os.Getenv("LD_LIBRARY_PATH"), "http_proxy=http://127.0.0.1:1"}
	var out, errs bytes.Buffer
	sh.Stdout, sh.Stderr = &out, &errs
	require.NoError(t, sh.Run(), "%s\n%s", command, errs.String())
	return out.String()
}

// seen is what of a request curl and the client must have in common.
type seen struct {
	method, target string
	header         []string
	body           string
	chunked        bool
}

func seenOf(r *testserver.Request) seen {
	header := slices.Clone(r.Header)
	slices.Sort(header)
	return seen{r.Method, r.Target, header, string(r.Body), r.Chunked}
}

type onlyReader struct{ io.Reader }

func TestAsCurl_sends_what_the_client_sends(t *testing.T) {
	jar := new(cookie.Jar)
	for _, c := range []struct {
		name    string
		method  string
		path    string
		body    io.Reader
		input   string
		change  func(*http.Request)
		options func(*testserver.Mock) []config.RequestOption
	}{
		{name: "GET"},
		{name: "HEAD", method: "HEAD"},
		{name: "DELETE", method: "DELETE"},
		{name: "another method", method: "PROPFIND"},
		{name: "POST", method: "POST", body: strings.NewReader("a=b&c='d'\n\\ \"$x\" `y` é")},
		{name: "body like a file", method: "POST", body: strings.NewReader("@/etc/hostname")},
		{name: "body with line ends", method: "PUT", body: strings.NewReader("a\r\nb\n\n")},
		{name: "body with a type", method: "POST", body: strings.NewReader("{}"), change: func(r *http.Request) { r.Header.Set("Content-Type", "application/json") }},
		{name: "POST without a body", method: "POST"},
		{name: "PATCH without a body", method: "PATCH"},
		{name: "GET with a body", body: strings.NewReader("x")},
		{name: "bytes", method: "POST", body: strings.NewReader("a\x00b\xff"), input: "a\x00b\xff"},
		{name: "a big body", method: "POST", body: strings.NewReader(strings.Repeat("x", 100_000)), input: strings.Repeat("x", 100_000)},
		{name: "a stream", method: "POST", body: onlyReader{strings.NewReader("stream")}, input: "stream"},
		{name: "a stream with a type", method: "PUT", body: onlyReader{strings.NewReader("stream")}, input: "stream", change: func(r *http.Request) { r.Header.Set("Content-Type", "text/plain") }},
		{name: "header", change: func(r *http.Request) {
			r.Header = http.Header{"X-A": {"1", "it's", "", " b "}, "x-lower": {"@x"}, "Authorization": {"Bearer s3cret"}, "Cookie": {"a=1; b=2"}}
		}},
		{name: "no Accept", change: func(r *http.Request) { r.Header["Accept"] = nil }},
		{name: "another Accept", change: func(r *http.Request) { r.Header.Set("Accept", "text/html") }},
		{name: "no User-Agent", change: func(r *http.Request) { r.Header["User-Agent"] = nil }},
		{name: "another User-Agent", change: func(r *http.Request) { r.Header.Set("User-Agent", "me and 'you'") }},
		{name: "another Host", change: func(r *http.Request) { r.Host = "site.example" }},
		{name: "Accept-Encoding", change: func(r *http.Request) { r.Header.Set("Accept-Encoding", "br") }},
		{name: "Range", change: func(r *http.Request) { r.Header.Set("Range", "bytes=1-2") }},
		{name: "close", change: func(r *http.Request) { r.Close = true }},
		{name: "query and brackets", path: "/a[1]{2,3}?x=[1-3]&y='z'&w=$HOME#fragment"},
		{name: "dots", path: "/a/../b/./c"},
		{name: "escapes", path: "/a%2fb%20c?%20"},
		{name: "question mark at the end", path: "/a?"},
		{name: "target", method: "OPTIONS", change: func(r *http.Request) { r.URL.Path = "*" }},
		{name: "opaque", change: func(r *http.Request) { r.URL.Opaque = "//" + r.URL.Host + "/%41%zz" }},
		{name: "userinfo", change: func(r *http.Request) { r.URL.User = url.UserPassword("user", "p w:'x'") }},
		{name: "NoRedirect", options: opts(config.NoRedirect())},
		{name: "UserAgent", options: opts(config.UserAgent("a b"))},
		{name: "no UserAgent", options: opts(config.UserAgent(""))},
		{name: "no Decompression", options: opts(config.Decompression(false))},
		{name: "TitleCaseHeaders", options: opts(config.TitleCaseHeaders(true)), change: func(r *http.Request) { r.Header["x-lower-case"] = []string{"1"} }},
		{name: "HTTP10", options: opts(config.HTTPVersion(config.HTTP10))},
		{name: "HTTP11", options: opts(config.HTTPVersion(config.HTTP11))},
		{name: "HTTP2 over http", options: opts(config.HTTPVersion(config.HTTP2))},
		{name: "BasicAuth", options: opts(config.BasicAuth("u", "p:'w'"))},
		{name: "ExpectContinue", method: "POST", body: strings.NewReader("x"), options: opts(config.ExpectContinue(time.Millisecond))},
		{name: "times", options: opts(config.Timeout(10*time.Second), config.ConnectTimeout(1500*time.Millisecond), config.LowSpeed(1, 10*time.Second))},
		{name: "speeds", options: opts(config.MaxUploadSpeed(1<<20), config.MaxDownloadSpeed(1<<20))},
		{name: "network", options: opts(config.IPVersion(config.IPv4), config.Interface("lo"), config.TCPKeepAlive(time.Minute, time.Minute), config.TCPNoDelay(false))},
		{name: "LocalAddress", options: opts(config.LocalAddress(netip.MustParseAddr("127.0.0.1")))},
		{name: "LocalPort", options: opts(config.LocalPort(20000, 20000))},
		{name: "CookieJar", options: opts(config.CookieJar(jar)), change: func(r *http.Request) {
			require.NoError(t, jar.Set(r.URL, `jar="q v"; Path=/`))
			r.Header.Set("Cookie", "own=1")
		}},
		{name: "ConnectTo", options: func(m *testserver.Mock) []config.RequestOption {
			return []config.RequestOption{config.ConnectTo(map[string]string{"site.example:80": host(m)})}
		}, change: func(r *http.Request) { r.URL.Host = "site.example" }},
		{name: "IDN", options: func(m *testserver.Mock) []config.RequestOption {
			return []config.RequestOption{config.ConnectTo(map[string]string{"": host(m)})}
		}, change: func(r *http.Request) { r.URL.Host = "bücher.example:81" }},
		{name: "Proxy", options: func(m *testserver.Mock) []config.RequestOption {
			return []config.RequestOption{config.Proxy("http://user:p'w@" + host(m)), config.ProxyHeaders(http.Header{"X-Proxy": {"1"}})}
		}, change: func(r *http.Request) { r.URL.Host, r.URL.RawQuery = "site.example", "a=é" }},
		{name: "ProxyBasicAuth", options: func(m *testserver.Mock) []config.RequestOption {
			return []config.RequestOption{config.Proxy("http://" + host(m)), config.ProxyBasicAuth("a", "b")}
		}, change: func(r *http.Request) { r.URL.Host = "site.example" }},
		{name: "Range option", options: opts(config.Range(1, 3))},
		{name: "TimeCondition", options: opts(config.TimeCondition(config.IfModifiedSince, time.Unix(1e9, 0)))},
		{name: "RequestTarget", options: opts(config.RequestTarget("/a/../%zz?x#y"))},
		{name: "RawHeaders", options: opts(config.RawHeaders(true)), change: func(r *http.Request) {
			r.Header = http.Header{"user-agent": {"me"}, "X-b": {"1"}}
		}},
		{name: "RawHeaders without any", options: opts(config.RawHeaders(true))},
		{name: "HAProxyProtocol off", options: opts(config.HAProxyProtocol(false), config.MaxBodyBytes(1000), config.IgnoreContentLength(false))},
		{name: "RequestTarget by a proxy", options: func(m *testserver.Mock) []config.RequestOption {
			return []config.RequestOption{config.Proxy("http://" + host(m)), config.RequestTarget("/x")}
		}, change: func(r *http.Request) { r.URL.Host = "site.example" }},
		{name: "UnixSocket off and more of the network", options: opts(config.UnixSocket(""), config.HappyEyeballsDelay(time.Millisecond), config.TypeOfService(0))},
		{name: "NoProxy", options: opts(config.Proxy("http://127.0.0.1:1"), config.NoProxy("127.0.0.0/8"))},
		{name: "no Proxy", options: opts(config.Proxy(""))},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := testserver.NewMock(t, func(*testserver.Request) testserver.Reply {
				if c.method == "HEAD" {
					return testserver.Reply{}
				}
				return testserver.Text(200, "hello")
			})
			client := newClient(t)
			var options []config.RequestOption
			if c.options != nil {
				options = c.options(m)
			}
			path := c.path
			if path == "" {
				path = "/path"
			}
			method := c.method
			if method == "" {
				method = "GET"
			}
			req := newRequest(t, method, m.URL+path, c.body)
			if c.change != nil {
				c.change(req)
			}
			command, err := client.AsCurlWithSecrets(req, options...)
			require.NoError(t, err)
			assert.NotContains(t, command, " # ")
			resp := open(t, client, req, options...)
			require.NoError(t, resp.Discard())
			out := runCurl(t, command+" --silent --show-error", c.input)
			if method != "HEAD" {
				assert.Equal(t, "hello", out)
			}
			requests := m.Requests()
			require.Len(t, requests, 2, command)
			assert.Equal(t, seenOf(requests[0]), seenOf(requests[1]), command)
			assert.Equal(t, requests[0].Proto, requests[1].Proto)
		})
	}
}

func opts(list ...config.RequestOption) func(*testserver.Mock) []config.RequestOption {
	return func(*testserver.Mock) []config.RequestOption { return list }
}

func host(m *testserver.Mock) string { return strings.TrimPrefix(m.URL, "http://") }

func TestAsCurl_follows_redirects_as_often_as_the_client(t *testing.T) {
	m := testserver.NewMock(t, func(r *testserver.Request) testserver.Reply {
		if r.Path() == "/a" {
			return testserver.Redirect(302, "/b")
		}
		return testserver.Text(200, "there")
	})
	client := newClient(t, config.AutoReferer(true))
	command, err := client.AsCurl(newRequest(t, "GET", m.URL+"/a", nil))
	require.NoError(t, err)
	assert.Equal(t, "there", runCurl(t, command+" --silent", ""))
	assert.Equal(t, m.URL+"/a", m.Requests()[1].Get("Referer"))
	command, err = client.AsCurl(newRequest(t, "GET", m.URL+"/a", nil), config.NoRedirect())
	require.NoError(t, err)
	assert.NotContains(t, command, "--location")
}

func TestAsCurl_masks_secrets(t *testing.T) {
	client := newClient(t)
	req := newRequest(t, "GET", "http://user:s3cret@site.example/", nil)
	req.Header = http.Header{"X-Api-Key": {"s3cret"}, "Cookie": {"a=s3cret"}, "X-Plain": {"1"}}
	command, err := client.AsCurl(req, config.Proxy("http://u:s3cret@p.example"))
	require.NoError(t, err)
	assert.NotContains(t, command, "s3cret")
	assert.NotContains(t, command, "user:")
	for _, want := range []string{"'X-Api-Key: xxxxx'", "'Cookie: xxxxx'", "'X-Plain: 1'", "--user xxxxx:xxxxx", "--proxy-user xxxxx:xxxxx"} {
		assert.Contains(t, command, want)
	}
	_, err = ratmom.AsCurl(req)
	require.NoError(t, err)
}

func TestAsCurl_says_what_curl_has_no_argument_for(t *testing.T) {
	client := newClient(t)
	req := newRequest(t, "POST", "https://site.example/", strings.NewReader("x"))
	req.Trailer = http.Header{"A": nil}
	command, err := client.AsCurl(req, config.DangerAcceptInvalidHostnames(true))
	require.NoError(t, err)
	assert.True(t, strings.HasSuffix(command, " https://site.example/ # without DangerAcceptInvalidHostnames, trailers"), command)

	for method, body := range map[string]io.Reader{"CONNECT": nil, "HEAD": strings.NewReader("x")} {
		_, err = client.AsCurl(newRequest(t, method, "http://site.example/", body))
		require.ErrorIs(t, err, ratmom.ErrInvalidRequest)
	}
	_, err = client.AsCurl(nil)
	require.ErrorIs(t, err, ratmom.ErrInvalidRequest)
	_, err = client.AsCurl(newRequest(t, "GET", "http://site.example/", nil), config.Timeout(-1))
	require.ErrorIs(t, err, ratmom.ErrInvalidOption)
}

// Over TLS with a file of certificates, one of the client's, and a name that is not the host's.
func TestAsCurl_speaks_TLS_as_the_client_does(t *testing.T) {
	m := tlsMock(t, testserver.WithCertificate(testserver.LocalAuthority(t).Host(t, "site.example")))
	cert, key := testserver.LocalAuthority(t).Client(t, "me").Files(t)
	client := newClient(t, config.CAFile(m.CAFile), config.TLSServerName("site.example"), config.TLSMaxVersion(tls.VersionTLS12),
		config.ClientCertificate(cert, key))
	req := newRequest(t, "GET", m.URL+"/a", nil)
	command, err := client.AsCurlWithSecrets(req)
	require.NoError(t, err)
	require.NoError(t, open(t, client, req).Discard())
	runCurl(t, command+" --silent --show-error", "")
	requests := m.Requests()
	require.Len(t, requests, 2)
	assert.Equal(t, seenOf(requests[0]), seenOf(requests[1]))
	for _, r := range requests {
		assert.EqualValues(t, tls.VersionTLS12, r.TLS.Version)
		assert.Equal(t, "site.example", r.TLS.ServerName)
	}

	bad := tlsMock(t, testserver.WithCertificate(testserver.LocalAuthority(t).Expired(t)))
	command, err = newClient(t).AsCurl(newRequest(t, "GET", bad.URL, nil), config.DangerAcceptInvalidCertificates(true))
	require.NoError(t, err)
	runCurl(t, command+" --silent --show-error", "")
	require.Len(t, bad.Requests(), 1)
}
