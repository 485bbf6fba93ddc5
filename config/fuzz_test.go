package config

import (
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom/cgo"
)

// fuzzed makes an option of fuzzed values.
func fuzzed(which byte, a, b string, n, m int64) any {
	d, e := time.Duration(n), time.Duration(m)
	list := []func() any{
		func() any { return Timeout(d) },
		func() any { return ConnectTimeout(d) },
		func() any { return LowSpeed(n, e) },
		func() any { return MaxUploadSpeed(n) },
		func() any { return MaxDownloadSpeed(n) },
		func() any { return HTTPVersion(Version(n)) },
		func() any { return DefaultHeader(a, b) },
		func() any { return DefaultHeaders(http.Header{a: {b}}) },
		func() any { return UserAgent(a) },
		func() any { return BufferSize(int(n)) },
		func() any { return UploadBufferSize(int(n)) },
		func() any { return BodyBuffer(int(n)) },
		func() any { return ExpectContinue(d) },
		func() any { return BasicAuth(a, b) },
		func() any { return DigestAuth(a, b) },
		func() any { return AnyAuth(a, b) },
		func() any { return BearerAuth(a) },
		func() any {
			return AWSSigV4Auth(AWSSigV4{AccessKeyID: a, SecretAccessKey: b, Region: a, Service: b, Provider: a})
		},
		func() any { return GSSAPIDelegation(Delegation(n)) },
		func() any { return Proxy(a) },
		func() any { return Proxy("socks5://" + a + ":" + b + "@h") },
		func() any { return environmentOf(map[string]string{"HTTP_PROXY": a, "NO_PROXY": b}) },
		func() any { return NoProxy(a, b) },
		func() any { return ProxyBasicAuth(a, b) },
		func() any { return ProxyHeaders(http.Header{a: {b}}) },
		func() any { return TLSServerName(a) },
		func() any { return CAFile(a) },
		func() any { return CABytes([]byte(a)) },
		func() any { return ClientCertificate(a, b) },
		func() any { return ClientCertificateBytes([]byte(a), []byte(b)) },
		func() any { return TLSMinVersion(uint16(n)) },
		func() any { return TLSMaxVersion(uint16(n)) },
		func() any { return Agents(int(n)) },
		func() any { return MaxConnections(int(n)) },
		func() any { return ConnectionCacheSize(int(n)) },
		func() any { return IdleConnectionAge(d) },
		func() any { return ConnectionLifetime(d) },
		func() any { return DNSCacheTimeout(d) },
		func() any {
			ip, _ := netip.ParseAddr(b)
			return Resolve(map[string][]netip.Addr{a: {ip}})
		},
		func() any { return ConnectTo(map[string]string{a: b}) },
		func() any { return UnixSocket(a) },
		func() any { return Interface(a) },
		func() any {
			ip, _ := netip.ParseAddr(a)
			return LocalAddress(ip)
		},
		func() any { return LocalPort(int(n), int(m)) },
		func() any { return IPVersion(IPFamily(n)) },
		func() any { return TCPKeepAlive(d, e) },
		func() any { return PreProxy(a) },
		func() any { return DoH(a) },
		func() any { return HSTS(a) },
		func() any { return AltSvc(a) },
		func() any { return StreamWeight(int(n)) },
		func() any { return HappyEyeballsDelay(d) },
		func() any { return AbstractUnixSocket(a) },
		func() any { return AddressScope(uint32(n)) },
		func() any { return TypeOfService(byte(n)) },
		func() any { return TCPKeepAliveCount(int(n)) },
		func() any {
			ip, _ := netip.ParseAddr(a)
			return HAProxyClientIP(ip)
		},
		func() any {
			ip, _ := netip.ParseAddr(a)
			return DNSServers(netip.AddrPortFrom(ip, uint16(n)))
		},
		func() any { return DNSInterface(a) },
		func() any {
			ip, _ := netip.ParseAddr(a)
			other, _ := netip.ParseAddr(b)
			return DNSLocalAddress(ip, other)
		},
	}
	return list[int(which)%len(list)]()
}

// Whatever an option is given, it is an error, or what is packed is plain and in
// range and libcurl takes it.
func FuzzOptions(f *testing.F) {
	for which := range byte(60) {
		f.Add(which, "a", "b", int64(1), int64(1))
		f.Add(which, "a:80", "127.0.0.1", int64(time.Second), int64(time.Second))
		f.Add(which, "a\x00b", "c\r\nd: e", int64(-1), int64(-1))
		f.Add(which, "http://u:p@h:1", "::1", int64(0), int64(0))
		f.Add(which, files.both, files.key, int64(tls12), int64(1<<62))
		f.Add(which, string(files.certPEM), string(files.keyPEM), int64(1)<<62, int64(0))
	}
	var pool cgo.Pool
	f.Cleanup(pool.Close)
	u := &url.URL{Scheme: "https", Host: "example.org"}
	f.Fuzz(func(t *testing.T, which byte, a, b string, n, m int64) {
		c, err := NewClient(fuzzed(which, a, b, n, m).(ClientOption))
		if err != nil {
			require.NotContains(t, err.Error(), "\n")
			return
		}
		var o cgo.Options
		if err := c.Defaults().Encode(&o, u); err != nil {
			require.NotContains(t, err.Error(), "\n")
			return
		}
		for r := range o.Records() {
			switch v := r.Value.(type) {
			case string:
				requirePlain(t, r.Opt, v)
			case []string:
				for _, s := range v {
					requirePlain(t, r.Opt, s)
				}
			case int64:
				require.GreaterOrEqual(t, v, int64(0), "%v", r.Opt)
				if r.Opt < 30000 { // a long has 32 bits on some systems
					require.Less(t, v, int64(1)<<31, "%v", r.Opt)
				}
			}
		}
		for _, v := range c.Multi().Records() {
			require.Positive(t, v)
		}
		tr, err := pool.Get(nil, nil)
		require.NoError(t, err)
		defer pool.Put(tr)
		require.NoError(t, tr.Prepare(&cgo.Setup{}, &o))
	})
}

const tls12 = 0x0303

func requirePlain(t *testing.T, opt cgo.Opt, s string) {
	for i := range len(s) {
		// A header's value may have tabs.
		if (s[i] < ' ' && (s[i] != '\t' || opt != cgo.OptProxyHeader)) || s[i] == 0x7f {
			t.Fatalf("%v has the byte %q: %q", opt, s[i], s)
		}
	}
}

// A secret that is cut anywhere, twice, comes out in no part. Half of its bytes are
// found nowhere else, so that a single one is seen.
func FuzzWireMasker(f *testing.F) {
	const mark = "\xa7"
	secret := strings.Repeat("s"+mark, 12)
	fields := []string{
		"Authorization:", "Proxy-Authorization: Basic ", "cookie: a=", "Set-Cookie: ", "X-Api-Key:\t", "x-auth-token: ", "X-SECRET: ",
	}
	f.Add(byte(0), "GET / HTTP/1.1\r\n", "", "Host: a\r\n\r\n", 20, 38)
	f.Add(byte(2), "h2h3 [", "b; c=\r", "]\n", 3, 16)
	f.Add(byte(1), "", "\r", "", 0, 28) // cut behind a CR
	f.Add(byte(4), "X-Cookie: ", "http://u:p@h/", "", 0, 1000)
	f.Fuzz(func(t *testing.T, which byte, before, value, after string, i, j int) {
		if strings.Contains(before+value+after, mark) || strings.Contains(value, "\n") {
			t.Skip()
		}
		data := []byte(before + fields[int(which)%len(fields)] + value + secret + "\r\n" + after)
		if i < 0 || j < i || j > len(data) {
			t.Skip()
		}
		var whole, parts WireMasker
		want := whole.Event(WireHeaderSent, data).Data
		var got []byte
		for _, p := range [][]byte{data[:i], data[i:j], data[j:]} {
			got = append(got, parts.Event(WireHeaderSent, p).Data...)
		}
		require.NotContains(t, string(want), mark)
		require.NotContains(t, string(got), mark)
		lines := strings.Count(string(data), "\n")
		require.Equal(t, lines, strings.Count(string(want), "\n"))
		require.Equal(t, lines, strings.Count(string(got), "\n"))
	})
}
