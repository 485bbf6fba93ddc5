package server

import (
	"io"
	"net"
	"os"
	"syscall"
)

// socketWaiter reads a socket as soon as there is something to read, into a buffer that is taken
// only then: an idle connection costs no buffer, and a busy one no system call more.
type socketWaiter struct {
	conn *conn
	raw  syscall.RawConn
	try  func(uintptr) bool
	buf  []byte
	n    int
	err  error
}

// newWaiter gives nil for what is no plain socket: who wraps one wants its Read to be called.
func newWaiter(c *conn) waiter {
	var s syscall.Conn
	switch t := c.rwc.(type) {
	case *net.TCPConn:
		s = t
	case *net.UnixConn:
		s = t
	default:
		return nil
	}
	raw, err := s.SyscallConn()
	if err != nil {
		return nil
	}
	w := &socketWaiter{conn: c, raw: raw}
	w.try = w.read
	return w
}

func (w *socketWaiter) read(fd uintptr) bool {
	buf := takeBuffer()
	for {
		w.n, w.err = syscall.Read(int(fd), buf)
		if w.err == syscall.EINTR {
			continue
		}
		if w.err == nil && w.n > 0 {
			w.buf = buf
			return true
		}
		giveBuffer(buf)
		return w.err != syscall.EAGAIN
	}
}

func (w *socketWaiter) readPooled() ([]byte, int, error) {
	err := w.raw.Read(w.try)
	switch {
	case err != nil:
	case w.err != nil:
		err = os.NewSyscallError("read", w.err)
	case w.n == 0:
		err = io.EOF
	}
	if err != nil {
		w.conn.readFailed(err)
		return nil, 0, err
	}
	buf := w.buf
	w.buf = nil
	return buf, w.n, nil
}
