package ws

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const protocol = "ratmom.grid.1"

// patience is for what comes at once unless something is wrong.
const patience = 30 * time.Second

// upgraded serves a WebSocket on every path and gives out the servers' ends.
func upgraded(t testing.TB) (addr string, conns <-chan *Conn) {
	t.Helper()
	got := make(chan *Conn, 16)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := Upgrade(w, r, protocol, time.Now().Add(patience))
		if err == nil {
			got <- c
		}
	}))
	t.Cleanup(s.Close)
	return s.Listener.Addr().String(), got
}

func dial(t testing.TB, addr string) net.Conn {
	t.Helper()
	nc, err := net.Dial("tcp", addr)
	require.NoError(t, err)
	t.Cleanup(func() { _ = nc.Close() })
	require.NoError(t, nc.SetDeadline(time.Now().Add(patience)))
	return nc
}

// connect gives both ends of a WebSocket.
func connect(t testing.TB, h Handshake) (client, server *Conn) {
	t.Helper()
	addr, conns := upgraded(t)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	h.Host, h.Subprotocol = addr, protocol
	client, err := Client(ctx, dial(t, addr), h)
	require.NoError(t, err)
	server = <-conns
	t.Cleanup(func() { _ = server.Close() })
	for _, c := range []*Conn{client, server} {
		require.NoError(t, c.NetConn().SetDeadline(time.Now().Add(patience)))
	}
	return client, server
}

// message reads the next message whole.
func message(t testing.TB, c *Conn) []byte {
	t.Helper()
	n, err := c.Next()
	require.NoError(t, err)
	b, err := io.ReadAll(c)
	require.NoError(t, err)
	if n >= 0 {
		assert.Len(t, b, n)
	}
	return b
}
