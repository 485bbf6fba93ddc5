//go:build !linux

package listen

import (
	"errors"
	"fmt"
	"syscall"
)

// The BSDs have an option of this name that spreads no connections.
func reusePort(_, _ string, _ syscall.RawConn) error {
	return fmt.Errorf("SO_REUSEPORT: %w", errors.ErrUnsupported)
}
