package server

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// pipeListener gives connections of net.Pipe, whose deadlines obey the clock of testing/synctest.
type pipeListener struct {
	conns  chan net.Conn
	closed chan struct{}
}

func newPipeListener() *pipeListener {
	return &pipeListener{make(chan net.Conn), make(chan struct{})}
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Close() error {
	close(l.closed)
	return nil
}

func (l *pipeListener) Addr() net.Addr { return &net.TCPAddr{} }

type pipeClient struct {
	net.Conn
	t *testing.T
	r *bufio.Reader

	beside sync.WaitGroup
}

func (l *pipeListener) dial(t *testing.T) *pipeClient {
	ours, theirs := net.Pipe()
	l.conns <- theirs
	return &pipeClient{Conn: ours, t: t, r: bufio.NewReader(ours)}
}

func (c *pipeClient) send(text string) {
	_, err := io.WriteString(c.Conn, text)
	require.NoError(c.t, err)
}

// trickle sends byte by byte, until nobody listens.
func (c *pipeClient) trickle(text string, each time.Duration) {
	for i := range len(text) {
		if _, err := io.WriteString(c.Conn, text[i:i+1]); err != nil {
			return
		}
		time.Sleep(each)
	}
}

func (c *pipeClient) answer() string {
	resp, err := http.ReadResponse(c.r, nil)
	require.NoError(c.t, err)
	b, err := io.ReadAll(resp.Body)
	require.NoError(c.t, err)
	require.NoError(c.t, resp.Body.Close())
	return string(b)
}

func (c *pipeClient) rest() string {
	b, _ := io.ReadAll(c.r)
	return string(b)
}
