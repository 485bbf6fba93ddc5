package connfd

import (
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// open makes a connection of a descriptor that Take has returned.
func open(t *testing.T, fd int) *net.UnixConn {
	t.Helper()
	return file(t, fd).(*net.UnixConn)
}

func file(t *testing.T, fd int) net.Conn {
	t.Helper()
	f := os.NewFile(uintptr(fd), "taken")
	defer f.Close()
	c, err := net.FileConn(f)
	require.NoError(t, err)
	require.NoError(t, c.SetDeadline(time.Now().Add(10*time.Second)))
	t.Cleanup(func() { c.Close() })
	return c
}

func tcp(t *testing.T) (client, server *net.TCPConn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	c, err := net.Dial("tcp", l.Addr().String())
	require.NoError(t, err)
	s, err := l.Accept()
	require.NoError(t, err)
	t.Cleanup(func() { s.Close() })
	require.NoError(t, s.SetDeadline(time.Now().Add(10*time.Second)))
	return c.(*net.TCPConn), s.(*net.TCPConn)
}

func noPoke() {}

func TestTake_gives_the_socket_itself_of_a_TCP_connection(t *testing.T) {
	client, server := tcp(t)
	fd, err := Take(client, noPoke)
	require.NoError(t, err)
	_, err = client.Write([]byte("x"))
	assert.ErrorIs(t, err, net.ErrClosed)
	c := file(t, fd)
	assert.Equal(t, server.RemoteAddr(), c.LocalAddr())
	_, err = c.Write([]byte("hello"))
	require.NoError(t, err)
	b := make([]byte, 5)
	_, err = io.ReadFull(server, b)
	require.NoError(t, err)
	assert.Equal(t, "hello", string(b))
}

func TestTake_closes_the_descriptor_on_exec_and_does_not_let_it_block(t *testing.T) {
	client, _ := tcp(t)
	a, b := net.Pipe()
	defer b.Close()
	for _, conn := range []net.Conn{client, a} {
		fd, err := Take(conn, noPoke)
		require.NoError(t, err)
		flags, _, errno := syscall.Syscall(syscall.SYS_FCNTL, uintptr(fd), syscall.F_GETFD, 0)
		require.Zero(t, errno)
		assert.NotZero(t, flags&syscall.FD_CLOEXEC)
		flags, _, errno = syscall.Syscall(syscall.SYS_FCNTL, uintptr(fd), syscall.F_GETFL, 0)
		require.Zero(t, errno)
		assert.NotZero(t, flags&syscall.O_NONBLOCK)
		require.NoError(t, syscall.Close(fd))
	}
	_, err := b.Read(make([]byte, 1))
	assert.ErrorIs(t, err, io.EOF, "the relay has ended")
}

// embedded has a TCP connection's methods, and changes what it writes.
type embedded struct{ *net.TCPConn }

func (e embedded) Write(p []byte) (int, error) {
	return e.TCPConn.Write([]byte(strings.ToUpper(string(p))))
}

func TestTake_does_not_go_round_a_type_that_has_a_TCP_connection_within(t *testing.T) {
	client, server := tcp(t)
	fd, err := Take(embedded{client}, noPoke)
	require.NoError(t, err)
	c := open(t, fd)
	_, err = c.Write([]byte("hello"))
	require.NoError(t, err)
	b := make([]byte, 5)
	_, err = io.ReadFull(server, b)
	require.NoError(t, err)
	assert.Equal(t, "HELLO", string(b))

	require.NoError(t, c.CloseWrite())
	_, err = server.Read(b)
	assert.ErrorIs(t, err, io.EOF, "half a close is passed on")
	_, err = server.Write([]byte("bye"))
	require.NoError(t, err)
	require.NoError(t, server.CloseWrite())
	got, err := io.ReadAll(c)
	require.NoError(t, err)
	assert.Equal(t, "bye", string(got), "and leaves the other half")
}

func TestTake_ends_a_half_closed_connection_when_the_descriptor_is_closed(t *testing.T) {
	client, server := tcp(t)
	fd, err := Take(embedded{client}, noPoke)
	require.NoError(t, err)
	c := open(t, fd)
	require.NoError(t, c.CloseWrite())
	_, err = server.Read(make([]byte, 1))
	require.ErrorIs(t, err, io.EOF)
	require.NoError(t, c.Close())
	for err = nil; err == nil; { // the kernel answers a write to a closed socket by a reset
		_, err = server.Write(make([]byte, 1024))
	}
	assert.False(t, os.IsTimeout(err), "%v", err)
}

// faulty is a connection that fails, or panics, when it is told to.
type faulty struct {
	net.Conn
	fail  chan struct{}
	panic bool
}

func (f faulty) Read([]byte) (int, error) {
	<-f.fail
	if f.panic {
		panic("read")
	}
	return 0, errors.New("failed")
}

func TestTake_makes_a_reset_of_a_connection_that_fails(t *testing.T) {
	for _, panics := range []bool{false, true} {
		a, b := net.Pipe()
		f := faulty{a, make(chan struct{}), panics}
		var fd int
		var set sync.WaitGroup
		set.Add(1)
		fd, err := Take(f, func() {
			set.Wait()
			_, _ = syscall.Write(fd, []byte{0})
		})
		require.NoError(t, err)
		set.Done()
		copied, err := duplicate(fd)
		require.NoError(t, err)
		c := open(t, copied)
		close(f.fail)
		_, err = c.Read(make([]byte, 1))
		assert.ErrorIs(t, err, syscall.ECONNRESET)
		require.NoError(t, syscall.Close(fd))
		_, err = b.Read(make([]byte, 1))
		assert.ErrorIs(t, err, io.EOF)
	}
}

func TestTake_passes_on_what_a_pipe_says_and_its_end(t *testing.T) {
	a, b := net.Pipe()
	fd, err := Take(a, noPoke)
	require.NoError(t, err)
	c := open(t, fd)
	go func() {
		_, _ = io.WriteString(b, "hello")
		_ = b.Close()
	}()
	got, err := io.ReadAll(c)
	require.NoError(t, err)
	assert.Equal(t, "hello", string(got))
}
