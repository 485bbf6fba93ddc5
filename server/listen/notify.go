package listen

import (
	"fmt"
	"net"
	"os"
)

// Notify tells systemd of a change of state, as sd_notify(3) does: lines such as
// "READY=1", "STATUS=…" or "STOPPING=1". False without an error says that nobody asked
// for it: there is no NOTIFY_SOCKET in the environment.
func Notify(state string) (bool, error) {
	path := os.Getenv("NOTIFY_SOCKET")
	if path == "" {
		return false, nil
	}
	c, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		return false, fmt.Errorf("listen: notify: %w", err)
	}
	defer c.Close()
	if _, err := c.Write([]byte(state)); err != nil {
		return false, fmt.Errorf("listen: notify: %w", err)
	}
	return true, nil
}
