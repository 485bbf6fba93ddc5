package config

import (
	"crypto/tls"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/netip"
	"os"
	"time"

	"github.com/ratmom/ratmom/cgo"
	"github.com/ratmom/ratmom/retry"
)

// A sample is an option with two different values and, if it has one, the value
// that switches it off.
type sample struct {
	name               string
	first, second, off any // each a ClientOption, RequestOption or both
}

// secretText stands in every sample value that must never be printed.
const secretText = "s3cret"

func addr(s string) netip.Addr { return netip.MustParseAddr(s) }

// samples has every option there is; a test sees to that.
func samples() []sample {
	jar, _ := cookiejar.New(nil)
	jar2, _ := cookiejar.New(nil)
	check := func(*http.Request, []*http.Request) error { return nil }
	wire := func(WireEvent) {}
	progress := func(int64, int64) {}
	list := []sample{
		{"Timeout", Timeout(time.Second), Timeout(time.Minute), Timeout(0)},
		{"ResponseHeadTimeout", ResponseHeadTimeout(1), ResponseHeadTimeout(2), ResponseHeadTimeout(0)},
		{"IdleReadTimeout", IdleReadTimeout(1), IdleReadTimeout(2), IdleReadTimeout(0)},
		{"ConnectTimeout", ConnectTimeout(1), ConnectTimeout(time.Second), ConnectTimeout(0)},
		{"LowSpeed", LowSpeed(10, time.Second), LowSpeed(20, time.Minute), LowSpeed(0, 0)},
		{"MaxUploadSpeed", MaxUploadSpeed(1), MaxUploadSpeed(2), MaxUploadSpeed(0)},
		{"MaxDownloadSpeed", MaxDownloadSpeed(1), MaxDownloadSpeed(2), MaxDownloadSpeed(0)},
		{"HTTPVersion", HTTPVersion(HTTP10), HTTPVersion(HTTP11), HTTPVersion(HTTPDefault)},
		{"DefaultHeader", DefaultHeader("A", secretText), DefaultHeader("B", "2"), nil},
		{"DefaultHeaders", DefaultHeaders(http.Header{"A": {"1"}}), DefaultHeaders(http.Header{"B": {secretText}}), DefaultHeaders(nil)},
		{"UserAgent", UserAgent("a"), UserAgent("b"), UserAgent("")},
		{"TitleCaseHeaders", TitleCaseHeaders(true), TitleCaseHeaders(true), TitleCaseHeaders(false)},
		{"Decompression", Decompression(true), Decompression(true), Decompression(false)},
		{"BufferSize", BufferSize(1024), BufferSize(2048), nil},
		{"UploadBufferSize", UploadBufferSize(16384), UploadBufferSize(32768), nil},
		{"RequestTarget", RequestTarget("*"), RequestTarget("/b"), nil},
		{"HeaderOrder", HeaderOrder("A", "B"), HeaderOrder("C"), HeaderOrder()},
		{"RawHeaders", RawHeaders(true), RawHeaders(true), RawHeaders(false)},
		{"MaxBodyBytes", MaxBodyBytes(1), MaxBodyBytes(2), MaxBodyBytes(0)},
		{"MaxDecompressedBytes", MaxDecompressedBytes(1), MaxDecompressedBytes(2), MaxDecompressedBytes(0)},
		{"Range", Range(0, 1), Range(-5, -1), nil},
		{"TimeCondition", TimeCondition(IfModifiedSince, time.Unix(1, 0)), TimeCondition(IfUnmodifiedSince, time.Unix(2, 0)), nil},
		{"StatusAliases", StatusAliases("ICY 200"), StatusAliases("SOURCE"), StatusAliases()},
		{"IgnoreContentLength", IgnoreContentLength(true), IgnoreContentLength(true), IgnoreContentLength(false)},
		{"AllowHTTP09", AllowHTTP09(true), AllowHTTP09(true), AllowHTTP09(false)},
		{"StopUploadOnError", StopUploadOnError(true), StopUploadOnError(true), StopUploadOnError(false)},
		{"DisallowUserinfo", DisallowUserinfo(true), DisallowUserinfo(true), DisallowUserinfo(false)},
		{"TransferDecoding", TransferDecoding(false), TransferDecoding(false), TransferDecoding(true)},
		{"TransferCompression", TransferCompression(true), TransferCompression(true), TransferCompression(false)},
		{"UploadProgress", UploadProgress(progress), UploadProgress(progress), UploadProgress(nil)},
		{"DownloadProgress", DownloadProgress(progress), DownloadProgress(progress), DownloadProgress(nil)},
		{"BodyBuffer", BodyBuffer(1), BodyBuffer(2), nil},
		{"MaxResponseHeadBytes", MaxResponseHeadBytes(1), MaxResponseHeadBytes(2), nil},
		{"ExpectContinue", ExpectContinue(1), ExpectContinue(time.Second), ExpectContinue(0)},
		{"MaxRedirects", MaxRedirects(1), MaxRedirects(2), MaxRedirects(0)},
		{"NoRedirect", NoRedirect(), NoRedirect(), nil},
		{"CheckRedirect", CheckRedirect(check), CheckRedirect(check), CheckRedirect(nil)},
		{"AutoReferer", AutoReferer(true), AutoReferer(true), AutoReferer(false)},
		{"CookieJar", CookieJar(jar), CookieJar(jar2), CookieJar(nil)},
		{"Metrics", Metrics(true), Metrics(true), Metrics(false)},
		{"WireLog", WireLog(wire), WireLog(wire), WireLog(nil)},
		{"Debug", Debug(io.Discard), Debug(os.Stderr), Debug(nil)},
		{"BasicAuth", BasicAuth("u", secretText), BasicAuth(secretText, "p"), NoAuth()},
		{"DigestAuth", DigestAuth("u", secretText), DigestAuth(secretText, "p"), NoAuth()},
		{"AnyAuth", AnyAuth("u", secretText), AnyAuth(secretText, "p"), NoAuth()},
		{"AnySafeAuth", AnySafeAuth("u", secretText), AnySafeAuth(secretText, "p"), NoAuth()},
		{"BearerAuth", BearerAuth(secretText), BearerAuth(secretText + "2"), NoAuth()},
		{
			"AWSSigV4Auth", AWSSigV4Auth(AWSSigV4{AccessKeyID: secretText, SecretAccessKey: secretText, Region: "r", Service: "s"}),
			AWSSigV4Auth(AWSSigV4{AccessKeyID: "a", SecretAccessKey: "b", SessionToken: secretText, Region: "r", Service: "s"}), NoAuth(),
		},
		{"Netrc", Netrc(files.netrc), Netrc(files.otherNetrc), nil},
		{"NoAuth", NoAuth(), NoAuth(), nil},
		{"ProxyBasicAuth", ProxyBasicAuth("u", secretText), ProxyBasicAuth(secretText, "p"), NoProxyAuth()},
		{"ProxyDigestAuth", ProxyDigestAuth("u", secretText), ProxyDigestAuth(secretText, "p"), NoProxyAuth()},
		{"ProxyAnyAuth", ProxyAnyAuth("u", secretText), ProxyAnyAuth(secretText, "p"), NoProxyAuth()},
		{"ProxyAnySafeAuth", ProxyAnySafeAuth("u", secretText), ProxyAnySafeAuth(secretText, "p"), NoProxyAuth()},
		{"NoProxyAuth", NoProxyAuth(), NoProxyAuth(), nil},
		{"Proxy", Proxy("http://u:" + secretText + "@a:1"), Proxy("socks5h://" + secretText + "@b"), Proxy("")},
		{"ProxyFromEnvironment", ProxyFromEnvironment(), ProxyFromEnvironment(), nil},
		{"NoProxy", NoProxy("a"), NoProxy("b", "10.0.0.0/8"), NoProxy()},
		{"ProxyHeaders", ProxyHeaders(http.Header{"A": {secretText}}), ProxyHeaders(http.Header{"B": {"1"}}), ProxyHeaders(nil)},
		{"TLSServerName", TLSServerName("a"), TLSServerName("b"), TLSServerName("")},
		{"SystemCA", SystemCA(), SystemCA(), nil},
		{"CAFile", CAFile(files.ca), CAFile(files.both), SystemCA()},
		{"ClientCertificatePassword", ClientCertificatePassword(secretText), ClientCertificatePassword("b"), ClientCertificatePassword("")},
		{"TLSCiphers", TLSCiphers("ECDHE-RSA-AES128-GCM-SHA256"), TLSCiphers("HIGH", "!SHA1"), TLSCiphers()},
		{"ALPN", ALPN(false), ALPN(false), ALPN(true)},
		{"TLSSessionReuse", TLSSessionReuse(false), TLSSessionReuse(false), TLSSessionReuse(true)},
		{"ClientCertificate", ClientCertificate(files.cert, files.key), ClientCertificate(files.both, ""), ClientCertificate("", "")},
		{"TLSMinVersion", TLSMinVersion(tls.VersionTLS13), TLSMinVersion(tls.VersionTLS12), TLSMinVersion(0)},
		{"TLSMaxVersion", TLSMaxVersion(tls.VersionTLS13), TLSMaxVersion(tls.VersionTLS12), TLSMaxVersion(0)},
		{"DangerAcceptInvalidCertificates", DangerAcceptInvalidCertificates(true), DangerAcceptInvalidCertificates(true), DangerAcceptInvalidCertificates(false)},
		{"DangerAcceptInvalidHostnames", DangerAcceptInvalidHostnames(true), DangerAcceptInvalidHostnames(true), DangerAcceptInvalidHostnames(false)},
		{"Agents", Agents(2), Agents(3), nil},
		{"MaxConnections", MaxConnections(4), MaxConnections(6), MaxConnections(0)},
		{"MaxConnectionsPerHost", MaxConnectionsPerHost(4), MaxConnectionsPerHost(6), MaxConnectionsPerHost(0)},
		{"MaxPausedStreams", MaxPausedStreams(1), MaxPausedStreams(6), MaxPausedStreams(0)},
		{"ConnectionCacheSize", ConnectionCacheSize(4), ConnectionCacheSize(6), ConnectionCacheSize(0)},
		{"IdleConnectionAge", IdleConnectionAge(1), IdleConnectionAge(time.Minute), IdleConnectionAge(0)},
		{"ConnectionLifetime", ConnectionLifetime(1), ConnectionLifetime(time.Minute), ConnectionLifetime(0)},
		{"FreshConnection", FreshConnection(), FreshConnection(), nil},
		{"ForbidReuse", ForbidReuse(), ForbidReuse(), nil},
		{"ConnectionReuse", ConnectionReuse(retry.ReuseNever), ConnectionReuse(retry.ReuseSafe), ConnectionReuse(retry.ReuseAlways)},
		{"Retry", Retry(retry.Policy{}), Retry(retry.Policy{Tries: 5}), NoRetry()},
		{"NoRetry", NoRetry(), NoRetry(), nil},
		{"RetryBudget", RetryBudget(new(retry.Budget)), RetryBudget(new(retry.Budget)), RetryBudget(nil)},
		{"MaxAbandonedLookups", MaxAbandonedLookups(1), MaxAbandonedLookups(6), MaxAbandonedLookups(0)},
		{"DNSCacheTimeout", DNSCacheTimeout(1), DNSCacheTimeout(time.Minute), DNSCacheTimeout(0)},
		{"DNSCacheForever", DNSCacheForever(), DNSCacheForever(), nil},
		{
			"Resolve", Resolve(map[string][]netip.Addr{"a:1": {addr("127.0.0.1"), addr("::1")}}),
			Resolve(map[string][]netip.Addr{"*:2": {addr("127.0.0.2")}}), Resolve(nil),
		},
		{"ConnectTo", ConnectTo(map[string]string{"a:1": "b:2"}), ConnectTo(map[string]string{"": "[::1]:80"}), ConnectTo(nil)},
		{"UnixSocket", UnixSocket("/a"), UnixSocket("/b"), UnixSocket("")},
		{"Interface", Interface("lo"), Interface("eth0"), Interface("")},
		{"LocalAddress", LocalAddress(addr("127.0.0.1")), LocalAddress(addr("::1")), LocalAddress(netip.Addr{})},
		{"LocalPort", LocalPort(1, 2), LocalPort(65535, 1), LocalPort(0, 0)},
		{"IPVersion", IPVersion(IPv4), IPVersion(IPv6), IPVersion(IPAny)},
		{"TCPKeepAlive", TCPKeepAlive(1, 2), TCPKeepAlive(time.Minute, time.Second), TCPKeepAlive(0, 0)},
		{"TCPNoDelay", TCPNoDelay(false), TCPNoDelay(false), TCPNoDelay(true)},
		{"Value", Value(1), Value(2), nil},
	}
	list = append(list, netSamples()...)
	// What not every libcurl has; elsewhere these must be refused.
	for _, s := range featureSamples() {
		if s.has {
			list = append(list, s.sample)
		}
	}
	return list
}

// somePin is no key's.
const somePin = "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="

type featureSample struct {
	has bool
	sample
}

func featureSamples() []featureSample {
	f := cgo.Features()
	return append(netFeatureSamples(f), []featureSample{
		{f.NTLM, sample{"NTLMAuth", NTLMAuth("u", secretText), NTLMAuth(secretText, "p"), NoAuth()}},
		{f.NTLM, sample{"ProxyNTLMAuth", ProxyNTLMAuth("u", secretText), ProxyNTLMAuth(secretText, "p"), NoProxyAuth()}},
		{f.GSSAPI, sample{"NegotiateAuth", NegotiateAuth(), NegotiateAuth(), NoAuth()}},
		{f.GSSAPI, sample{"ProxyNegotiateAuth", ProxyNegotiateAuth(), ProxyNegotiateAuth(), NoProxyAuth()}},
		{f.GSSAPI, sample{"ServiceName", ServiceName("a"), ServiceName("b"), nil}},
		{f.GSSAPI, sample{"ProxyServiceName", ProxyServiceName("a"), ProxyServiceName("b"), nil}},
		{f.GSSAPI, sample{"GSSAPIDelegation", GSSAPIDelegation(DelegationAlways), GSSAPIDelegation(DelegationByPolicy), GSSAPIDelegation(NoDelegation)}},
		{f.HTTP2, sample{"HTTPVersion", HTTPVersion(HTTP2), HTTPVersion(HTTP2PriorKnowledge), HTTPVersion(HTTPDefault)}},
		{f.HTTP3, sample{"HTTPVersion", HTTPVersion(HTTP3), HTTPVersion(HTTP3Only), HTTPVersion(HTTPDefault)}},
		{f.HTTPSProxy, sample{"Proxy", Proxy("https://u:" + secretText + "@a"), Proxy("https://b:1"), Proxy("")}},
		{f.HTTPSProxy, sample{
			"ProxyTLS", ProxyTLS(ClientCertificatePassword(secretText)),
			ProxyTLS(ClientCertificatePassword("b"), DangerAcceptInvalidCertificates(true)), nil,
		}},
		{f.PinnedPublicKey, sample{"PinnedPublicKey", PinnedPublicKey(somePin), PinnedPublicKey(somePin, files.cert), PinnedPublicKey()}},
		{f.TLS13Ciphers, sample{"TLS13Ciphers", TLS13Ciphers("TLS_AES_128_GCM_SHA256"), TLS13Ciphers("A", "B"), TLS13Ciphers()}},
		{isOpenSSL(f), sample{"TLSCurves", TLSCurves("X25519"), TLSCurves("P-256", "P-384"), TLSCurves()}},
		{f.SignatureAlgorithms, sample{
			"TLSSignatureAlgorithms", TLSSignatureAlgorithms("ECDSA+SHA256"), TLSSignatureAlgorithms("a", "b"), TLSSignatureAlgorithms(),
		}},
		{f.FalseStart, sample{"TLSFalseStart", TLSFalseStart(true), TLSFalseStart(true), TLSFalseStart(false)}},
		{f.OCSPStapling, sample{"OCSPStapling", OCSPStapling(true), OCSPStapling(true), OCSPStapling(false)}},
		{f.ECH, sample{"ECH", ECH(ECHGrease), ECH(ECHHard), ECH(ECHOff)}},
		{f.TLSSRP, sample{"TLSSRP", TLSSRP("u", secretText), TLSSRP(secretText, "p"), TLSSRP("", "")}},
		{isOpenSSL(f), sample{"PartialChain", PartialChain(false), PartialChain(false), PartialChain(true)}},
		{f.CertInfo, sample{"CertificateChain", CertificateChain(true), CertificateChain(true), CertificateChain(false)}},
		{takesCAPath(f), sample{"CADirectory", CADirectory(files.directory), CADirectory("/"), SystemCA()}},
		{isOpenSSL(f) || f.CACache, sample{"CACacheTimeout", CACacheTimeout(time.Second), CACacheTimeout(time.Hour), CACacheTimeout(0)}},
		{isOpenSSL(f) || f.Backend("GnuTLS"), sample{"CRLFile", CRLFile(files.crl), CRLFile(files.crl), CRLFile("")}},
		{isOpenSSL(f) || f.Backend("GnuTLS"), sample{"IssuerCertificate", IssuerCertificate(files.ca), IssuerCertificate(files.cert), IssuerCertificate("")}},
		{isOpenSSL(f), sample{
			"IssuerCertificateBytes", IssuerCertificateBytes(files.caPEM), IssuerCertificateBytes(files.certPEM), IssuerCertificateBytes(nil),
		}},
		{takesCABlob(f), sample{"CABytes", CABytes(files.caPEM), CABytes(files.certPEM), SystemCA()}},
		{takesCertificateBlob(f), sample{
			"ClientCertificateBytes",
			ClientCertificateBytes(files.certPEM, files.keyPEM),
			ClientCertificateBytes(append(append([]byte{}, files.certPEM...), files.keyPEM...), nil),
			ClientCertificate("", ""),
		}},
	}...)
}
