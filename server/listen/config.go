package listen

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"runtime"
	"strings"
	"syscall"
)

// Config says how listeners are opened. Its zero value opens them as net.Listen does,
// but for the files of unix sockets: one that a process left behind is replaced.
type Config struct {
	// ReusePort lets several TCP listeners have one address, between which the kernel
	// spreads the connections (SO_REUSEPORT): of one process, or of several of the same
	// user. All must have it set. Linux only; ErrUnsupported elsewhere. Connections that
	// wait to be accepted are lost with the listener that they wait at.
	ReusePort bool
	// UnixMode are the permission bits of the file of a unix socket, whatever the umask.
	// On Linux it never has more than these, not even for a moment. 0 leaves them to the
	// umask.
	UnixMode fs.FileMode
}

// Listen opens a listener: network is "tcp", "tcp4", "tcp6", "unix" or "unixpacket",
// address as for net.Listen.
//
// The address of a unix socket is the path of its file, or "@name" for one in Linux'
// abstract namespace. A file left behind by a process that has ended is removed: only if
// it is a socket, and nobody answers there. Two processes that do so at once do not
// remove each other's, if both use this package. Closing the listener removes its file,
// unless there is another's by then.
func (c Config) Listen(ctx context.Context, network, address string) (net.Listener, error) {
	l, _, err := c.open(ctx, network, address)
	return l, err
}

// open gives the file of a unix socket beside the listener, nil for others.
func (c Config) open(ctx context.Context, network, address string) (net.Listener, *socketFile, error) {
	if c.UnixMode&^fs.ModePerm != 0 {
		return nil, nil, fmt.Errorf("listen: Config.UnixMode %v has more than permission bits", c.UnixMode)
	}
	switch network {
	case "tcp", "tcp4", "tcp6":
		var lc net.ListenConfig
		if c.ReusePort {
			lc.Control = reusePort
		}
		l, err := lc.Listen(ctx, network, address)
		return l, nil, err
	case "unix", "unixpacket":
		return c.openUnix(ctx, network, address)
	}
	return nil, nil, fmt.Errorf("listen: network %q: %w", network, errors.ErrUnsupported)
}

func (c Config) openUnix(ctx context.Context, network, path string) (net.Listener, *socketFile, error) {
	switch {
	case path == "" || path == "@":
		// The kernel would choose a name that nobody knows.
		return nil, nil, errors.New("listen: a unix socket without a path")
	case strings.ContainsRune(path, 0):
		return nil, nil, fmt.Errorf("listen: unix socket %q: a path has no NUL", path)
	case len(path) > maxUnixPath:
		return nil, nil, fmt.Errorf("listen: unix socket %q: a path has at most %d bytes", path, maxUnixPath)
	case path[0] != '@':
		return listenFile(ctx, network, path, c.UnixMode)
	case runtime.GOOS != "linux":
		return nil, nil, fmt.Errorf("listen: unix socket %q: an abstract name: %w", path, errors.ErrUnsupported)
	}
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, network, path)
	return l, nil, err
}

// maxUnixPath is what fits into sockaddr_un with its NUL.
const maxUnixPath = len(syscall.RawSockaddrUnix{}.Path) - 1
