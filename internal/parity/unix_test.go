package parity

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/ratmom/ratmom/config"
	"github.com/ratmom/ratmom/internal/testserver"
)

func TestUnix_socket_carries_the_request(t *testing.T) {
	s := testserver.Raw(t, testserver.AnswerAndClose("HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nsuccess\n"), testserver.OnUnix())
	resp, text := get(t, newClient(t), "http://localhost/foo", config.UnixSocket(s.Addr))
	assert.Equal(t, "success\n", text)
	assert.Equal(t, "localhost", s.Request().Get("Host"))
	assert.Equal(t, "/foo", s.Request().Target)
	assert.Equal(t, netip.AddrPort{}, resp.RemoteAddr())

	t.Run("to nginx", func(t *testing.T) {
		n := testserver.Nginx(t)
		_, text := get(t, newClient(t, config.UnixSocket(n.Socket)), "http://whatever.test/hello.txt")
		assert.Equal(t, testserver.Hello, text)
	})
}
