package grid

import (
	"net"
	"syscall"
)

// tcpNotsentLowat is TCP_NOTSENT_LOWAT.
const tcpNotsentLowat = 25

// notSentLowat is how much the kernel takes of what it cannot send yet. What waits
// here can still be overtaken by small messages; what waits there cannot.
const notSentLowat = 128 << 10

// limitUnsent sets that bound, if the kernel has it.
func limitUnsent(nc *net.TCPConn) {
	raw, err := nc.SyscallConn()
	if err != nil {
		return
	}
	_ = raw.Control(func(fd uintptr) {
		_ = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, tcpNotsentLowat, notSentLowat)
	})
}
