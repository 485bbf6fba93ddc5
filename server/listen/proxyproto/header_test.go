package proxyproto

import (
	"encoding/binary"
	"hash/crc32"
	"net"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// v2 is a header of version 2 with the given last bytes.
func v2(command, family byte, parts ...string) string {
	rest := strings.Join(parts, "")
	b := append([]byte(string(signature2)), 0x20|command, family)
	return string(binary.BigEndian.AppendUint16(b, uint16(len(rest)))) + rest
}

func tlv(t Type, value string) string {
	return string(binary.BigEndian.AppendUint16([]byte{byte(t)}, uint16(len(value)))) + value
}

// summed puts the checksum into a header whose last value is one of four zeros.
func summed(header string) string {
	b := []byte(header)
	binary.BigEndian.PutUint32(b[len(b)-4:], crc32.Checksum(b, castagnoli))
	return string(b)
}

const (
	in4 = "\x01\x02\x03\x04\x05\x06\x07\x08\x10\x00\x01\xbb" // 1.2.3.4:4096 to 5.6.7.8:443
	in6 = "\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01" +
		"\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x10\x00\x01\xbb"
)

func paths(source, destination string) string {
	pad := func(s string) string { return s + strings.Repeat("\x00", 108-len(s)) }
	return pad(source) + pad(destination)
}

var goodHeaders = []struct {
	name, in       string
	network        string
	source, target string // both empty: local
	values         int
}{
	{"TCP4", "PROXY TCP4 192.0.2.1 198.51.100.2 50000 443\r\n", "tcp", "192.0.2.1:50000", "198.51.100.2:443", 0},
	{"TCP4, the lowest", "PROXY TCP4 0.0.0.0 0.0.0.0 0 0\r\n", "tcp", "0.0.0.0:0", "0.0.0.0:0", 0},
	{"TCP4, the longest", "PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n", "tcp", "255.255.255.255:65535", "255.255.255.255:65535", 0},
	{"TCP6", "PROXY TCP6 2001:db8::1 ::1 1 65535\r\n", "tcp", "[2001:db8::1]:1", "[::1]:65535", 0},
	{"TCP6, the longest", "PROXY TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n",
		"tcp", "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535", "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535", 0},
	{"TCP6 with a mapped address", "PROXY TCP6 ::ffff:192.0.2.1 ::1 1 2\r\n", "tcp", "192.0.2.1:1", "[::1]:2", 0},
	{"UNKNOWN", "PROXY UNKNOWN\r\n", "", "", "", 0},
	{"UNKNOWN with more", "PROXY UNKNOWN ffff::1 what ever\r\n", "", "", "", 0},
	{"2: local", v2(0, 0), "", "", "", 0},
	{"2: local with things to ignore", v2(0, 0x77, "whatever"), "", "", "", 0},
	{"2: unknown", v2(1, 0, tlv(TypeALPN, "h2")), "", "", "", 1},
	{"2: TCP over IPv4", v2(1, 0x11, in4), "tcp", "1.2.3.4:4096", "5.6.7.8:443", 0},
	{"2: UDP over IPv4", v2(1, 0x12, in4), "udp", "1.2.3.4:4096", "5.6.7.8:443", 0},
	{"2: TCP over IPv6", v2(1, 0x21, in6), "tcp", "[2001:db8::1]:4096", "[2001:db8::2]:443", 0},
	{"2: UDP over IPv6", v2(1, 0x22, in6), "udp", "[2001:db8::1]:4096", "[2001:db8::2]:443", 0},
	{"2: unix", v2(1, 0x31, paths("/run/a", "/run/b")), "unix", "/run/a", "/run/b", 0},
	{"2: unix, abstract and full", v2(1, 0x32, paths("\x00name", strings.Repeat("p", 108))), "unixgram", "@name", strings.Repeat("p", 108), 0},
	{"2: values and padding", v2(1, 0x11, in4, tlv(TypeALPN, "h2"), tlv(TypeNoop, "zzz"), tlv(TypeAuthority, "a.test"), tlv(0xe0, "")),
		"tcp", "1.2.3.4:4096", "5.6.7.8:443", 3},
	{"2: checksum", summed(v2(1, 0x11, in4, tlv(TypeALPN, "h2"), tlv(TypeCRC32C, "\x00\x00\x00\x00"))), "tcp", "1.2.3.4:4096", "5.6.7.8:443", 2},
}

func TestParse_reads_what_the_protocol_allows(t *testing.T) {
	for _, c := range goodHeaders {
		t.Run(c.name, func(t *testing.T) {
			for _, behind := range []string{"", "GET / HTTP/1.1\r\n", "\n", "PROXY "} {
				h, n, err := Parse([]byte(c.in + behind))
				require.NoError(t, err)
				assert.Equal(t, len(c.in), n)
				assert.Len(t, h.TLVs, c.values)
				assert.Equal(t, c.source == "", h.Local)
				if c.source != "" {
					assert.Equal(t, c.network, h.Source.Network())
					assert.Equal(t, c.source, h.Source.String())
					assert.Equal(t, c.target, h.Destination.String())
				} else {
					assert.Nil(t, h.Source)
					assert.Nil(t, h.Destination)
				}
			}
			for i := range len(c.in) {
				_, n, err := Parse([]byte(c.in[:i]))
				assert.ErrorIs(t, err, ErrShort, "%d bytes of it", i)
				assert.Zero(t, n)
			}
		})
	}
}

func TestParse_refuses_what_it_does_not(t *testing.T) {
	none := []string{
		"GET / HTTP/1.1\r\n", "P RI", "PRI * HTTP/2.0", "PROXYTCP4", "proxy TCP4 1.2.3.4 1.2.3.4 1 1\r\n", " PROXY UNKNOWN\r\n",
		"\r\n\r\n\x00\r\nQUIX\n", "\r\nPROXY", "\x16\x03\x01", "PROXY\r\n", "PROXY\t",
	}
	for _, in := range none {
		_, _, err := Parse([]byte(in))
		assert.ErrorIs(t, err, ErrNoHeader, "%q", in)
	}
	bad := []string{
		"PROXY \r\n", "PROXY  TCP4 1.2.3.4 1.2.3.4 1 1\r\n", "PROXY TCP5 1.2.3.4 1.2.3.4 1 1\r\n", "PROXY tcp4 1.2.3.4 1.2.3.4 1 1\r\n",
		"PROXY UNKNOWNX\r\n", "PROXY UDP4 1.2.3.4 1.2.3.4 1 1\r\n", "PROXY UNKNOWN\n", "PROXY UNKNOWN a\rb\r\n", "PROXY UNKNOWN\r\r\n",
		"PROXY UNKNOWN " + strings.Repeat("f", 92) + "\r\n", "PROXY UNKNOWN " + strings.Repeat("f", 200),
		"PROXY TCP4 1.2.3.4 1.2.3.4 1 1\n", "PROXY TCP4 1.2.3.4 1.2.3.4 1 1 \r\n", "PROXY TCP4 1.2.3.4 1.2.3.4 1 1 1\r\n",
		"PROXY TCP4 1.2.3.4 1.2.3.4 1\r\n", "PROXY TCP4 1.2.3.4  1.2.3.4 1 1\r\n", "PROXY TCP4\r\n",
		"PROXY TCP4 1.2.3.4 1.2.3.4 65536 1\r\n", "PROXY TCP4 1.2.3.4 1.2.3.4 -1 1\r\n", "PROXY TCP4 1.2.3.4 1.2.3.4 +1 1\r\n",
		"PROXY TCP4 1.2.3.4 1.2.3.4 01 1\r\n", "PROXY TCP4 1.2.3.4 1.2.3.4 0x1 1\r\n", "PROXY TCP4 1.2.3.4 1.2.3.4 1 1_0\r\n",
		"PROXY TCP4 01.2.3.4 1.2.3.4 1 1\r\n", "PROXY TCP4 1.2.3 1.2.3.4 1 1\r\n", "PROXY TCP4 1.2.3.256 1.2.3.4 1 1\r\n",
		"PROXY TCP4 ::1 ::1 1 1\r\n", "PROXY TCP4 ::ffff:1.2.3.4 1.2.3.4 1 1\r\n", "PROXY TCP6 1.2.3.4 ::1 1 1\r\n",
		"PROXY TCP6 fe80::1%eth0 ::1 1 1\r\n", "PROXY TCP6 [::1] ::1 1 1\r\n", "PROXY TCP4 localhost 1.2.3.4 1 1\r\n",
		"PROXY TCP4 1.2.3.4 1.2.3.4\t1 1\r\n", "PROXY TCP4 1.2.3.4 1.2.3.4 1 1\r\r\n", "PROXY TCP4 1.2.3.4\r1",
		string(signature2) + "\x11\x11\x00\x00", string(signature2) + "\x01\x11\x00\x00", string(signature2) + "\x22", string(signature2) + "\x31",
		v2(1, 0x10, in4), v2(1, 0x13, in4), v2(1, 0x01, in4), v2(1, 0x41, in4), v2(1, 0x33, paths("a", "b")), v2(1, 0xff, in4),
		v2(1, 0x11), v2(1, 0x11, in4[:11]), v2(1, 0x21, in4), v2(1, 0x31, in6),
		v2(1, 0x11, in4, "\x01"), v2(1, 0x11, in4, "\x01\x00"), v2(1, 0x11, in4, "\x01\x00\x02x"), v2(1, 0x00, "x"),
		v2(1, 0x11, in4, tlv(TypeCRC32C, "\x00\x00\x00\x00")), v2(1, 0x11, in4, tlv(TypeCRC32C, "\x00")),
		v2(1, 0x11, in4, tlv(TypeUniqueID, strings.Repeat("u", 129))),
	}
	for _, in := range bad {
		_, n, err := Parse([]byte(in))
		assert.ErrorIs(t, err, ErrMalformed, "%q", in)
		assert.Zero(t, n)
	}
}

func TestHeader_shows_what_the_proxy_said_of_TLS(t *testing.T) {
	inner := tlv(0x21, "TLSv1.3") + tlv(0x22, "client one") + tlv(0x23, "TLS_AES_128_GCM_SHA256") + tlv(0x24, "SHA256") + tlv(0x25, "RSA2048")
	h, _, err := Parse([]byte(v2(1, 0x11, in4, tlv(TypeUniqueID, "id"), tlv(TypeSSL, "\x07\x00\x00\x00\x00"+inner))))
	require.NoError(t, err)
	s, ok := h.SSL()
	require.True(t, ok)
	assert.Equal(t, SSL{
		Client: true, CertConn: true, CertSess: true, Verified: true,
		Version: "TLSv1.3", CommonName: "client one", Cipher: "TLS_AES_128_GCM_SHA256", SigAlg: "SHA256", KeyAlg: "RSA2048",
	}, s)
	id, ok := h.TLV(TypeUniqueID)
	assert.True(t, ok)
	assert.Equal(t, "id", string(id))

	for name, value := range map[string]string{"not verified": "\x03\x00\x00\x00\x01", "no certificate": "\x01\x00\x00\x00\x00"} {
		h, _, err = Parse([]byte(v2(1, 0x11, in4, tlv(TypeSSL, value))))
		require.NoError(t, err)
		s, ok = h.SSL()
		assert.True(t, ok)
		assert.False(t, s.Verified, name)
	}
	for _, broken := range []string{"", "\x01\x00\x00\x00", "\x01\x00\x00\x00\x00\x21"} {
		h, _, err = Parse([]byte(v2(1, 0x11, in4, tlv(TypeSSL, broken))))
		require.NoError(t, err)
		_, ok = h.SSL()
		assert.False(t, ok)
	}
}

func FuzzParse(f *testing.F) {
	for _, c := range goodHeaders {
		f.Add([]byte(c.in + "GET / HTTP/1.1\r\n"))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		h, n, err := Parse(b)
		if err != nil {
			assert.Nil(t, h)
			assert.Zero(t, n)
			return
		}
		require.LessOrEqual(t, n, len(b))
		// The same comes of exactly its bytes, and nothing of fewer.
		again, m, err := Parse(b[:n])
		require.NoError(t, err)
		require.Equal(t, n, m)
		require.Equal(t, h, again)
		for i := range n {
			_, _, err := Parse(b[:i])
			require.ErrorIs(t, err, ErrShort)
		}
		require.Equal(t, h.Local, h.Source == nil)
		require.Equal(t, h.Local, h.Destination == nil)
		for _, a := range []net.Addr{h.Source, h.Destination} {
			if a != nil {
				_ = a.String()
			}
		}
		h.SSL()
	})
}
