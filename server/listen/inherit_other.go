//go:build !unix

package listen

import (
	"errors"
	"fmt"
	"net"
	"os"
)

// Sockets are not passed on here.
func (s *Sockets) inherit() error { return nil }

func programPath() string { return "" }

func reloading() string { return "RELOADING=1" }

func duplicate(net.Listener) (*os.File, error) {
	return nil, fmt.Errorf("passing a socket on: %w", errors.ErrUnsupported)
}

func controlPair() (net.Conn, *os.File, error) {
	return nil, nil, fmt.Errorf("passing sockets on: %w", errors.ErrUnsupported)
}

func (k *socket) adoptFile() {}
