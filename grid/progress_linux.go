package grid

import (
	"net"

	"golang.org/x/sys/unix"
)

// acknowledged is how many bytes of a connection the other end's kernel has taken, and whether this one knows.
func acknowledged(nc *net.TCPConn) (n uint64, ok bool) {
	raw, err := nc.SyscallConn()
	if err != nil {
		return 0, false
	}
	_ = raw.Control(func(fd uintptr) {
		info, err := unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO)
		if ok = err == nil; ok {
			n = info.Bytes_acked
		}
	})
	return n, ok
}
