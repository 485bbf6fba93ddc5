//go:build !linux

package server

import "net"

// tellsAcknowledged is true on Linux alone.
func tellsAcknowledged(net.Conn) bool { return false }

func (*conn) acknowledged() (int64, bool) { return 0, false }
