// Package connfd makes a descriptor of a net.Conn, for code that knows no more of a
// connection than its socket.
package connfd

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"syscall"
)

// Take returns a descriptor, not blocking and closed on exec, that is the connection
// from now on; the caller closes it. Of a TCP connection or a Unix domain socket of
// package net it is the socket itself; conn is closed. The bytes of any other pass
// through one end of a socketpair, and two goroutines that end with the connection
// move them; conn is then closed when the descriptor is. When there is an error, conn is
// closed.
//
// A socketpair has no reset. The kernel makes one of a close when bytes are left that
// nobody has read: so, when reading from conn fails, a byte is written to the
// descriptor, by poke, which knows where it is by then.
func Take(conn net.Conn, poke func()) (int, error) {
	// Only these very types: one that has one of them within may do more than it.
	switch c := conn.(type) {
	case *net.TCPConn:
		if c == nil {
			return -1, net.ErrClosed
		}
		return own(c)
	case *net.UnixConn:
		if c == nil {
			return -1, net.ErrClosed
		}
		if a := c.LocalAddr(); a != nil && a.Network() == "unix" {
			return own(c)
		}
	}
	return relay(conn, poke)
}

// own takes the socket out of conn.
func own(conn interface {
	net.Conn
	syscall.Conn
}) (int, error) {
	defer func() { _ = conn.Close() }()
	raw, err := conn.SyscallConn()
	if err != nil {
		return -1, err
	}
	fd := -1
	var dupErr error
	if err := raw.Control(func(s uintptr) { fd, dupErr = duplicate(int(s)) }); err != nil {
		return -1, err
	}
	return fd, dupErr
}

func duplicate(fd int) (int, error) {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	n, err := syscall.Dup(fd)
	if err != nil {
		return -1, os.NewSyscallError("dup", err)
	}
	syscall.CloseOnExec(n)
	return n, nil
}

// pair makes two sockets that are connected to one another.
func pair() (ours *net.UnixConn, theirs int, err error) {
	syscall.ForkLock.RLock()
	fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err == nil {
		syscall.CloseOnExec(fds[0])
		syscall.CloseOnExec(fds[1])
	}
	syscall.ForkLock.RUnlock()
	if err != nil {
		return nil, -1, os.NewSyscallError("socketpair", err)
	}
	f := os.NewFile(uintptr(fds[0]), "relay")
	defer func() { _ = f.Close() }() // FileConn has a copy
	c, err := net.FileConn(f)
	if err == nil {
		err = os.NewSyscallError("setnonblock", syscall.SetNonblock(fds[1], true))
	}
	if err != nil {
		_ = syscall.Close(fds[1])
		return nil, -1, err
	}
	u, ok := c.(*net.UnixConn)
	if !ok {
		_ = syscall.Close(fds[1])
		return nil, -1, fmt.Errorf("a socketpair is a %T", c)
	}
	return u, fds[1], nil
}

// Addrs are the addresses of conn's ends, as far as it has any that are an IP address
// and a port.
func Addrs(conn net.Conn) (local, remote netip.AddrPort) {
	defer func() { _ = recover() }() // somebody else's code, and there is no harm without
	return addr(conn.LocalAddr()), addr(conn.RemoteAddr())
}

func addr(a net.Addr) netip.AddrPort {
	if a, ok := a.(*net.TCPAddr); ok && a != nil {
		return a.AddrPort()
	}
	return netip.AddrPort{}
}
