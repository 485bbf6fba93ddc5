package server

import (
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// counted is a connection whose end somebody else waits for.
type counted struct {
	net.Conn
	closed chan struct{}
}

func (c *counted) NetConn() net.Conn { return c.Conn }

func (c *counted) Close() error {
	defer func() { c.closed <- struct{}{} }()
	return c.Conn.Close()
}

type countingListener struct {
	net.Listener
	closed chan struct{}
}

func (l *countingListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &counted{c, l.closed}, nil
}

func TestServer_closes_the_connection_it_was_given_whatever_is_beneath(t *testing.T) {
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	l := &countingListener{inner, make(chan struct{}, 10)}
	began := make(chan struct{})
	serveOn(t, &Server{Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		close(began)
		<-r.Context().Done()
	})}, l)
	c := dial(t, l.Addr().String())
	_, err = c.Write([]byte("GET / HTTP/1.1\r\nHost: a\r\n\r\n"))
	require.NoError(t, err)
	<-began
	require.NoError(t, c.Conn.(*net.TCPConn).SetLinger(0)) // a reset, not an orderly end
	require.NoError(t, c.Close())
	select {
	case <-l.closed:
	case <-time.After(wait):
		require.Fail(t, "not closed")
	}
}
