package config

import (
	"crypto/tls"
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/ratmom/ratmom/cgo"
	"github.com/ratmom/ratmom/retry"
)

// added returns what an option packs beyond what every client does, for an http
// and an https URL.
func added(t *testing.T, o any, u string) []string {
	t.Helper()
	c := client(t)
	base := records(t, c.Defaults(), u)
	var got []string
	if co, ok := o.(ClientOption); ok {
		got = records(t, client(t, co).Defaults(), u)
	} else {
		got = records(t, request(t, c, o), u)
	}
	got = slices.DeleteFunc(got, func(s string) bool { return slices.Contains(base, s) })
	return append([]string(nil), got...) // nil if there are none
}

func TestOptions_pack_what_libcurl_is_to_do(t *testing.T) {
	cases := []struct {
		option any
		want   []string
	}{
		{Timeout(time.Second), nil}, // kept in Go over all transfers of a request
		{ResponseHeadTimeout(1), nil},
		{IdleReadTimeout(1), nil},
		{ConnectTimeout(1), []string{"CURLOPT_CONNECTTIMEOUT_MS 1"}},
		{ConnectTimeout(1500*time.Millisecond + 1), []string{"CURLOPT_CONNECTTIMEOUT_MS 1501"}},
		{ConnectTimeout(0), []string{"CURLOPT_CONNECTTIMEOUT_MS 2147483647"}},
		{LowSpeed(10, time.Millisecond), []string{"CURLOPT_LOW_SPEED_LIMIT 10", "CURLOPT_LOW_SPEED_TIME 1"}},
		{LowSpeed(0, 0), nil},
		{MaxUploadSpeed(5), []string{"CURLOPT_MAX_SEND_SPEED_LARGE 5"}},
		{MaxDownloadSpeed(1 << 40), []string{"CURLOPT_MAX_RECV_SPEED_LARGE 1099511627776"}},
		{MaxDownloadSpeed(0), nil},
		{HTTPVersion(HTTPDefault), nil},
		{HTTPVersion(HTTP10), []string{"CURLOPT_HTTP_VERSION 1"}},
		{HTTPVersion(HTTP11), []string{"CURLOPT_HTTP_VERSION 2"}},
		{DefaultHeader("A", "b"), nil}, // added in Go
		{UserAgent("x/1"), []string{"CURLOPT_USERAGENT x/1"}},
		{UserAgent(""), nil},
		{Decompression(true), nil}, // done in Go
		{Decompression(false), nil},
		{RequestTarget("*"), nil}, // goes with the URL
		{HeaderOrder("A"), nil},
		{RawHeaders(true), nil},
		{MaxBodyBytes(1), nil}, // counted in Go
		{MaxDecompressedBytes(1), nil},
		{Range(0, 1), nil}, // a header field
		{TimeCondition(IfModifiedSince, time.Unix(1, 0)), nil},
		{StatusAliases("ICY 200", "SOURCE"), []string{"CURLOPT_HTTP200ALIASES [ICY 200 SOURCE]"}},
		{StatusAliases(), nil},
		{IgnoreContentLength(true), []string{"CURLOPT_IGNORE_CONTENT_LENGTH 1"}},
		{IgnoreContentLength(false), nil},
		{AllowHTTP09(true), []string{"CURLOPT_HTTP09_ALLOWED 1"}},
		{AllowHTTP09(false), nil},
		{StopUploadOnError(true), []string{"CURLOPT_KEEP_SENDING_ON_ERROR 0"}},
		{StopUploadOnError(false), nil}, // what every transfer has
		{DisallowUserinfo(true), nil},   // looked at in Go
		{TransferDecoding(false), []string{"CURLOPT_HTTP_CONTENT_DECODING 0", "CURLOPT_HTTP_TRANSFER_DECODING 0"}},
		{TransferDecoding(true), nil},
		{TransferCompression(true), []string{"CURLOPT_HTTP_CONTENT_DECODING 0", "CURLOPT_HTTP_TRANSFER_DECODING 0"}},
		{TransferCompression(false), nil},
		{UploadProgress(func(int64, int64) {}), nil},
		{DownloadProgress(func(int64, int64) {}), nil},
		{BufferSize(100_000), []string{"CURLOPT_BUFFERSIZE 100000"}},
		{UploadBufferSize(16384), []string{"CURLOPT_UPLOAD_BUFFERSIZE 16384"}},
		{ExpectContinue(1), []string{"CURLOPT_EXPECT_100_TIMEOUT_MS 1"}},
		{ExpectContinue(0), nil},
		{BasicAuth("u", "p"), []string{"CURLOPT_HTTPAUTH 1", "CURLOPT_PASSWORD p", "CURLOPT_USERNAME u"}},
		{DigestAuth("u", "p"), []string{"CURLOPT_HTTPAUTH 2", "CURLOPT_PASSWORD p", "CURLOPT_USERNAME u"}},
		{AnySafeAuth("u", "p"), []string{fmt.Sprint("CURLOPT_HTTPAUTH ", int(anySafeAuth())), "CURLOPT_PASSWORD p", "CURLOPT_USERNAME u"}},
		{BearerAuth("a.b-c"), []string{"CURLOPT_HTTPAUTH 64", "CURLOPT_XOAUTH2_BEARER a.b-c"}},
		{AWSSigV4Auth(AWSSigV4{AccessKeyID: "a", SecretAccessKey: "b", Region: "r", Service: "s"}), nil}, // made in Go
		{Netrc(files.netrc), []string{"CURLOPT_HTTPAUTH 1", "CURLOPT_PASSWORD " + secretText, "CURLOPT_USERNAME u"}},
		{Netrc(files.empty), nil},
		{NoAuth(), nil},
		{ProxyBasicAuth("u", "p"), nil}, // there is no proxy
		{ProxyHeaders(http.Header{"A": {"b"}}), nil},
		{DangerAcceptInvalidCertificates(false), nil},
		{ConnectionCacheSize(0), []string{"CURLOPT_FORBID_REUSE 1"}},
		{ConnectionCacheSize(5), nil},
		{IdleConnectionAge(time.Second + 1), []string{"CURLOPT_MAXAGE_CONN 2"}},
		{IdleConnectionAge(0), []string{"CURLOPT_MAXAGE_CONN 2147483647"}},
		{ConnectionLifetime(1), []string{"CURLOPT_MAXLIFETIME_CONN 1"}},
		{ConnectionLifetime(0), nil},
		{FreshConnection(), []string{"CURLOPT_FRESH_CONNECT 1"}},
		{ConnectionReuse(retry.ReuseNever), []string{"CURLOPT_FORBID_REUSE 1", "CURLOPT_FRESH_CONNECT 1"}},
		{ConnectionReuse(retry.ReuseSafe), nil}, // by the request
		{ConnectionReuse(retry.ReuseAlways), nil},
		{Retry(retry.Policy{}), nil}, // done in Go
		{RetryBudget(nil), nil},
		{ForbidReuse(), []string{"CURLOPT_FORBID_REUSE 1"}},
		{DNSCacheTimeout(0), []string{"CURLOPT_DNS_CACHE_TIMEOUT 0"}},
		{DNSCacheTimeout(1), []string{"CURLOPT_DNS_CACHE_TIMEOUT 1"}},
		{DNSCacheForever(), []string{"CURLOPT_DNS_CACHE_TIMEOUT -1"}},
		{
			Resolve(map[string][]netip.Addr{"b:1": {addr("127.0.0.1"), addr("::1")}, "a:2": {addr("::ffff:1.2.3.4")}}),
			[]string{"CURLOPT_RESOLVE [a:2:[::ffff:1.2.3.4] b:1:127.0.0.1,[::1]]"},
		},
		{Resolve(nil), nil},
		{
			ConnectTo(map[string]string{"": "x:1", ":80": ":81", "a:": "[::1]:", "a:80": "y:2"}),
			[]string{"CURLOPT_CONNECT_TO [a:80:y:2 a::[::1]: :80::81 ::x:1]"},
		},
		{ConnectTo(nil), nil},
		{UnixSocket("/run/a.sock"), []string{"CURLOPT_UNIX_SOCKET_PATH /run/a.sock"}},
		{LocalPort(4000, 10), []string{"CURLOPT_LOCALPORT 4000", "CURLOPT_LOCALPORTRANGE 10"}},
		{LocalPort(0, 0), nil},
		{IPVersion(IPv6), []string{"CURLOPT_IPRESOLVE 2"}},
		{IPVersion(IPAny), nil},
		{
			TCPKeepAlive(time.Minute, 1),
			[]string{"CURLOPT_TCP_KEEPALIVE 1", "CURLOPT_TCP_KEEPIDLE 60", "CURLOPT_TCP_KEEPINTVL 1"},
		},
		{TCPKeepAlive(0, 0), nil},
		{TCPNoDelay(false), []string{"CURLOPT_TCP_NODELAY 0"}},
		{TCPNoDelay(true), nil},
	}
	for _, c := range cases {
		t.Run(fmt.Sprint(c.option), func(t *testing.T) {
			assert.Equal(t, c.want, added(t, c.option, testURLs[0]))
		})
	}
	if cgo.Features().GSSAPI {
		assert.Equal(t, []string{"CURLOPT_FORBID_REUSE 1", "CURLOPT_FRESH_CONNECT 1"},
			added(t, requestOption{settingOf(NegotiateAuth())}, testURLs[0]), "not among the connections of others")
		// The tokens are made in Go.
		for _, o := range []any{
			NegotiateAuth(), ProxyNegotiateAuth(), ServiceName("a"), ProxyServiceName("a"), GSSAPIDelegation(DelegationAlways),
		} {
			assert.Empty(t, added(t, o, testURLs[0]), "%v", o)
		}
	}
	if cgo.Features().HTTP2 {
		assert.Equal(t, []string{"CURLOPT_HTTP_VERSION 4"}, added(t, HTTPVersion(HTTP2), testURLs[0]))
		assert.Equal(t, []string{"CURLOPT_HTTP_VERSION 5"}, added(t, HTTPVersion(HTTP2PriorKnowledge), testURLs[1]))
	}
	if cgo.Features().HTTP3 {
		three, only := []string{"CURLOPT_HTTP_VERSION 30"}, []string{"CURLOPT_HTTP_VERSION 31"}
		if cgo.Features().Backend("GnuTLS") { // see tlsVersions.encodeTarget
			three = append(three, "CURLOPT_SSL_SESSIONID_CACHE 0")
			only = append(only, "CURLOPT_SSLVERSION 7")
		}
		assert.Equal(t, three, added(t, HTTPVersion(HTTP3), testURLs[1]))
		assert.Equal(t, only, added(t, HTTPVersion(HTTP3Only), testURLs[1]))
	}
}

func TestLocalEnd_of_another_kind_than_the_clients_has_its_own_connections(t *testing.T) {
	bare := cgo.Features().AtLeast(8, 9, 0)
	host := "host!"
	if bare {
		host = ""
	}
	own := []string{"CURLOPT_FORBID_REUSE 1", "CURLOPT_FRESH_CONNECT 1"}
	if !bare {
		own = nil // libcurl keeps them apart itself
	}
	of := func(c *ClientConfig, opts ...any) []string {
		got := slices.DeleteFunc(records(t, request(t, c, opts...), testURLs[0]), func(s string) bool {
			return !strings.HasPrefix(s, "CURLOPT_INTERFACE") && !strings.HasPrefix(s, "CURLOPT_F")
		})
		return append([]string(nil), got...)
	}
	none, named := client(t), client(t, Interface("eth0"))
	assert.Nil(t, of(none, Interface("")))
	assert.Equal(t, []string{"CURLOPT_INTERFACE " + host + "::1"}, of(none, LocalAddress(addr("::1"))))
	assert.Equal(t, []string{"CURLOPT_INTERFACE " + host + "127.0.0.1"}, of(none, LocalAddress(addr("::ffff:127.0.0.1"))))
	assert.Equal(t, append(slices.Clone(own), "CURLOPT_INTERFACE if!eth0"), of(none, Interface("eth0")))
	assert.Equal(t, []string{"CURLOPT_INTERFACE if!eth0"}, of(named))
	assert.Equal(t, []string{"CURLOPT_INTERFACE if!eth0"}, of(named, Interface("eth0")))
	assert.Equal(t, append(slices.Clone(own), "CURLOPT_INTERFACE "+host+"::1"), of(named, LocalAddress(addr("::1"))))
	assert.Equal(t, append([]string(nil), own...), of(named, Interface("")))
}

func TestHTTP2PriorKnowledge_takes_no_used_connection_before_8_0(t *testing.T) {
	if !cgo.Features().HTTP2 {
		t.Skip("libcurl without HTTP/2")
	}
	got := added(t, HTTPVersion(HTTP2PriorKnowledge), testURLs[0])
	assert.Equal(t, !cgo.Features().AtLeast(8, 0, 0), slices.Contains(got, "CURLOPT_FRESH_CONNECT 1"))
	assert.Equal(t, !cgo.Features().AtLeast(8, 0, 0), slices.Contains(got, "CURLOPT_FORBID_REUSE 1"))
}

func TestUploads_go_in_larger_pieces_where_nothing_cuts_them_up(t *testing.T) {
	const larger = "CURLOPT_UPLOAD_BUFFERSIZE 98304"
	assert.Contains(t, records(t, client(t).Defaults(), testURLs[0]), larger)
	assert.NotContains(t, records(t, client(t).Defaults(), testURLs[1]), larger, "https")
	assert.NotContains(t, records(t, client(t, UploadBufferSize(65536)).Defaults(), testURLs[0]), larger, "as configured")
	assert.NotContains(t, records(t, request(t, client(t), UploadBufferSize(65536)), testURLs[0]), larger, "as the request has it")
	assert.NotContains(t, records(t, client(t, MaxUploadSpeed(5)).Defaults(), testURLs[0]), larger, "each piece is a burst")
	assert.NotContains(t, records(t, request(t, client(t), MaxUploadSpeed(5)), testURLs[0]), larger, "each piece is a burst")
	assert.Contains(t, records(t, request(t, client(t, MaxUploadSpeed(5)), MaxUploadSpeed(0)), testURLs[0]), larger, "no limit")
	if cgo.Features().HTTP2 {
		assert.NotContains(t, records(t, client(t, HTTPVersion(HTTP2PriorKnowledge)).Defaults(), testURLs[0]), larger, "frames")
	}
}

func TestTLSOptions_are_packed_where_TLS_is_spoken(t *testing.T) {
	for _, o := range []any{
		CAFile(files.ca), ClientCertificate(files.cert, files.key), TLSMinVersion(tls.VersionTLS13),
		DangerAcceptInvalidCertificates(true), DangerAcceptInvalidHostnames(true),
	} {
		assert.Empty(t, added(t, o, testURLs[0]), "%v: http", o)
		assert.NotEmpty(t, added(t, o, testURLs[1]), "%v: https", o)
		if cgo.Features().HTTPSProxy {
			c := client(t, Proxy("https://p"), o)
			assert.Greater(t, len(records(t, c.Defaults(), testURLs[0])), len(records(t, client(t, Proxy("http://p"), o).Defaults(), testURLs[0])),
				"%v: http over an https proxy", o)
		}
	}
}

func TestCA_of_ones_own_leaves_no_other_trusted_and_holds_for_proxies(t *testing.T) {
	got := records(t, client(t, CAFile(files.ca)).Defaults(), testURLs[1])
	assert.Subset(t, got, []string{"CURLOPT_CAINFO " + files.ca, "CURLOPT_PROXY_CAINFO " + files.ca})
	if takesCAPath(cgo.Features()) {
		assert.Subset(t, got, []string{"CURLOPT_CAPATH <nil>", "CURLOPT_PROXY_CAPATH <nil>"})
	}
	if takesCABlob(cgo.Features()) {
		got = records(t, client(t, CABytes(files.caPEM)).Defaults(), testURLs[1])
		blob := fmt.Sprintf("%v", files.caPEM)
		assert.Subset(t, got, []string{
			"CURLOPT_CAINFO <nil>", "CURLOPT_PROXY_CAINFO <nil>",
			"CURLOPT_CAINFO_BLOB " + blob, "CURLOPT_PROXY_CAINFO_BLOB " + blob,
		})
	}
}

func TestDanger_options_leave_proxies_verified(t *testing.T) {
	got := added(t, DangerAcceptInvalidCertificates(true), testURLs[1])
	assert.Equal(t, []string{"CURLOPT_SSL_VERIFYPEER 0"}, got)
	got = added(t, DangerAcceptInvalidHostnames(true), testURLs[1])
	assert.Equal(t, []string{"CURLOPT_SSL_VERIFYHOST 0"}, got)
}

func TestClientCertificate_is_for_servers_alone(t *testing.T) {
	assert.Equal(t, []string{"CURLOPT_SSLCERT " + files.cert, "CURLOPT_SSLKEY " + files.key},
		added(t, ClientCertificate(files.cert, files.key), testURLs[1]))
	assert.Equal(t, []string{"CURLOPT_SSLCERT " + files.both, "CURLOPT_SSLKEY " + files.both},
		added(t, ClientCertificate(files.both, ""), testURLs[1]))
}

func TestSystemCA_prefers_the_file_that_libcurl_can_keep(t *testing.T) {
	f := &cgo.FeatureSet{SSLBackend: "OpenSSL/3", CAInfo: files.ca, CAPath: "/etc/ssl/certs"}
	env := map[string]string{}
	ask := func() [2]string {
		file, dir := systemCA(func(k string) string { return env[k] }, f)
		return [2]string{file, dir}
	}
	assert.Equal(t, [2]string{files.ca, ""}, ask())
	f.CAInfo = "/nowhere"
	assert.Equal(t, [2]string{"", "/etc/ssl/certs"}, ask(), "the directory, if the file is not there")
	env["SSL_CERT_DIR"] = "/certs"
	assert.Equal(t, [2]string{"", "/certs"}, ask())
	env["SSL_CERT_FILE"] = "/certs.pem"
	assert.Equal(t, [2]string{"/certs.pem", "/certs"}, ask())
	f.SSLBackend, f.CAPath = "Schannel", ""
	delete(env, "SSL_CERT_FILE")
	assert.Equal(t, [2]string{"", ""}, ask(), "what the system has itself")
}

func TestDefaults_of_a_client(t *testing.T) {
	c := client(t)
	r := c.Defaults()
	assert.Equal(t, []string{"CURLOPT_BUFFERSIZE 65536", "CURLOPT_NOPROXY ", "CURLOPT_PROXY ", "CURLOPT_UPLOAD_BUFFERSIZE 98304"},
		records(t, r, testURLs[0]))
	assert.Contains(t, records(t, r, testURLs[1]), "CURLOPT_SSLVERSION 6", "TLS 1.2")
	assert.Equal(t, 256<<10, r.HighWater())
	assert.Equal(t, 128<<10, r.LowWater())
	assert.Equal(t, 1<<20, r.MaxResponseHeadBytes())
	assert.True(t, r.Decompression())
	assert.Equal(t, HTTPDefault, r.HTTPVersion())
	assert.Equal(t, RedirectPolicy{Max: 10}, r.Redirect())
	assert.Nil(t, r.CookieJar())
	assert.Nil(t, r.WireLog())
	assert.Nil(t, r.DefaultHeaders())
	assert.False(t, r.Metrics() || r.TitleCaseHeaders() || r.AuthArmed())
	assert.Zero(t, r.TotalTimeout()+r.ResponseHeadTimeout()+r.IdleReadTimeout()+r.ExpectContinue())
	_, ok := r.UserAgent()
	assert.False(t, ok)
	assert.Empty(t, r.UnixSocket()+r.TLSServerName())
	assert.Equal(t, 1, c.AgentCount())
	assert.False(t, c.LimitsPerHost())
	assert.Empty(t, multiRecords(c))
	assert.Same(t, r, request(t, c), "no options, no copy")
}
