package parity

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom"
	"github.com/ratmom/ratmom/config"
	"github.com/ratmom/ratmom/internal/testserver"
)

func TestNet_local_address_is_our_end(t *testing.T) {
	m := testserver.MockReply(t)
	resp, _ := get(t, newClient(t), m.URL)
	assert.Equal(t, netip.MustParseAddr("127.0.0.1"), resp.LocalAddr().Addr())
	assert.Equal(t, m.Request().RemoteAddr, resp.LocalAddr())
}

func TestNet_remote_address_is_the_servers_end(t *testing.T) {
	m := testserver.MockReply(t)
	resp, _ := get(t, newClient(t), m.URL)
	assert.Equal(t, m.AddrPort(), resp.RemoteAddr())
}

func TestNet_errors_have_both_addresses(t *testing.T) {
	s := testserver.Raw(t, testserver.GarbageStatusLine())
	err := failed(t, newClient(t), newRequest(t, "GET", s.URL, nil))
	assert.ErrorIs(t, err, ratmom.ErrProtocol)
	assert.Equal(t, netip.MustParseAddr("127.0.0.1"), err.LocalAddr.Addr())
	assert.NotZero(t, err.LocalAddr.Port())
	assert.Equal(t, s.AddrPort(), err.RemoteAddr)
}

// onEither resolves "host.test" to both loopback addresses; the server listens on
// one.
func onEither(m *testserver.Mock) (config.ClientOption, string) {
	port := netip.AddrPortFrom(netip.IPv4Unspecified(), m.AddrPort().Port()).String()[len("0.0.0.0"):]
	both := []netip.Addr{netip.IPv6Loopback(), netip.MustParseAddr("127.0.0.1")}
	return config.Resolve(map[string][]netip.Addr{"host.test" + port: both}), "http://host.test" + port
}

func TestNet_IPv4_alone_does_not_connect_to_IPv6(t *testing.T) {
	m := testserver.NewMock(t, empty, testserver.OnIPv6())
	opt, url := onEither(m)
	err := failed(t, newClient(t, opt, config.IPVersion(config.IPv4)), newRequest(t, "GET", url, nil))
	assert.ErrorIs(t, err, ratmom.ErrConnect)
	assert.Zero(t, m.Accepted())
}

func TestNet_IPv6_alone_does_not_connect_to_IPv4(t *testing.T) {
	m := testserver.NewMock(t, empty)
	opt, url := onEither(m)
	err := failed(t, newClient(t, opt, config.IPVersion(config.IPv6)), newRequest(t, "GET", url, nil))
	assert.ErrorIs(t, err, ratmom.ErrConnect)
	assert.Zero(t, m.Accepted())
}

func TestNet_any_version_of_IP_takes_the_one_that_answers(t *testing.T) {
	for name, options := range map[string][]testserver.Option{"IPv4": nil, "IPv6": {testserver.OnIPv6()}} {
		t.Run(name, func(t *testing.T) {
			m := testserver.NewMock(t, empty, options...)
			opt, url := onEither(m)
			resp, _ := get(t, newClient(t, opt, config.IPVersion(config.IPAny)), url)
			require.Equal(t, m.AddrPort(), resp.RemoteAddr())
			assert.Equal(t, name == "IPv4", resp.LocalAddr().Addr().Is4())
		})
	}
}

func empty(*testserver.Request) testserver.Reply { return testserver.Reply{} }
