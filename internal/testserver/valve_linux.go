package testserver

import (
	"net/netip"
	"os"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// Narrow has the kernel take little at once of what this process sends to the address, on the
// connections that there are now. It returns how many those are.
func Narrow(t testing.TB, addr string) (n int) {
	t.Helper()
	fds, err := os.ReadDir("/proc/self/fd")
	require.NoError(t, err)
	for _, e := range fds {
		fd, err := strconv.Atoi(e.Name())
		require.NoError(t, err)
		peer, err := unix.Getpeername(fd)
		to, ok := peer.(*unix.SockaddrInet4)
		if err != nil || !ok || netip.AddrPortFrom(netip.AddrFrom4(to.Addr), uint16(to.Port)).String() != addr {
			continue
		}
		if unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_SNDBUF, 1) == nil { // else it was closed meanwhile
			n++
		}
	}
	return n
}
