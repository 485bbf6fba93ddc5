//go:build linux

package grid

import (
	"context"
	"io"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// slowPath passes on what a server sends, 8 KiB each interval, and what comes back at once.
func slowPath(t *testing.T, to string, interval time.Duration) (addr string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			_ = in.(*net.TCPConn).SetReadBuffer(8 << 10)
			out, err := net.Dial("tcp", to)
			if err != nil {
				_ = in.Close()
				continue
			}
			go func() {
				_, _ = io.Copy(in, out)
				_, _ = in.Close(), out.Close()
			}()
			pace := time.NewTicker(interval)
			for {
				<-pace.C
				if _, err := io.CopyN(out, in, 8<<10); err != nil {
					break
				}
			}
			pace.Stop()
			_, _ = in.Close(), out.Close()
		}
	}()
	t.Cleanup(func() {
		_ = l.Close()
		<-done
	})
	return l.Addr().String()
}

// A write lasts on a slow path. As long as the other end takes some of it, it is not stuck.
func TestConnection_over_a_slow_path_carries_large_messages(t *testing.T) {
	la, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	lb, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	timing := Timing{Write: 500 * time.Millisecond, Ping: 200 * time.Millisecond, Dead: 10 * time.Second, DialGrace: time.Hour}
	dialer, acceptor := "a", "b"
	if !dials("a", "b") {
		dialer, acceptor = "b", "a"
	}
	y := start(t, lb, Config{Self: acceptor, Peers: []Peer{{dialer, "127.0.0.1:1"}}, Timing: timing})
	x := start(t, la, Config{Self: dialer, Timing: timing, Peers: []Peer{{acceptor, slowPath(t, lb.Addr().String(), 80*time.Millisecond)}},
		Dial: func(ctx context.Context, network, addr string) (net.Conn, error) {
			nc, err := new(net.Dialer).DialContext(ctx, network, addr)
			if err == nil {
				_ = nc.(*net.TCPConn).SetWriteBuffer(16 << 10)
			}
			return nc, err
		}})
	ready(t, x, y)
	answer, err := x.to(y).Request(within(t), echoID, make([]byte, 300<<10))
	require.NoError(t, err)
	assert.Len(t, answer, 300<<10)
	assert.EqualValues(t, 1, x.to(y).Snapshot().Opened)
}

// deafPath passes on the first 16 KiB of what a server sends, and takes no more; what comes back it passes on at once.
func deafPath(t *testing.T, to string) (addr string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	go func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			_ = in.(*net.TCPConn).SetReadBuffer(8 << 10)
			out, err := net.Dial("tcp", to)
			if err != nil {
				_ = in.Close()
				continue
			}
			t.Cleanup(func() { _, _ = in.Close(), out.Close() })
			go func() { _, _ = io.Copy(in, out) }()
			go func() { _, _ = io.CopyN(out, in, 16<<10) }()
		}
	}()
	t.Cleanup(func() { _ = l.Close() })
	return l.Addr().String()
}

// The other end's kernel takes what fits into its buffers, and what it does not read after that it does not take.
func TestConnection_to_one_that_acknowledges_and_does_not_read_ends(t *testing.T) {
	la, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	lb, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	timing := Timing{Write: 500 * time.Millisecond, Ping: 200 * time.Millisecond, Dead: time.Hour, DialGrace: time.Hour}
	dialer, acceptor := "a", "b"
	if !dials("a", "b") {
		dialer, acceptor = "b", "a"
	}
	y := start(t, lb, Config{Self: acceptor, Peers: []Peer{{dialer, "127.0.0.1:1"}}, Timing: timing})
	x := start(t, la, Config{Self: dialer, Timing: timing, Peers: []Peer{{acceptor, deafPath(t, lb.Addr().String())}}})
	ready(t, x, y)
	_, err = x.to(y).Request(within(t), echoID, make([]byte, 8<<20))
	require.ErrorIs(t, err, ErrDisconnected)
	require.ErrorIs(t, err, errStuck)
}
