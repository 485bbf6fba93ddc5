package resolve

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom/internal/testserver"
)

func TestDNS_and_BIND_understand_each_other(t *testing.T) {
	var zone strings.Builder
	zone.WriteString(`
host  200 IN A     192.0.2.1
host  100 IN AAAA  2001:db8::1
www   50  IN CNAME host
apex  300 IN HTTPS 0 svc
svc   300 IN HTTPS 1 . alpn=h2,h3 port=8443 ipv4hint=192.0.2.77
svc   300 IN HTTPS 2 host alpn=h2
svc   300 IN A     192.0.2.2
_matrix-fed._tcp.host 300 IN SRV 10 60 8448 host
_matrix-fed._tcp.host 300 IN SRV 20 0 8449 svc
_off._tcp.host 300 IN SRV 0 0 0 .
text  300 IN TXT   "no address"
`)
	for i := range 90 {
		fmt.Fprintf(&zone, "many 60 IN A 198.51.100.%d\n", i)
	}
	n := testserver.Named(t, zone.String())
	d := &DNS{Servers: []netip.AddrPort{n.Addr}}

	a, err := at(t, d, Name{Host: "www.test"})
	require.NoError(t, err)
	assert.Equal(t, []string{"192.0.2.1:443", "[2001:db8::1]:443"}, addrsOf(a))
	assert.Equal(t, 50*time.Second, a.TTL)

	a, err = at(t, d, Name{Host: "host.test", Service: "_matrix._tcp _matrix-fed._tcp"})
	require.NoError(t, err)
	assert.Equal(t, []string{"192.0.2.1:8448", "[2001:db8::1]:8448", "192.0.2.2:8449"}, addrsOf(a))
	assert.EqualValues(t, 30, a.Endpoints[0].Weight)

	a, err = at(t, d, Name{Scheme: "https", Host: "apex.test"})
	require.NoError(t, err)
	assert.Equal(t, []string{"192.0.2.2:8443", "192.0.2.1:443", "[2001:db8::1]:443"}, addrsOf(a))
	assert.Equal(t, []string{"h2", "http/1.1"}, a.Endpoints[0].ALPN)

	a, err = at(t, d, Name{Host: "many.test"})
	require.NoError(t, err)
	assert.Len(t, a.Endpoints, MaxEndpoints, "90 addresses come over TCP")

	for _, c := range []struct {
		name Name
		kind Kind
		ttl  time.Duration
	}{
		{Name{Host: "gone.test"}, NotExist, 120 * time.Second},
		{Name{Host: "text.test", Scheme: "https"}, NoData, 120 * time.Second},
		{Name{Host: "host.test", Service: "_off._tcp"}, NoData, 300 * time.Second},
		{Name{Host: "elsewhere.example"}, Refused, 0},
	} {
		_, err := at(t, d, c.name)
		require.ErrorIs(t, err, c.kind, c.name.Host)
		var e *Error
		require.ErrorAs(t, err, &e)
		assert.Equal(t, c.ttl, e.TTL, c.name.Host)
	}
}
