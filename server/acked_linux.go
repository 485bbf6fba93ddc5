package server

import (
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

// tellsAcknowledged reports whether the kernel says how much of a write the client has taken.
func tellsAcknowledged(nc net.Conn) bool {
	_, ok := nc.(*net.TCPConn)
	return ok
}

// acknowledged is how many bytes the client's side has acknowledged, TLS' own among them: the kernel takes
// megabytes that nobody may ever read, and a write that waits for room does not tell how much it has got.
func (c *conn) acknowledged() (n int64, ok bool) {
	s, ok := c.bare.(syscall.Conn)
	if !ok {
		return 0, false
	}
	raw, err := s.SyscallConn()
	if err != nil {
		return 0, false
	}
	var info *unix.TCPInfo
	if e := raw.Control(func(fd uintptr) { info, err = unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO) }); e != nil || err != nil {
		return 0, false
	}
	return int64(info.Bytes_acked), true //nolint:gosec // it would take a century
}
