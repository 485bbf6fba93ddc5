package config

import (
	"context"
	"net"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom/cgo"
	"github.com/ratmom/ratmom/internal/failure"
)

// The options about how servers are reached, for the tests that go over all.

func netSamples() []sample {
	return []sample{
		{"PreProxy", PreProxy("socks5h://a:1"), PreProxy("socks4://b"), PreProxy("")},
		{"ProxyTunnel", ProxyTunnel(true), ProxyTunnel(true), ProxyTunnel(false)},
		{"HAProxyProtocol", HAProxyProtocol(true), HAProxyProtocol(true), HAProxyProtocol(false)},
		{"HSTS", HSTS(""), HSTS(filepath.Join(files.dir, "hsts")), nil},
		{"AltSvc", AltSvc(""), AltSvc(filepath.Join(files.dir, "alt-svc")), nil},
		{"PipeWait", PipeWait(true), PipeWait(true), PipeWait(false)},
		{
			"DangerDoHAcceptInvalidCertificates", DangerDoHAcceptInvalidCertificates(true),
			DangerDoHAcceptInvalidCertificates(true), DangerDoHAcceptInvalidCertificates(false),
		},
		{
			"DangerDoHAcceptInvalidHostnames", DangerDoHAcceptInvalidHostnames(true),
			DangerDoHAcceptInvalidHostnames(true), DangerDoHAcceptInvalidHostnames(false),
		},
		{"DNSServers", DNSServers(), DNSServers([]netip.AddrPort{}...), nil},
		{"DNSInterface", DNSInterface(""), DNSInterface(""), nil},
		{"DNSLocalAddress", DNSLocalAddress(), DNSLocalAddress(), nil},
		{"DNSShuffle", DNSShuffle(true), DNSShuffle(true), DNSShuffle(false)},
		{"HappyEyeballsDelay", HappyEyeballsDelay(1), HappyEyeballsDelay(time.Second), nil},
		{"ResolveAgain", ResolveAgain("a:1", "*:2"), ResolveAgain("b:1"), ResolveAgain()},
		{"AbstractUnixSocket", AbstractUnixSocket("a"), AbstractUnixSocket("b"), AbstractUnixSocket("")},
		{"AddressScope", AddressScope(1), AddressScope(1<<31 - 1), AddressScope(0)},
		{"TypeOfService", TypeOfService(0x10), TypeOfService(0xfc), TypeOfService(0)},
		{"TCPKeepAliveCount", TCPKeepAliveCount(0), TCPKeepAliveCount(0), nil},
		{"HAProxyClientIP", HAProxyClientIP(netip.Addr{}), HAProxyClientIP(netip.Addr{}), nil},
		{"ProxyHTTP2", ProxyHTTP2(false), ProxyHTTP2(false), nil},
		{"StreamWeight", StreamWeight(16), StreamWeight(16), nil},
		{"DoHOCSPStapling", DoHOCSPStapling(false), DoHOCSPStapling(false), nil},
		{"TCPFastOpen", TCPFastOpen(false), TCPFastOpen(false), nil},
		{"DoH", DoH(""), DoH(""), nil},
	}
}

func netFeatureSamples(f *cgo.FeatureSet) []featureSample {
	port := netip.MustParseAddrPort
	return []featureSample{
		{f.HTTP2 && f.HTTPSProxy && f.AtLeast(8, 2, 0), sample{"ProxyHTTP2", ProxyHTTP2(true), ProxyHTTP2(true), ProxyHTTP2(false)}},
		{f.HAProxyClientIP, sample{"HAProxyClientIP", HAProxyClientIP(addr("1.2.3.4")), HAProxyClientIP(addr("::1")), HAProxyClientIP(netip.Addr{})}},
		{f.HTTP2, sample{"StreamWeight", StreamWeight(1), StreamWeight(256), StreamWeight(16)}},
		{f.DoH, sample{"DoH", DoH("https://127.0.0.1:1/q"), DoH("https://dns.test/dns-query{?dns}"), DoH("")}},
		{f.OCSPStapling, sample{"DoHOCSPStapling", DoHOCSPStapling(true), DoHOCSPStapling(true), DoHOCSPStapling(false)}},
		{f.CAres, sample{"DNSServers", DNSServers(port("127.0.0.1:53")), DNSServers(port("[::1]:0")), DNSServers()}},
		{f.CAres, sample{"DNSInterface", DNSInterface("lo"), DNSInterface("eth0"), DNSInterface("")}},
		{f.CAres, sample{"DNSLocalAddress", DNSLocalAddress(addr("127.0.0.1")), DNSLocalAddress(addr("::1")), DNSLocalAddress()}},
		{cgo.CanDial(), sample{"DialContext", DialContext(dialling), DialContext(dialling), DialContext(nil)}},
		{f.TCPFastOpen, sample{"TCPFastOpen", TCPFastOpen(true), TCPFastOpen(true), TCPFastOpen(false)}},
		{f.TCPKeepAliveCount, sample{"TCPKeepAliveCount", TCPKeepAliveCount(1), TCPKeepAliveCount(127), TCPKeepAliveCount(0)}},
	}
}

func dialling(context.Context, string, string) (net.Conn, error) { return nil, net.ErrClosed }

func netRefused() []struct {
	says   string
	option any
	why    string
} {
	bad := netip.AddrPort{}
	return []struct {
		says   string
		option any
		why    string
	}{
		{`PreProxy("http://h")`, PreProxy("http://h"), `scheme "http" is none of socks4`},
		{`PreProxy("socks5://h:0")`, PreProxy("socks5://h:0"), "is not in 1 to 65535"},
		{`PreProxy("socks5://xxxxx@h")`, PreProxy("socks5://u:" + secretText + "@h"), "has a user name"},
		{`PreProxy("socks5://h/x")`, PreProxy("socks5://h/x"), "has more than"},
		{"HAProxyClientIP(fe80::1%lo)", HAProxyClientIP(addr("fe80::1%lo")), "has a zone"},
		{`HSTS("a\x00")`, HSTS("a\x00"), "control character"},
		{"HSTS(", HSTS(files.directory), "is not a regular file"},
		{"HSTS(", HSTS(files.ca + "/x"), "not a directory"},
		{"AltSvc(", AltSvc(files.directory), "is not a regular file"},
		{"StreamWeight(0)", StreamWeight(0), "is less than 1"},
		{"StreamWeight(257)", StreamWeight(257), "is more than 256"},
		{`DoH("http://h/")`, DoH("http://h/"), `scheme "http" is not https`},
		{`DoH("dns.test")`, DoH("dns.test"), `scheme "" is not https`},
		{`DoH("https://")`, DoH("https://"), "has no host"},
		{`DoH("https://xxxxx@h/")`, DoH("https://u:" + secretText + "@h/"), "has a user name"},
		{`DoH("https://h/#x")`, DoH("https://h/#x"), "has a fragment"},
		{`DoH("https://h:0/")`, DoH("https://h:0/"), "is not in 1 to 65535"},
		{`DoH("https://h/\n")`, DoH("https://h/\n"), "control character"},
		{`DoH("https://h:x/")`, DoH("https://h:x/"), "is not a URL"},
		{"DNSServers(", DNSServers(bad), "is no IP address"},
		{"DNSServers(", DNSServers(netip.MustParseAddrPort("[fe80::1%lo]:53")), "without a zone"},
		{`DNSInterface("a b")`, DNSInterface("a b"), "is not the name"},
		{`DNSInterface("aaaaaaaaaaaaaaaa")`, DNSInterface("aaaaaaaaaaaaaaaa"), "is longer than 15 bytes"},
		{"DNSLocalAddress(1.2.3.4)", DNSLocalAddress(addr("1.2.3.5"), addr("1.2.3.4")), "two addresses of a family"},
		{"DNSLocalAddress(fe80::1%lo)", DNSLocalAddress(addr("fe80::1%lo")), "without a zone"},
		{"HappyEyeballsDelay(-1ns)", HappyEyeballsDelay(-1), "is negative"},
		{"HappyEyeballsDelay(", HappyEyeballsDelay(long), "is longer"},
		{`ResolveAgain("a")`, ResolveAgain("a"), "port"},
		{`ResolveAgain("a b:1")`, ResolveAgain("a:1", "a b:1"), "character ' '"},
		{`AbstractUnixSocket("aaaa`, AbstractUnixSocket(strings.Repeat("a", 107)), "is longer than 106 bytes"},
		{`AbstractUnixSocket("a\x00")`, AbstractUnixSocket("a\x00"), "control character"},
		{"AddressScope(2147483648)", AddressScope(1 << 31), "is more than 2147483647"},
		{"TypeOfService(0x11)", TypeOfService(0x11), "lower two bits"},
		{"TCPKeepAliveCount(-1)", TCPKeepAliveCount(-1), "is negative"},
		{"TCPKeepAliveCount(128)", TCPKeepAliveCount(128), "is more than 127"},
	}
}

func TestNet_options_pack_what_libcurl_is_to_do(t *testing.T) {
	own := []string{"CURLOPT_FORBID_REUSE 1", "CURLOPT_FRESH_CONNECT 1"}
	for _, c := range []struct {
		option any
		want   []string
	}{
		{PreProxy("socks5://a"), nil}, // there is no proxy
		{ProxyTunnel(true), nil},
		{HAProxyProtocol(true), []string{"CURLOPT_HAPROXYPROTOCOL 1"}},
		{HAProxyProtocol(false), nil},
		{HSTS(""), nil}, // done in Go
		{AltSvc(""), nil},
		{PipeWait(true), []string{"CURLOPT_PIPEWAIT 1"}},
		{PipeWait(false), nil},
		{DangerDoHAcceptInvalidCertificates(true), []string{"CURLOPT_DOH_SSL_VERIFYPEER 0"}},
		{DangerDoHAcceptInvalidHostnames(true), []string{"CURLOPT_DOH_SSL_VERIFYHOST 0"}},
		{DNSShuffle(true), []string{"CURLOPT_DNS_SHUFFLE_ADDRESSES 1"}},
		{HappyEyeballsDelay(1), []string{"CURLOPT_HAPPY_EYEBALLS_TIMEOUT_MS 1"}},
		{HappyEyeballsDelay(0), []string{"CURLOPT_HAPPY_EYEBALLS_TIMEOUT_MS 0"}},
		{ResolveAgain("a:1", "*:2"), []string{"CURLOPT_RESOLVE [-a:1 -*:2]"}},
		{AbstractUnixSocket("a"), []string{"CURLOPT_ABSTRACT_UNIX_SOCKET a"}},
		{AddressScope(3), []string{"CURLOPT_ADDRESS_SCOPE 3"}},
		{TypeOfService(0x10), []string{"CURLOPT_SOCKOPTDATA 16"}},
	} {
		assert.Equal(t, c.want, added(t, c.option, testURLs[0]), "%v", c.option)
	}
	for _, s := range netFeatureSamples(cgo.Features()) {
		want := map[string][]string{
			"HAProxyClientIP":   {"CURLOPT_HAPROXY_CLIENT_IP 1.2.3.4"},
			"StreamWeight":      {"CURLOPT_STREAM_WEIGHT 1"},
			"DoH":               {"CURLOPT_DOH_URL https://127.0.0.1:1/q"},
			"DoHOCSPStapling":   {"CURLOPT_DOH_SSL_VERIFYSTATUS 1"},
			"DNSServers":        {"CURLOPT_DNS_SERVERS 127.0.0.1:53"},
			"DNSInterface":      {"CURLOPT_DNS_INTERFACE lo"},
			"DNSLocalAddress":   {"CURLOPT_DNS_LOCAL_IP4 127.0.0.1"},
			"TCPFastOpen":       {"CURLOPT_TCP_FASTOPEN 1"},
			"TCPKeepAliveCount": {"CURLOPT_TCP_KEEPCNT 1"},
		}[s.name]
		if s.has && want != nil {
			assert.Subset(t, added(t, s.first, testURLs[0]), want, s.name)
		}
	}
	for _, o := range []any{HAProxyProtocol(true), TypeOfService(4)} {
		assert.NotSubset(t, records(t, client(t, o).Defaults(), testURLs[0]), own, "%v: all requests are alike", o)
		assert.Subset(t, records(t, request(t, client(t), o), testURLs[0]), own, "%v: this one is not", o)
		assert.NotSubset(t, records(t, request(t, client(t, o), o), testURLs[0]), own, "%v: nor is it other than the client's", o)
	}
}

func TestProxies_in_a_row(t *testing.T) {
	c := client(t, PreProxy("socks5://first"), ProxyTunnel(true))
	assert.Subset(t, records(t, request(t, c, Proxy("http://second:1")), testURLs[0]),
		[]string{"CURLOPT_PRE_PROXY socks5://first:1080", "CURLOPT_PROXY http://second:1", "CURLOPT_HTTPPROXYTUNNEL 1", "CURLOPT_SOCKS5_AUTH 1"})
	past := records(t, request(t, c, Proxy("http://second:1"), NoProxy("example.org")), testURLs[0])
	assert.NotContains(t, strings.Join(past, "\n"), "first")
	assert.NotContains(t, past, "CURLOPT_HTTPPROXYTUNNEL 1")

	var o cgo.Options
	err := request(t, c, Proxy("socks5://u:"+secretText+"@second")).Encode(&o, mustParse(t, testURLs[0]))
	require.ErrorContains(t, err, `config.PreProxy("socks5://first"): the proxy behind it is a SOCKS proxy, too: socks5://second:1080`)
	assert.ErrorIs(t, err, failure.InvalidOption)
	if cgo.Features().AtLeast(8, 2, 0) {
		r := request(t, client(t, ProxyHTTP2(true)), Proxy("https://p"))
		assert.Contains(t, records(t, r, testURLs[0]), "CURLOPT_PROXYTYPE 3")
	}
}

func TestNoProxy_takes_ranges(t *testing.T) {
	s := settingOf(NoProxy("10.0.0.0/8", "fd00::/8", "192.168.1.7")).(noProxy)
	for u, want := range map[string]bool{
		"http://10.255.0.1/": true, "http://11.0.0.1/": false, "http://[fd12::1]/": true, "http://[fe80::1]/": false,
		"http://192.168.1.7:8080/": true, "http://192.168.1.8/": false, "http://[::ffff:10.0.0.1]/": true, "http://a10.0.0.0.test/": false,
	} {
		assert.Equal(t, want, s.match(mustParse(t, u)), u)
	}
}

func TestResolveAgain_keeps_the_clients_other_hosts(t *testing.T) {
	c := client(t, Resolve(map[string][]netip.Addr{"a:1": {addr("::1")}, "b:1": {addr("127.0.0.1")}}))
	assert.Contains(t, records(t, request(t, c, ResolveAgain("a:1")), testURLs[0]), "CURLOPT_RESOLVE [-a:1 b:1:127.0.0.1]")
	assert.Contains(t, records(t, request(t, c, ResolveAgain()), testURLs[0]), "CURLOPT_RESOLVE [a:1:[::1] b:1:127.0.0.1]")
}

func TestDoH_of_a_request_is_not_answered_from_the_cache(t *testing.T) {
	if !cgo.Features().DoH {
		t.Skip("libcurl without DNS over HTTPS")
	}
	doh := DoH("https://127.0.0.1:1/")
	assert.Contains(t, records(t, request(t, client(t), doh), testURLs[0]), "CURLOPT_DNS_CACHE_TIMEOUT 0")
	got := records(t, client(t, doh, CAFile(files.ca)).Defaults(), testURLs[0])
	assert.NotContains(t, got, "CURLOPT_DNS_CACHE_TIMEOUT 0")
	assert.Contains(t, got, "CURLOPT_CAINFO "+files.ca, "TLS is spoken for an http URL, too")
	assert.Contains(t, records(t, request(t, client(t, doh), DoH("")), testURLs[0]), "CURLOPT_DNS_CACHE_TIMEOUT 0")
}

func TestHAProxyClientIP_stands_for_the_protocol(t *testing.T) {
	if !cgo.Features().HAProxyClientIP {
		t.Skip("libcurl before 8.2")
	}
	got := records(t, client(t, HAProxyProtocol(true), HAProxyClientIP(addr("::ffff:1.2.3.4"))).Defaults(), testURLs[0])
	assert.Contains(t, got, "CURLOPT_HAPROXY_CLIENT_IP 1.2.3.4")
	assert.False(t, slices.Contains(got, "CURLOPT_HAPROXYPROTOCOL 1"))
}

func TestAbstractUnixSocket_and_UnixSocket_replace_one_another(t *testing.T) {
	c := client(t, UnixSocket("/a"))
	assert.Equal(t, "@b", request(t, c, AbstractUnixSocket("b")).UnixSocket())
	assert.Empty(t, request(t, c, AbstractUnixSocket("")).UnixSocket())
	assert.Equal(t, "/a", request(t, client(t, AbstractUnixSocket("b")), UnixSocket("/a")).UnixSocket())
}

func TestSupported_net_options_without_anything(t *testing.T) {
	none := &cgo.FeatureSet{Version: 0x075800, VersionString: "7.88.0"}
	port := netip.MustParseAddrPort("127.0.0.1:53")
	for _, o := range []any{
		ProxyHTTP2(true), HAProxyClientIP(addr("::1")), StreamWeight(1), DoH("https://a"), DoHOCSPStapling(true),
		DNSServers(port), DNSInterface("lo"), DNSLocalAddress(addr("::1")), TCPFastOpen(true), TCPKeepAliveCount(1),
		AbstractUnixSocket("a"),
	} {
		err := settingOf(o).(requirer).supported(none)
		require.Error(t, err, "%v", o)
		assert.ErrorIs(t, err, failure.Unsupported)
		assert.ErrorContains(t, err, "libcurl 7.88.0 cannot do this: it needs")
	}
	for _, o := range []any{
		ProxyHTTP2(false), HAProxyClientIP(netip.Addr{}), StreamWeight(16), DoH(""), DoHOCSPStapling(false), DNSServers(),
		DNSInterface(""), DNSLocalAddress(), TCPFastOpen(false), TCPKeepAliveCount(0), AbstractUnixSocket(""),
	} {
		assert.NoError(t, settingOf(o).(requirer).supported(none), "%v", o)
	}
}

func TestDialContext_names_connections_by_its_number(t *testing.T) {
	if !cgo.CanDial() {
		_, err := NewClient(DialContext(dialling))
		require.ErrorIs(t, err, failure.Unsupported)
		t.Skip("this libcurl cannot dial")
	}
	one, two := DialContext(dialling), DialContext(dialling)
	path := func(r *RequestConfig) string {
		for _, line := range records(t, r, testURLs[0]) {
			if p, ok := strings.CutPrefix(line, "CURLOPT_UNIX_SOCKET_PATH "); ok {
				return p
			}
		}
		return ""
	}
	c := client(t, one)
	assert.NotEmpty(t, path(c.Defaults()))
	assert.Equal(t, path(c.Defaults()), path(request(t, c, one)))
	assert.NotEqual(t, path(c.Defaults()), path(request(t, c, two)))
	assert.Empty(t, path(request(t, c, DialContext(nil))))
	assert.Nil(t, request(t, c, DialContext(nil)).DialContext())
	assert.NotNil(t, c.Defaults().DialContext())

	via := func(opts ...any) string {
		r := records(t, request(t, c, opts...), testURLs[0])
		assert.Subset(t, r, []string{"CURLOPT_LOCALPORT 0", "CURLOPT_IPRESOLVE 0"})
		assert.NotContains(t, strings.Join(r, "\n"), "UNIX_SOCKET")
		i := slices.IndexFunc(r, func(line string) bool { return strings.HasPrefix(line, "CURLOPT_PROXY ") })
		return r[i]
	}
	first := via(Proxy("http://p:3128"))
	assert.Regexp(t, `^CURLOPT_PROXY http://\[100::.*\]:3128$`, first)
	assert.Equal(t, first, via(Proxy("http://p:3128"), one))
	assert.NotEqual(t, first, via(Proxy("http://p:3128"), two))
	assert.NotEqual(t, first, via(Proxy("http://q:3128")))
	assert.Equal(t, "CURLOPT_PROXY https://p:3128", via(Proxy("https://p:3128"), PreProxy("socks5://s")), "the first proxy is dialled")
}

func TestDialContext_is_told_where_to_connect(t *testing.T) {
	for _, x := range []struct {
		url, want string
		opts      []any
	}{
		{"http://a/", "a:80", nil},
		{"https://a/", "a:443", nil},
		{"http://[::1]:8/", "[::1]:8", nil},
		{"https://b\u00fccher.test/", "xn--bcher-kva.test:443", nil},
		{"http://a/", "p:3128", []any{Proxy("http://p:3128")}},
		{"http://a/", "s:1080", []any{Proxy("http://p:3128"), PreProxy("socks5://s")}},
		{"http://a/", "a:80", []any{Proxy("http://p:3128"), NoProxy("a")}},
		{"http://a/", "b:80", []any{ConnectTo(map[string]string{"a:": "b:", ":80": "c:1"})}},
		{"http://x/", "c:1", []any{ConnectTo(map[string]string{"a:": "b:", ":80": "c:1"})}},
		{"http://[::1]/", "[::2]:80", []any{ConnectTo(map[string]string{"[::1]:80": "[::2]:"})}},
		{"http://A/", "a.test:80", []any{ConnectTo(map[string]string{"a:80": "a.test:"})}},
	} {
		got, err := request(t, client(t, Proxy("")), x.opts...).DialAddress(mustParse(t, x.url))
		require.NoError(t, err)
		assert.Equal(t, x.want, got, "%s %v", x.url, x.opts)
	}
}
