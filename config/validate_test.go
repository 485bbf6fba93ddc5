package config

import (
	"crypto/tls"
	"errors"
	"math"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom/cgo"
	"github.com/ratmom/ratmom/internal/failure"
	"github.com/ratmom/ratmom/retry"
)

// apply gives an option of any kind to what takes it.
func apply(o any) error {
	if co, ok := o.(ClientOption); ok {
		_, err := NewClient(co)
		return err
	}
	c, err := NewClient()
	if err != nil {
		return err
	}
	_, err = c.Request(o.(RequestOption))
	return err
}

const long = math.MaxInt64

func TestOptions_refuse_values_out_of_range(t *testing.T) {
	cases := []struct {
		says   string // the option and its value
		option any
		why    string
	}{
		{"Timeout(-1ns)", Timeout(-1), "is negative"},
		{"ResponseHeadTimeout(-1s)", ResponseHeadTimeout(-time.Second), "is negative"},
		{"IdleReadTimeout(-1s)", IdleReadTimeout(-time.Second), "is negative"},
		{"ConnectTimeout(-1s)", ConnectTimeout(-time.Second), "is negative"},
		{"ConnectTimeout(596h31m24s)", ConnectTimeout(maxFineTime.Truncate(time.Second) + time.Second), "is longer than 596h31m23.647s"},
		{"LowSpeed(-1)", LowSpeed(-1, time.Second), "is negative"},
		{"LowSpeed(9223372036854775807)", LowSpeed(long, time.Second), "is more than 2147483647"},
		{"LowSpeed(-1s)", LowSpeed(1, -time.Second), "is negative"},
		{"LowSpeed(1, 0s)", LowSpeed(1, 0), "needs both"},
		{"LowSpeed(0, 1s)", LowSpeed(0, time.Second), "needs both"},
		{"LowSpeed(", LowSpeed(1, long), "is longer"},
		{`Retry("policy")`, Retry(retry.Policy{Tries: -1}), "-1 tries are not in 0..100"},
		{`Retry("policy")`, Retry(retry.Policy{Statuses: []int{200}}), "status 200 is not in 400..599"},
		{"ConnectionReuse(4)", ConnectionReuse(4), "is not one of the modes"},
		{"MaxUploadSpeed(-1)", MaxUploadSpeed(-1), "is negative"},
		{"MaxDownloadSpeed(-1)", MaxDownloadSpeed(-1), "is negative"},
		{"HTTPVersion(Version(99))", HTTPVersion(99), "is not one of the versions"},
		{`DefaultHeader("A B")`, DefaultHeader("A B", ""), "name"},
		{`DefaultHeader("")`, DefaultHeader("", ""), "name"},
		{`DefaultHeader("A")`, DefaultHeader("A", "1\r\nB: 2"), "control character"},
		{`DefaultHeader("Content-Length")`, DefaultHeader("content-length", "1"), "single message"},
		{`DefaultHeader("Host")`, DefaultHeader("Host", "a"), "http.Request.Host"},
		{`DefaultHeader("Upgrade")`, DefaultHeaders(http.Header{"upgrade": {"h2c"}}), "single message"},
		{`DefaultHeader("A")`, DefaultHeaders(http.Header{"A": {"\x00"}}), "control character"},
		{`UserAgent("a\nb")`, UserAgent("a\nb"), `control character '\n' at byte 1`},
		{`UserAgent("aaaa`, UserAgent(strings.Repeat("a", maxText+1)), "is longer"},
		{"BufferSize(1023)", BufferSize(1023), "is less than 1024"},
		{"BufferSize(524289)", BufferSize(512<<10 + 1), "is more than 524288"},
		{"BufferSize(-1)", BufferSize(-1), "is negative"},
		{"UploadBufferSize(0)", UploadBufferSize(0), "is less than 16384"},
		{"UploadBufferSize(2097153)", UploadBufferSize(2<<20 + 1), "is more than"},
		{`RequestTarget("")`, RequestTarget(""), "is empty"},
		{`RequestTarget("/a b")`, RequestTarget("/a b"), "has a space at byte 2"},
		{`RequestTarget("/a\r\nX: 1")`, RequestTarget("/a\r\nX: 1"), "has a space"},
		{`RequestTarget("/a\x00")`, RequestTarget("/a\x00"), "control character"},
		{`HeaderOrder("A B")`, HeaderOrder("A B"), "is no name"},
		{`HeaderOrder("a")`, HeaderOrder("A", "a"), "is there twice"},
		{"MaxBodyBytes(-1)", MaxBodyBytes(-1), "is negative"},
		{"MaxBodyBytes(9223372036854775807)", MaxBodyBytes(long), "is more than"},
		{"MaxDecompressedBytes(-1)", MaxDecompressedBytes(-1), "is negative"},
		{"Range(-1)", Range(-1, 0), "is negative, and"},
		{"Range(5-4)", Range(5, 4), "ends before it begins"},
		{"TimeCondition(Condition(9))", TimeCondition(9, time.Unix(0, 0)), "is none of the conditions"},
		{"TimeCondition(If-Modified-Since", TimeCondition(IfModifiedSince, time.Time{}), "has no date"},
		{"TimeCondition(If-Unmodified-Since", TimeCondition(IfUnmodifiedSince, time.Unix(1<<40, 0)), "has no date"},
		{`StatusAliases("ICY")`, StatusAliases("ICY"), "less than 5"},
		{`StatusAliases(" ICY 200")`, StatusAliases(" ICY 200"), "begins with a space"},
		{`StatusAliases("http/1")`, StatusAliases("http/1"), "every response"},
		{`StatusAliases("ICY\n00")`, StatusAliases("ICY\n00"), "control character"},
		{"BodyBuffer(0)", BodyBuffer(0), "is less than 1"},
		{"BodyBuffer(1073741825)", BodyBuffer(1<<30 + 1), "is more than"},
		{"MaxResponseHeadBytes(0)", MaxResponseHeadBytes(0), "is less than 1"},
		{"MaxResponseHeadBytes(-5)", MaxResponseHeadBytes(-5), "is negative"},
		{"ExpectContinue(-1ns)", ExpectContinue(-1), "is negative"},
		{"ExpectContinue(", ExpectContinue(long), "is longer"},
		{"MaxRedirects(-1)", MaxRedirects(-1), "is negative"},
		{"MaxRedirects(1001)", MaxRedirects(1001), "is more than 1000"},
		{`BasicAuth("xxxxx")`, BasicAuth("a:b", "c"), "colon"},
		{`BasicAuth("xxxxx")`, BasicAuth("a\n", "c"), "user name has the control character"},
		{`BasicAuth("xxxxx")`, BasicAuth("a", "c\x00"), "password has the control character"},
		{`BasicAuth("xxxxx")`, BasicAuth("a", strings.Repeat("c", maxCredential+1)), "is longer"},
		{`DigestAuth("xxxxx")`, DigestAuth("a\r", "c"), "control character"},
		{`NTLMAuth("xxxxx")`, NTLMAuth("a\r", "c"), "control character"},
		{`AnyAuth("xxxxx")`, AnyAuth("a:", "c"), "colon"},
		{`AnySafeAuth("xxxxx")`, AnySafeAuth("a\n", "c"), "control character"},
		{`BearerAuth("xxxxx")`, BearerAuth(""), "is empty"},
		{`BearerAuth("xxxxx")`, BearerAuth("a b"), "at byte 1"},
		{`BearerAuth("xxxxx")`, BearerAuth("a\r\nb"), "control character"},
		{`BearerAuth("xxxxx")`, BearerAuth("ä"), "not ASCII"},
		{`BearerAuth("xxxxx")`, BearerAuth(strings.Repeat("c", maxCredential+1)), "is longer"},
		{`AWSSigV4Auth("xxxxx")`, AWSSigV4Auth(AWSSigV4{SecretAccessKey: "b", Region: "r", Service: "s"}), "access key is empty"},
		{`AWSSigV4Auth("xxxxx")`, AWSSigV4Auth(AWSSigV4{AccessKeyID: "a", Region: "r", Service: "s"}), "secret key is empty"},
		{`AWSSigV4Auth("xxxxx")`, AWSSigV4Auth(AWSSigV4{AccessKeyID: "a/b", SecretAccessKey: "b", Region: "r", Service: "s"}), "slash"},
		{`AWSSigV4Auth("xxxxx")`, AWSSigV4Auth(AWSSigV4{AccessKeyID: "a", SecretAccessKey: "b", SessionToken: "\n"}), "session token has"},
		{`AWSSigV4Auth(" s")`, AWSSigV4Auth(AWSSigV4{AccessKeyID: "a", SecretAccessKey: "b", Service: "s"}), "region is empty"},
		{`AWSSigV4Auth("r ")`, AWSSigV4Auth(AWSSigV4{AccessKeyID: "a", SecretAccessKey: "b", Region: "r"}), "service is empty"},
		{`AWSSigV4Auth("r/ s")`, AWSSigV4Auth(AWSSigV4{AccessKeyID: "a", SecretAccessKey: "b", Region: "r/", Service: "s"}), "region is no name"},
		{`AWSSigV4Auth("r s")`, AWSSigV4Auth(AWSSigV4{AccessKeyID: "a", SecretAccessKey: "b", Region: "r", Service: "s", Provider: "a:"}), "provider is empty"},
		{`Netrc("/nowhere/x")`, Netrc("/nowhere/x"), "no such file"},
		{"Netrc(", Netrc(files.directory), "is a directory"},
		{`Netrc("/dev/zero")`, Netrc("/dev/zero"), "is not a regular file"},
		{`Netrc("/no\x00")`, Netrc("/no\x00"), "control character"},
		{"Netrc(", Netrc(files.notPEM), "line 1: has a word that is no keyword"},
		{`ServiceName("")`, ServiceName(""), "is empty"},
		{`ServiceName("HTTP/a")`, ServiceName("HTTP/a"), "has the character '/'"},
		{`ServiceName("a\x00")`, ServiceName("a\x00"), "has the character"},
		{`ServiceName("aaaa`, ServiceName(strings.Repeat("a", 256)), "is longer"},
		{`ProxyServiceName("a@b")`, ProxyServiceName("a@b"), "has the character '@'"},
		{`GSSAPIDelegation(Delegation(3))`, GSSAPIDelegation(3), "is none of the three"},
		{`ProxyAnySafeAuth("xxxxx")`, ProxyAnySafeAuth("a\n", "c"), "control character"},
		{`ProxyBasicAuth("xxxxx")`, ProxyBasicAuth("a:b", "c"), "colon"},
		{`ProxyDigestAuth("xxxxx")`, ProxyDigestAuth("a", "\x7f"), "control character"},
		{`ProxyNTLMAuth("xxxxx")`, ProxyNTLMAuth("a\t", "c"), "control character"},
		{`ProxyAnyAuth("xxxxx")`, ProxyAnyAuth("a:", "c"), "colon"},
		{`Proxy("ftp://h")`, Proxy("ftp://h"), "scheme"},
		{`Proxy("http://")`, Proxy("http://"), "has no host"},
		{`Proxy("http://h/path")`, Proxy("http://h/path"), "has more than"},
		{`Proxy("http://h:0")`, Proxy("http://h:0"), "is not in 1 to 65535"},
		{`Proxy("http://h:65536")`, Proxy("http://h:65536"), "is not in 1 to 65535"},
		{`Proxy("http://h:x")`, Proxy("http://h:x"), "is not a URL"},
		{`Proxy("http://a b")`, Proxy("http://a b"), ""},
		{`Proxy("http://a\nb")`, Proxy("http://a\nb"), "control character"},
		{`Proxy("http://xxxxx@h")`, Proxy("http://u%0d:p@h"), "userinfo has the control character"},
		{`Proxy("http://xxxxx@h")`, Proxy("http://u%3a:p@h"), "colon"},
		{`Proxy("socks5://xxxxx@h")`, Proxy("socks5://" + strings.Repeat("u", 256) + "@h"), "255 bytes"},
		{`NoProxy("a,b c")`, NoProxy("a", "b c"), `"b c"`},
		{`NoProxy("10.0.0.0/99")`, NoProxy("10.0.0.0/99"), "is no host"},
		{`NoProxy("a:99999")`, NoProxy("a:99999"), "is no host"},
		{`NoProxy("")`, NoProxy(""), "is no host"},
		{`ProxyHeaders("A")`, ProxyHeaders(http.Header{"A": {"\n"}}), "control character"},
		{`TLSServerName("a b")`, TLSServerName("a b"), "has the character ' '"},
		{`TLSServerName("a:443")`, TLSServerName("a:443"), "has the character ':'"},
		{`CAFile("")`, CAFile(""), "names no file"},
		{`CAFile("/no\x00")`, CAFile("/no\x00"), "control character"},
		{`CAFile("/nowhere/x")`, CAFile("/nowhere/x"), "no such file"},
		{"CAFile(", CAFile(files.directory), "is a directory"},
		{"CAFile(", CAFile(files.notPEM), "holds no PEM certificate"},
		{"CAFile(", CAFile(files.empty), "holds no PEM certificate"},
		{"CAFile(", CAFile(files.key), "holds no PEM certificate"},
		{"CAFile(", CAFile("/dev/zero"), "is not a regular file"},
		{"CABytes(0 bytes)", CABytes(nil), "holds no PEM certificate"},
		{"CABytes(", CABytes(slices.Concat(files.caPEM, files.damagedPEM)), "cut short"},
		{"CABytes(", CABytes([]byte("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")), "certificate 1:"},
		{`ClientCertificate("")`, ClientCertificate("", files.key), "names no file"},
		{`ClientCertificate("/nowhere")`, ClientCertificate("/nowhere", ""), "no such file"},
		{"ClientCertificate(", ClientCertificate(files.cert, files.otherKey), "private key does not match"},
		{"ClientCertificate(", ClientCertificate(files.cert, ""), "holds no PEM private key"},
		{"ClientCertificate(", ClientCertificate(files.cert, files.encryptedKey), "encrypted private key"},
		{"ClientCertificate(", ClientCertificate(files.notPEM, files.key), "holds no PEM certificate"},
		{"ClientCertificateBytes(0 bytes)", ClientCertificateBytes(nil, nil), "holds no PEM certificate"},
		{"ClientCertificateBytes(", ClientCertificateBytes(files.certPEM, files.otherKeyPEM), "private key does not match"},
		{"ClientCertificate(", ClientCertificate(files.pkcs12, files.key), "has the key in it"},
		{"ClientCertificate(", ClientCertificate(files.certDER, files.otherKey), "private key does not match"},
		{"ClientCertificate(", ClientCertificate(files.certDER, ""), "holds no PEM private key"},
		{"ClientCertificate(", ClientCertificate(files.certDER, files.encryptedDER), "decrypt PEM alone"},
		{"ClientCertificateBytes(", ClientCertificateBytes(files.pkcs12Bytes, files.keyPEM), "has the key in it"},
		{"ClientCertificatePassword(xxxxx)", ClientCertificatePassword("a\n"), "control character"},
		{"ClientCertificatePassword(xxxxx)", ClientCertificatePassword(strings.Repeat("a", 1024)), "is longer than 1023 bytes"},
		{`CADirectory("")`, CADirectory(""), "names no directory"},
		{`CADirectory("/no\x00")`, CADirectory("/no\x00"), "control character"},
		{`CADirectory("/nowhere")`, CADirectory("/nowhere"), "no such file"},
		{"CADirectory(", CADirectory(files.ca), "not a directory"},
		{"CACacheTimeout(-1ns)", CACacheTimeout(-1), "is negative"},
		{"CACacheTimeout(", CACacheTimeout(long), "is longer"},
		{`CRLFile("/nowhere")`, CRLFile("/nowhere"), "no such file"},
		{`CRLFile("/no\x00")`, CRLFile("/no\x00"), "control character"},
		{"CRLFile(", CRLFile(files.ca), "holds no PEM revocation list"},
		{"CRLFile(", CRLFile("/dev/zero"), "is not a regular file"},
		{`IssuerCertificate("/nowhere")`, IssuerCertificate("/nowhere"), "no such file"},
		{`IssuerCertificate("/a\n")`, IssuerCertificate("/a\n"), "control character"},
		{"IssuerCertificate(", IssuerCertificate(files.key), "holds no PEM certificate"},
		{"IssuerCertificateBytes(5 bytes)", IssuerCertificateBytes([]byte("hello")), "holds no PEM certificate"},
		{`PinnedPublicKey("sha256//AAAA")`, PinnedPublicKey("sha256//AAAA"), "the base64 of 32 bytes"},
		{`PinnedPublicKey("sha256//`, PinnedPublicKey(somePin + ";" + somePin), "the base64 of 32 bytes"},
		{`PinnedPublicKey("/nowhere")`, PinnedPublicKey(somePin, "/nowhere"), "no such file"},
		{`PinnedPublicKey("")`, PinnedPublicKey(""), "names no file"},
		{`PinnedPublicKey("a\nb")`, PinnedPublicKey("a\nb"), "control character"},
		{"PinnedPublicKey(", PinnedPublicKey(files.key), "neither a public key nor a certificate"},
		{"PinnedPublicKey(", PinnedPublicKey(files.notPEM), "neither a public key nor a certificate"},
		{`TLSCiphers("A:B")`, TLSCiphers("A:B"), "give each name by itself"},
		{`TLSCiphers("")`, TLSCiphers("A", ""), "is not a name"},
		{`TLS13Ciphers("A B")`, TLS13Ciphers("A B"), "character ' '"},
		{`TLSCurves("A\x00")`, TLSCurves("A\x00"), "has the character"},
		{`TLSSignatureAlgorithms("A,B")`, TLSSignatureAlgorithms("A,B"), "character ','"},
		{"ECH(ECHMode(9))", ECH(9), "is not one of the modes"},
		{"TLSSRP(xxxxx)", TLSSRP("a", ""), "needs both"},
		{"TLSSRP(xxxxx)", TLSSRP("a\n", "b"), "user name has the control character"},
		{"TLSSRP(xxxxx)", TLSSRP("a", "b\x00"), "password has the control character"},
		{"TLSSRP(xxxxx)", TLSSRP(strings.Repeat("a", 256), "b"), "too long"},
		{`ProxyTLS("timeout")`, ProxyTLS(Timeout(1)), "is not an option of TLS with a proxy"},
		{`ProxyTLS("alpn")`, ProxyTLS(ALPN(false)), "is not an option of TLS with a proxy"},
		{`ProxyTLS("proxyTLS")`, ProxyTLS(ProxyTLS()), "is not an option of TLS with a proxy"},
		{`CAFile("/nowhere")`, ProxyTLS(CAFile("/nowhere")), "no such file"},
		{"ClientCertificate(", ProxyTLS(ClientCertificate(files.cert, files.encryptedKey)), "encrypted private key"},
		{`TLSMaxVersion("TLS 1.1")`, ProxyTLS(TLSMaxVersion(tls.VersionTLS11)), "set TLSMinVersion too"},
		{`TLSMinVersion("0x0300")`, TLSMinVersion(0x0300), "is none of TLS 1.0 to 1.3"},
		{`TLSMaxVersion("0x0305")`, TLSMaxVersion(0x0305), "is none of TLS 1.0 to 1.3"},
		{`TLSMaxVersion("TLS 1.1")`, TLSMaxVersion(tls.VersionTLS11), "set TLSMinVersion too"},
		{"Agents(0)", Agents(0), "is less than 1"},
		{"Agents(257)", Agents(257), "is more than 256"},
		{"MaxConnections(-1)", MaxConnections(-1), "is negative"},
		{"MaxConnections(2147483648)", MaxConnections(math.MaxInt32 + 1), "is more than"},
		{"MaxConnectionsPerHost(-1)", MaxConnectionsPerHost(-1), "is negative"},
		{"MaxPausedStreams(-1)", MaxPausedStreams(-1), "is negative"},
		{"ConnectionCacheSize(-1)", ConnectionCacheSize(-1), "is negative"},
		{"MaxAbandonedLookups(-1)", MaxAbandonedLookups(-1), "is negative"},
		{"IdleConnectionAge(-1ns)", IdleConnectionAge(-1), "is negative"},
		{"IdleConnectionAge(", IdleConnectionAge(long), "is longer"},
		{"ConnectionLifetime(-1ns)", ConnectionLifetime(-1), "is negative"},
		{"ConnectionLifetime(", ConnectionLifetime(long), "is longer"},
		{"DNSCacheTimeout(-1ns)", DNSCacheTimeout(-1), "is negative"},
		{"DNSCacheTimeout(", DNSCacheTimeout(long), "is longer"},
		{`Resolve("a")`, Resolve(map[string][]netip.Addr{"a": {addr("::1")}}), "port"},
		{`Resolve("a:1")`, Resolve(map[string][]netip.Addr{"a:1": nil}), "has no address"},
		{`Resolve("a:1")`, Resolve(map[string][]netip.Addr{"a:1": {{}}}), "must be an IP address"},
		{`Resolve("a:1")`, Resolve(map[string][]netip.Addr{"a:1": {addr("fe80::1%eth0")}}), "without a zone"},
		{`Resolve("a,b:1")`, Resolve(map[string][]netip.Addr{"a,b:1": {addr("::1")}}), "character ','"},
		{`Resolve("-a\n:1")`, Resolve(map[string][]netip.Addr{"-a\n:1": {addr("::1")}}), "control character"},
		{`ConnectTo("a")`, ConnectTo(map[string]string{"a": "b:1"}), "has no port"},
		{`ConnectTo("b")`, ConnectTo(map[string]string{"a:1": "b"}), "has no port"},
		{`ConnectTo("::1:80")`, ConnectTo(map[string]string{"": "::1:80"}), "character ':'"},
		{`ConnectTo("[a]:80")`, ConnectTo(map[string]string{"": "[a]:80"}), "brackets"},
		{`ConnectTo("b:0")`, ConnectTo(map[string]string{"a:1": "b:0"}), "is not in 1 to 65535"},
		{`ConnectTo("b\x00:1")`, ConnectTo(map[string]string{"a:1": "b\x00:1"}), "control character"},
		{`UnixSocket("aaaa`, UnixSocket(strings.Repeat("a", 108)), "is longer than 107 bytes"},
		{`UnixSocket("/a\x00b")`, UnixSocket("/a\x00b"), "control character"},
		{`Interface("a!b")`, Interface("a!b"), "is not the name"},
		{`Interface("aaaaaaaaaaaaaaaa")`, Interface("aaaaaaaaaaaaaaaa"), "is longer than 15 bytes"},
		{`Interface("a\n")`, Interface("a\n"), "control character"},
		{"LocalAddress(fe80::1%lo)", LocalAddress(addr("fe80::1%lo")), "zone"},
		{"LocalPort(0, 1)", LocalPort(0, 1), "first port"},
		{"LocalPort(65536, 1)", LocalPort(65536, 1), "first port"},
		{"LocalPort(65535, 2)", LocalPort(65535, 2), "1 to 1"},
		{"LocalPort(1, 0)", LocalPort(1, 0), "number of ports"},
		{"IPVersion(IPFamily(3))", IPVersion(3), "is none of"},
		{"TCPKeepAlive(-1ns)", TCPKeepAlive(-1, 1), "is negative"},
		{"TCPKeepAlive(10h0m0s)", TCPKeepAlive(1, 10*time.Hour), "is longer than"},
		{"TCPKeepAlive(1s, 0s)", TCPKeepAlive(time.Second, 0), "needs both"},
	}
	cases = append(cases, netRefused()...)
	covered := map[string]bool{}
	for _, c := range cases {
		t.Run(c.says, func(t *testing.T) {
			err := apply(c.option)
			require.Error(t, err)
			assert.ErrorContains(t, err, "config."+c.says)
			assert.ErrorContains(t, err, c.why)
			assert.ErrorIs(t, err, failure.InvalidOption)
			assert.NotContains(t, err.Error(), "\n")
			assert.Less(t, len(err.Error()), 500)
			var e *Error
			require.ErrorAs(t, err, &e)
			covered[e.Option] = true
		})
	}
	t.Run("for every option", func(t *testing.T) {
		// These take any value, or none.
		free := []string{
			"TitleCaseHeaders", "Decompression", "NoRedirect", "CheckRedirect", "AutoReferer", "CookieJar",
			"Metrics", "WireLog", "Debug", "NoAuth", "NoProxyAuth", "ProxyFromEnvironment", "SystemCA",
			"DangerAcceptInvalidCertificates", "DangerAcceptInvalidHostnames", "FreshConnection",
			"ForbidReuse", "NoRetry", "RetryBudget", "DNSCacheForever", "TCPNoDelay", "Value",
			"RawHeaders", "IgnoreContentLength", "AllowHTTP09", "StopUploadOnError", "DisallowUserinfo", "TransferDecoding", "TransferCompression",
			"UploadProgress", "DownloadProgress",
			"ProxyTunnel", "ProxyHTTP2", "HAProxyProtocol", "PipeWait", "DNSShuffle", "TCPFastOpen",
			"DangerDoHAcceptInvalidCertificates", "DangerDoHAcceptInvalidHostnames", "DoHOCSPStapling",
			"ALPN", "TLSFalseStart", "TLSSessionReuse", "OCSPStapling", "PartialChain", "CertificateChain",
			"NegotiateAuth", "ProxyNegotiateAuth", "DialContext",
			"DefaultHeaders", // reported as DefaultHeader
		}
		for name := range optionKinds(t) {
			assert.NotEqual(t, slices.Contains(free, name), covered[name], name)
		}
	})
}

func TestOptions_take_the_ends_of_their_ranges(t *testing.T) {
	for _, o := range []any{
		Timeout(long),
		ConnectTimeout(maxFineTime),
		LowSpeed(math.MaxInt32, maxCoarseTime),
		MaxUploadSpeed(long), MaxDownloadSpeed(long),
		HTTPVersion(HTTPDefault),
		BufferSize(1 << 10), BufferSize(512 << 10),
		UploadBufferSize(16 << 10), UploadBufferSize(2 << 20),
		BodyBuffer(1), BodyBuffer(1 << 30),
		MaxResponseHeadBytes(1 << 30),
		ExpectContinue(maxFineTime),
		MaxRedirects(1000),
		Agents(256),
		MaxConnections(math.MaxInt32), MaxConnectionsPerHost(math.MaxInt32), MaxPausedStreams(math.MaxInt32), MaxAbandonedLookups(math.MaxInt32), ConnectionCacheSize(math.MaxInt32),
		IdleConnectionAge(maxCoarseTime), ConnectionLifetime(maxCoarseTime), DNSCacheTimeout(maxCoarseTime),
		UnixSocket(strings.Repeat("a", 107)),
		Interface("aaaaaaaaaaaaaaa"),
		LocalPort(65535, 1), LocalPort(1, 65535),
		TCPKeepAlive(maxKeepAlive, maxKeepAlive),
		TLSMinVersion(tls.VersionTLS10),
		DefaultHeader("A", "tab\tand \xff"),
		UserAgent("größer \xff"),
		BasicAuth("", ""),
		BearerAuth("!~"), BearerAuth(strings.Repeat("c", maxCredential)),
		AWSSigV4Auth(AWSSigV4{AccessKeyID: "a", SecretAccessKey: "b/+=", Region: "eu-central-1", Service: "s3", Provider: "osc"}),
		Netrc(files.empty),
		DigestAuth("a:b", strings.Repeat("c", maxCredential)),
		Proxy("socks5://" + strings.Repeat("u", 255) + "@h"),
		Proxy("http://[::1]:1/"),
		ConnectTo(map[string]string{"": "", ":80": ":81", "a:": "[::1]:", "a:65535": "b_c:1"}),
	} {
		assert.NoError(t, apply(o), "%v", o)
	}
}

func TestTLSVersions_add_up(t *testing.T) {
	c := client(t, TLSMinVersion(tls.VersionTLS11), TLSMaxVersion(tls.VersionTLS12))
	u := testURLs[1]
	assert.Contains(t, records(t, c.Defaults(), u), "CURLOPT_SSLVERSION 393221") // 6<<16|5
	assert.Contains(t, records(t, c.Defaults(), u), "CURLOPT_PROXY_SSLVERSION 393221")

	r := request(t, c, TLSMaxVersion(tls.VersionTLS13), TLSMinVersion(tls.VersionTLS13))
	assert.Contains(t, records(t, r, u), "CURLOPT_SSLVERSION 458759") // 7<<16|7

	_, err := c.Request(TLSMinVersion(tls.VersionTLS13))
	assert.ErrorContains(t, err, "is below the lowest version, TLS 1.3", "the client's highest is 1.2")

	_, err = c.Request(TLSMaxVersion(tls.VersionTLS10), TLSMinVersion(tls.VersionTLS10))
	assert.NoError(t, err, "only what comes out must fit")
}

func TestOptions_that_this_libcurl_cannot_do_say_what_they_need(t *testing.T) {
	for _, s := range featureSamples() {
		err := apply(s.first)
		if s.has {
			assert.NoError(t, err, s.name)
			continue
		}
		require.Error(t, err, s.name)
		assert.ErrorIs(t, err, failure.Unsupported)
		assert.ErrorIs(t, err, errors.ErrUnsupported)
		assert.ErrorContains(t, err, "config."+s.name)
		assert.ErrorContains(t, err, cgo.Features().VersionString)
		assert.ErrorContains(t, err, "needs")
	}
}

func TestSupported_for_a_libcurl_without_anything(t *testing.T) {
	none := &cgo.FeatureSet{Version: 0x075800, VersionString: "7.88.0", SSLBackend: "GnuTLS/3.7.9"}
	for _, o := range []Option{
		HTTPVersion(HTTP2), HTTPVersion(HTTP2PriorKnowledge), HTTPVersion(HTTP3), HTTPVersion(HTTP3Only),
		NTLMAuth("a", "b"), ProxyNTLMAuth("a", "b"), Proxy("https://h"), UnixSocket("/a"),
		NegotiateAuth(), ProxyNegotiateAuth(), ServiceName("a"), ProxyServiceName("a"), GSSAPIDelegation(DelegationAlways),
		CAFile(files.ca), CABytes(files.caPEM), ClientCertificate(files.both, ""),
		ClientCertificateBytes(files.certPEM, files.keyPEM), CADirectory("/"), PinnedPublicKey(somePin), TLS13Ciphers("A"),
		TLSCurves("A"), TLSSignatureAlgorithms("A"), TLSFalseStart(true), OCSPStapling(true), ECH(ECHTry), TLSSRP("a", "b"),
		PartialChain(false), CertificateChain(true), CACacheTimeout(1), IssuerCertificateBytes(files.caPEM), TLSCiphers("A"),
		ProxyTLS(CAFile(files.ca)),
	} {
		q := settingOf(o).(requirer)
		err := q.supported(none)
		require.Error(t, err, "%v", o)
		assert.ErrorIs(t, err, failure.Unsupported)
		assert.ErrorContains(t, err, "libcurl 7.88.0 cannot do this: it needs")
	}
	for _, o := range []Option{
		HTTPVersion(HTTP11), HTTPVersion(HTTPDefault), NoAuth(), AnyAuth("a", "b"), AnySafeAuth("a", "b"), BearerAuth("a"),
		AWSSigV4Auth(AWSSigV4{}), GSSAPIDelegation(NoDelegation), Proxy("http://h"),
		Proxy(""), UnixSocket(""), SystemCA(), ClientCertificate("", ""), ProxyFromEnvironment(),
		PinnedPublicKey(), TLS13Ciphers(), TLSCurves(), TLSSignatureAlgorithms(), TLSFalseStart(false), OCSPStapling(false),
		ECH(ECHOff), TLSSRP("", ""), PartialChain(true), CertificateChain(false), TLSCiphers(), ProxyTLS(), CRLFile(""),
		IssuerCertificate(""), IssuerCertificateBytes(nil),
	} {
		assert.NoError(t, settingOf(o).(requirer).supported(none), "%v", o)
	}
}

func TestSupported_blobs_by_TLS_library(t *testing.T) {
	gnutls := &cgo.FeatureSet{Version: 0x080e01, TLS: true, SSLBackend: "GnuTLS/3.8.9"}
	assert.Error(t, settingOf(CABytes(files.caPEM)).(requirer).supported(gnutls))
	assert.Error(t, settingOf(ClientCertificateBytes(files.certPEM, files.keyPEM)).(requirer).supported(gnutls))
	assert.NoError(t, settingOf(CAFile(files.ca)).(requirer).supported(gnutls))
	gnutls.Version = 0x081200
	assert.NoError(t, settingOf(CABytes(files.caPEM)).(requirer).supported(gnutls))
	for _, name := range []string{"OpenSSL/3.0.17", "LibreSSL/4.0.0", "mbedTLS/3.6.0"} {
		f := &cgo.FeatureSet{Version: 0x075801, TLS: true, SSLBackend: name}
		assert.True(t, takesCABlob(f) && takesCertificateBlob(f) && takesCAPath(f), name)
	}
	assert.False(t, takesCAPath(&cgo.FeatureSet{SSLBackend: "Schannel"}))
	old := &cgo.FeatureSet{Version: 0x080100, SSLBackend: "wolfSSL/5.6.0"}
	assert.False(t, takesCABlob(old) || takesCertificateBlob(old))
}
