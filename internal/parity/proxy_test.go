package parity

import (
	"encoding/binary"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom"
	"github.com/ratmom/ratmom/config"
	"github.com/ratmom/ratmom/internal/testserver"
)

// deadProxy is the address of nobody.
func deadProxy(t *testing.T) string {
	t.Helper()
	s := testserver.Raw(t, testserver.CloseAtOnce())
	s.Close()
	return s.Addr
}

func TestProxy_none_goes_straight_to_the_server(t *testing.T) {
	m := testserver.MockReply(t)
	c := newClient(t, config.Proxy("http://"+deadProxy(t)))
	resp, _ := get(t, c, m.URL, config.Proxy(""))
	assert.Equal(t, m.AddrPort(), resp.RemoteAddr())
	assert.Equal(t, "/", m.Request().Target)

	err := failed(t, c, newRequest(t, "GET", m.URL, nil))
	assert.ErrorIs(t, err, ratmom.ErrConnect)
}

func TestProxy_http_gets_the_absolute_form(t *testing.T) {
	p := testserver.MockReply(t, testserver.Text(200, "from the proxy"))
	resp, text := get(t, newClient(t), "http://upstream.test/foo?bar", config.Proxy(p.URL))
	assert.Equal(t, "from the proxy", text)
	assert.Equal(t, p.AddrPort(), resp.RemoteAddr())
	r := p.Request()
	assert.Equal(t, "http://upstream.test/foo?bar", r.Target)
	assert.Equal(t, "upstream.test", r.Get("Host"))
	assert.True(t, strings.EqualFold("keep-alive", r.Get("Proxy-Connection")))
}

func TestProxy_socks4_carries_the_request(t *testing.T) {
	m := testserver.MockReply(t, testserver.Text(200, "through"))
	p := testserver.Raw(t, socks4)
	resp, text := get(t, newClient(t), m.URL, config.Proxy("socks4://"+p.Addr))
	assert.Equal(t, "through", text)
	assert.Equal(t, 1, p.Accepted())
	assert.NotEqual(t, m.Request().RemoteAddr, resp.LocalAddr(), "the server sees the proxy's connection")

	t.Run("of another make", func(t *testing.T) {
		m := testserver.MockReply(t, testserver.Text(200, "through"))
		_, text := get(t, newClient(t), m.URL, config.Proxy("socks4://"+testserver.Danted(t).Addr))
		assert.Equal(t, "through", text)
	})
}

// socks4 lets the client through to the IPv4 address that it names.
func socks4(c *testserver.Conn) {
	var head [8]byte
	if _, err := io.ReadFull(c, head[:]); err != nil || head[0] != 4 || head[1] != 1 {
		return
	}
	for one := []byte{1}; one[0] != 0; { // the user's name, up to a zero
		if _, err := c.Read(one); err != nil {
			return
		}
	}
	to := &net.TCPAddr{IP: head[4:8], Port: int(binary.BigEndian.Uint16(head[2:]))}
	up, err := net.DialTCP("tcp", nil, to)
	if err != nil {
		return
	}
	defer func() { _ = up.Close() }()
	if c.Send("\x00\x5a\x00\x00\x00\x00\x00\x00") != nil {
		return
	}
	back := make(chan struct{})
	go func() {
		defer close(back)
		_, _ = io.Copy(c, up)
		_ = c.CloseWrite()
	}()
	_, _ = io.Copy(up, c)
	_ = up.CloseWrite()
	<-back
}

func TestProxy_is_passed_by_for_hosts_that_are_named(t *testing.T) {
	m := testserver.MockReply(t)
	c := newClient(t, config.Proxy("http://"+deadProxy(t)), config.NoProxy("127.0.0.1"))
	resp, _ := get(t, c, m.URL)
	require.Equal(t, m.AddrPort(), resp.RemoteAddr())
	assert.False(t, m.Request().Has("Proxy-Connection"))
}
