package testserver

import (
	"context"
	"io"
	"net"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// Valve is a way to a server on which what clients send can be held up, as where the
// server does not read or the path is full. What the server sends always comes through.
type Valve struct {
	// Addr is where clients connect to.
	Addr string

	up, down func() int
	watch    watch
	shut     bool
	conns    map[net.Conn]bool // of clients
}

// NewValve starts a way to the address, open at first. It takes as many bytes of a client at once
// as up says, and of the server as down says, at least 1; nil: as come.
func NewValve(t testing.TB, to string, up, down func() int) *Valve {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	v := &Valve{Addr: l.Addr().String(), up: up, down: down, conns: map[net.Conn]bool{}}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() { v.pass(c, to) })
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		v.Open()
		v.Reset()
		all.Wait()
	})
	return v
}

// Shut has what clients send stay where it is.
func (v *Valve) Shut() { v.watch.change(func() { v.shut = true }) }

// Open lets it through again.
func (v *Valve) Open() { v.watch.change(func() { v.shut = false }) }

// Reset ends the connections of all clients with a TCP reset.
func (v *Valve) Reset() {
	v.watch.read(func() {
		for c := range v.conns {
			_ = c.(*net.TCPConn).SetLinger(0)
			_ = c.Close()
		}
	})
}

func (v *Valve) pass(client net.Conn, to string) {
	v.watch.change(func() { v.conns[client] = true })
	defer v.watch.change(func() { delete(v.conns, client) })
	defer client.Close()
	_ = client.(*net.TCPConn).SetReadBuffer(64 << 10)
	server, err := net.Dial("tcp", to)
	if err != nil {
		return
	}
	var back sync.WaitGroup
	back.Go(func() {
		pass(client, server, v.down, func() {})
		_ = client.Close()
	})
	defer back.Wait()
	defer server.Close()
	pass(server, client, v.up, func() {
		_ = v.watch.until(context.Background(), func() bool { return !v.shut })
	})
}

// pass copies until one of them ends; before each piece it waits. (io.Copy would make pipes, which
// stay until a collection.)
func pass(to io.Writer, from io.Reader, sip func() int, wait func()) {
	buf := make([]byte, 64<<10)
	for {
		wait()
		part := buf
		if sip != nil {
			part = buf[:min(max(sip(), 1), len(buf))]
		}
		n, err := from.Read(part)
		if n > 0 {
			if _, err := to.Write(part[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}
