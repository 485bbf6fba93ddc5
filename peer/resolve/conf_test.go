package resolve

import (
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func write(t *testing.T, path, text string) {
	t.Helper()
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
}

func remove(t *testing.T, path string) {
	t.Helper()
	require.NoError(t, os.Remove(path))
}

func TestParseConf_reads_servers_and_options_within_limits(t *testing.T) {
	local := []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:53"), netip.MustParseAddrPort("[::1]:53")}
	one := []netip.AddrPort{netip.MustParseAddrPort("192.0.2.1:53")}
	for text, want := range map[string]conf{
		"": {local, 5 * time.Second, 2, false},
		"# nameserver 192.0.2.9\n;nameserver 192.0.2.9\nnameserver\tnobody\nnameserver\n": {local, 5 * time.Second, 2, false},
		"search a.test\nnameserver 192.0.2.1\noptions ndots:5 rotate":                     {one, 5 * time.Second, 2, true},
		"nameserver 192.0.2.1\noptions timeout:99 attempts:99":                            {one, 30 * time.Second, 5, false},
		"nameserver 192.0.2.1\noptions timeout:0 attempts:-1 timeout:x":                   {one, 5 * time.Second, 2, false},
		"nameserver fe80::1%eth0": {[]netip.AddrPort{netip.MustParseAddrPort("[fe80::1%eth0]:53")}, 5 * time.Second, 2, false},
	} {
		assert.Equal(t, want, parseConf(strings.NewReader(text)), text)
	}
	assert.Len(t, parseConf(strings.NewReader(strings.Repeat("nameserver 192.0.2.1\n", 10_000))).servers, maxServers)
}

func FuzzParseConf(f *testing.F) {
	f.Add("nameserver 192.0.2.1\noptions timeout:3 rotate\n")
	f.Fuzz(func(t *testing.T, text string) {
		c := parseConf(strings.NewReader(text))
		if len(c.servers) == 0 || len(c.servers) > maxServers || c.attempts < 1 || c.timeout <= 0 {
			t.Fatalf("%+v", c)
		}
	})
}
