package config

import (
	"net/http"
	"net/netip"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestCurl_has_an_argument_for_every_setting_or_a_reason(t *testing.T) {
	all := samples()
	for _, f := range featureSamples() {
		all = append(all, f.sample)
	}
	seen := map[string]bool{}
	for _, s := range all {
		x := settingOf(s.first)
		name, _, _ := strings.Cut(reflect.TypeOf(x).Name(), "[")
		_, has := x.(curler)
		why, listed := curlless[name]
		assert.True(t, has != listed, "config.%s: the setting %s needs a method curl, or else a reason in curlless", s.name, name)
		assert.True(t, !listed || slices.Contains([]string{inMessage, inProcess, ofMany, noSuch}, why), name)
		seen[name] = true
	}
	for name := range curlless {
		assert.True(t, seen[name], "curlless names %s, which is no setting", name)
	}
}

func TestCurl_arguments_say_what_the_options_say(t *testing.T) {
	for _, c := range []struct {
		option any
		url    string
		want   string
	}{
		{Timeout(1500 * time.Millisecond), "", "--max-time 1.5"},
		{Timeout(1), "", "--max-time 0.001"},
		{Timeout(0), "", ""},
		{ConnectTimeout(time.Second), "", "--connect-timeout 1"},
		{LowSpeed(10, time.Second+1), "", "--speed-limit 10 --speed-time 2"},
		{MaxUploadSpeed(5), "", "# MaxUploadSpeed"},
		{MaxDownloadSpeed(5), "", "# MaxDownloadSpeed"},
		{ExpectContinue(time.Second), "", "--expect100-timeout 1"},
		{HTTPVersion(HTTP10), "", "--http1.0"},
		{HTTPVersion(HTTP11), "", "--http1.1"},
		{HTTPVersion(HTTP2), "https://a/", "--tlsv1.2 --http2"},
		{HTTPVersion(HTTP2), "", ""},
		{HTTPVersion(HTTP2PriorKnowledge), "", "--http2-prior-knowledge"},
		{Resolve(map[string][]netip.Addr{"a:1": {addr("127.0.0.1"), addr("::1")}}), "", "--resolve a:1:127.0.0.1,[::1]"},
		{ConnectTo(map[string]string{"": "[::1]:80", "a:1": "b:2"}), "", "--connect-to a:1:b:2 --connect-to ::[::1]:80"},
		{UnixSocket("/x"), "", "--unix-socket /x"},
		{Interface("lo"), "", "--interface if!lo"},
		{LocalAddress(addr("127.0.0.1")), "", "--interface host!127.0.0.1"},
		{LocalPort(10, 3), "", "--local-port 10-12"},
		{IPVersion(IPv4), "", "--ipv4"},
		{IPVersion(IPv6), "", "--ipv6"},
		{TCPKeepAlive(time.Minute, time.Minute), "", "--keepalive-time 60"},
		{TCPKeepAlive(time.Minute, time.Second), "", "--keepalive-time 60 # TCPKeepAlive's interval"},
		{TCPNoDelay(false), "", "--no-tcp-nodelay"},
		{BasicAuth("u", secretText), "", "--basic --user xxxxx:xxxxx"},
		{DigestAuth("u", secretText), "", "--digest --user xxxxx:xxxxx"},
		{BearerAuth(secretText), "", "--oauth2-bearer xxxxx"},
		{
			AWSSigV4Auth(AWSSigV4{AccessKeyID: "k", SecretAccessKey: secretText, Region: "r", Service: "s"}), "",
			"--aws-sigv4 aws:amz:r:s --user xxxxx",
		},
		{TransferCompression(true), "", "--tr-encoding"},
		{AnyAuth("u", secretText), "", "--anyauth --user xxxxx:xxxxx"},
		{Proxy("http://u:" + secretText + "@p:1"), "", "--proxy http://p:1 --noproxy  --proxy-basic --proxy-user xxxxx:xxxxx"},
		{Proxy("socks5h://p"), "", "--proxy socks5h://p:1080 --noproxy  --socks5-basic"},
		{Proxy(""), "", "--noproxy *"},
		{ProxyHeaders(http.Header{"A": {"1"}}), "", ""},
		{ProxyDigestAuth("u", secretText), "", ""},
		{CAFile(files.ca), "https://a/", "--cacert " + files.ca + " --tlsv1.2"},
		{CABytes(files.caPEM), "https://a/", "--tlsv1.2 # CABytes"},
		{ClientCertificate(files.cert, files.key), "https://a/", "--tlsv1.2 --cert " + files.cert + " --key " + files.key},
		{ClientCertificate(files.both, ""), "https://a/", "--tlsv1.2 --cert " + files.both + " --key " + files.both},
		{ClientCertificate(files.cert, files.key), "", ""},
		{ClientCertificateBytes(files.certPEM, files.keyPEM), "https://a/", "--tlsv1.2 # ClientCertificateBytes"},
		{TLSMinVersion(0x0304), "https://a/", "--tlsv1.3"},
		{TLSMinVersion(0x0304), "", ""},
		{TLSMaxVersion(0x0304), "https://a/", "--tlsv1.2 --tls-max 1.3"},
		{DangerAcceptInvalidCertificates(true), "https://a/", "--tlsv1.2 --insecure"},
		{DangerAcceptInvalidHostnames(true), "https://a/", "--tlsv1.2 # DangerAcceptInvalidHostnames"},
		{Metrics(true), "", ""},
		{AbstractUnixSocket("x"), "", "--abstract-unix-socket x"},
		{ALPN(false), "https://a/", "--tlsv1.2 --no-alpn"},
		{ALPN(false), "", ""},
		{TLSSessionReuse(false), "https://a/", "--tlsv1.2 --no-sessionid"},
		{TLSFalseStart(true), "https://a/", "--tlsv1.2 --false-start"},
		{OCSPStapling(true), "https://a/", "--tlsv1.2 --cert-status"},
		{TLSCiphers("A", "B"), "https://a/", "--tlsv1.2 --ciphers A:B"},
		{TLS13Ciphers("A"), "https://a/", "--tlsv1.2 --tls13-ciphers A"},
		{TLSCurves("X25519"), "https://a/", "--tlsv1.2 --curves X25519"},
		{TLSSignatureAlgorithms("A"), "https://a/", "--tlsv1.2 --sigalgs A"},
		{TLSSRP("u", secretText), "https://a/", "--tlsv1.2 --tlsuser xxxxx --tlspassword xxxxx"},
		{ClientCertificatePassword(secretText), "https://a/", "--tlsv1.2 --pass xxxxx"},
		{PinnedPublicKey("sha256//47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="), "https://a/", "--tlsv1.2 --pinnedpubkey sha256//47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="},
		{IssuerCertificate(files.ca), "https://a/", "--tlsv1.2 # IssuerCertificate"},
		{DoH("https://d/q"), "", "--doh-url https://d/q"},
		{DangerDoHAcceptInvalidCertificates(true), "", "--doh-insecure"},
		{DangerDoHAcceptInvalidHostnames(true), "", "# DangerDoHAcceptInvalidHostnames"},
		{DoHOCSPStapling(true), "", "--doh-cert-status"},
		{ECH(ECHHard), "https://a/", "--tlsv1.2 --ech hard"},
		{TCPFastOpen(true), "", "--tcp-fastopen"},
		{TCPKeepAliveCount(3), "", "--keepalive-cnt 3"},
		{TypeOfService(8), "", "--ip-tos 8"},
		{HappyEyeballsDelay(time.Second), "", "--happy-eyeballs-timeout-ms 1000"},
		{HAProxyProtocol(true), "", "--haproxy-protocol"},
		{HAProxyClientIP(addr("127.0.0.1")), "", "--haproxy-clientip 127.0.0.1"},
		{DNSServers(netip.MustParseAddrPort("127.0.0.1:53")), "", "--dns-servers 127.0.0.1:53"},
		{DNSInterface("lo"), "", "--dns-interface lo"},
		{DNSLocalAddress(addr("127.0.0.1"), addr("::1")), "", "--dns-ipv4-addr 127.0.0.1 --dns-ipv6-addr ::1"},
		{AllowHTTP09(true), "", "--http0.9"},
		{IgnoreContentLength(true), "", "--ignore-content-length"},
		{TransferDecoding(false), "", "--raw"},
		{DisallowUserinfo(true), "", "--disallow-username-in-url"},
		{MaxBodyBytes(5), "", "--max-filesize 5"},
		{HeaderOrder("A"), "", "# HeaderOrder"},
		{PreProxy("socks5h://p"), "", ""}, // there is no proxy behind it
		{ProxyTunnel(true), "", ""},
		{ProxyHTTP2(true), "", ""},
		{ProxyTLS(TLSCiphers("A")), "", ""},
	} {
		client, err := NewClient(c.option.(ClientOption))
		if err != nil {
			continue // not every libcurl has it
		}
		u, err := url.Parse(c.url)
		require.NoError(t, err)
		if c.url == "" {
			u = &url.URL{Scheme: "http", Host: "a"}
		}
		args, without, err := client.Defaults().CurlArguments(u, false)
		require.NoError(t, err)
		got := strings.Join(args, " ")
		if len(without) > 0 {
			got = strings.TrimPrefix(got+" # "+strings.Join(without, ", "), " ")
		}
		assert.Equal(t, c.want, got)
	}
}

func TestCurl_arguments_have_secrets_only_if_asked_for(t *testing.T) {
	for _, s := range samples() {
		o, ok := s.first.(ClientOption)
		if !ok {
			continue
		}
		client, err := NewClient(o, Proxy("http://u:"+secretText+"@p:1"), ProxyHeaders(http.Header{"X-Api-Key": {secretText}}))
		require.NoError(t, err)
		args, without, err := client.Defaults().CurlArguments(&url.URL{Scheme: "http", Host: "a"}, false)
		require.NoError(t, err)
		assert.NotContains(t, strings.Join(append(args, without...), " "), secretText, s.name)
	}
	client, err := NewClient(BasicAuth("u", secretText), Proxy("http://p:1"), ProxyAnyAuth("x", "y"), ProxyHeaders(http.Header{"X-Api-Key": {secretText}}))
	require.NoError(t, err)
	args, _, err := client.Defaults().CurlArguments(&url.URL{Scheme: "https", Host: "a"}, true)
	require.NoError(t, err)
	all := strings.Join(args, " ")
	for _, want := range []string{"--user u:" + secretText, "--proxy-user x:y", "--proxy-anyauth", "--proxy-header X-Api-Key: " + secretText} {
		assert.Contains(t, all, want)
	}
	client, err = NewClient(Proxy("https://p:1"), PreProxy("socks5://q"), ProxyTunnel(true), ProxyHeaders(nil),
		ProxyTLS(TLSCiphers("A"), CAFile(files.ca), ClientCertificate(files.cert, files.key), DangerAcceptInvalidCertificates(true)))
	require.NoError(t, err)
	args, _, err = client.Defaults().CurlArguments(&url.URL{Scheme: "http", Host: "a"}, true)
	require.NoError(t, err)
	all = strings.Join(args, " ")
	for _, want := range []string{
		"--preproxy socks5://q:1080 --socks5-basic", "--proxytunnel", "--proxy-ciphers A", "--proxy-cacert " + files.ca,
		"--proxy-cert " + files.cert + " --proxy-key " + files.key, "--proxy-insecure",
	} {
		assert.Contains(t, all, want)
	}
	assert.NotContains(t, all, " --ciphers")
	// Both speeds are one argument if they are equal.
	client, err = NewClient(MaxUploadSpeed(7), MaxDownloadSpeed(7))
	require.NoError(t, err)
	args, without, err := client.Defaults().CurlArguments(&url.URL{Scheme: "http", Host: "a"}, true)
	require.NoError(t, err)
	assert.Contains(t, strings.Join(args, " "), "--limit-rate 7")
	assert.Empty(t, without)
}
