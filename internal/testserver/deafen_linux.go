package testserver

import (
	"errors"
	"net"
	"runtime"
	"syscall"
	"time"
	"unsafe"
)

// Deafen has every open connection lose what the client sends, acknowledgements too, and
// send on: as if the path from there were dead. What has been sent to the client before is
// acknowledged, so that more can be.
func (c *Connections) Deafen() error { return c.filter(deafen) }

// Hearken undoes it: what the client sends again comes through.
func (c *Connections) Hearken() error {
	return c.filter(func(fd uintptr) error {
		err := syscall.DetachLsf(int(fd)) //nolint:staticcheck // as below
		if err == syscall.ENOENT {
			return nil // it came later
		}
		return err
	})
}

func (c *Connections) filter(with func(fd uintptr) error) error {
	for _, conn := range c.all() {
		raw, err := conn.Conn.(*net.TCPConn).SyscallConn()
		if err != nil {
			return err
		}
		var failed error
		if err := raw.Control(func(fd uintptr) { failed = with(fd) }); err != nil {
			return err
		}
		if failed != nil {
			return failed
		}
	}
	return nil
}

func deafen(fd uintptr) error {
	for end := time.Now().Add(10 * time.Second); ; runtime.Gosched() {
		var unacked int32
		if _, _, e := syscall.Syscall(syscall.SYS_IOCTL, fd, syscall.TIOCOUTQ, uintptr(unsafe.Pointer(&unacked))); e != 0 {
			return e
		}
		if unacked == 0 {
			break
		}
		if time.Now().After(end) {
			return errors.New("the client does not acknowledge what was sent")
		}
	}
	const ret = 0x06 // BPF_RET, of BPF_K
	// Nothing of each packet.
	return syscall.AttachLsf(int(fd), []syscall.SockFilter{{Code: ret}}) //nolint:staticcheck // what is to be used instead only makes the program, which is one word
}
