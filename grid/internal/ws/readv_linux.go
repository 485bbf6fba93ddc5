package ws

import (
	"io"
	"net"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// scatter reads into two buffers with one syscall.
type scatter struct {
	raw   syscall.RawConn
	try   func(fd uintptr) bool
	parts [2][]byte
	n     int
	err   error
}

// scatterOf gives the one of a socket, nil if nc is none.
func scatterOf(nc net.Conn) *scatter {
	switch nc.(type) {
	case *net.TCPConn, *net.UnixConn:
	default:
		return nil
	}
	raw, err := nc.(syscall.Conn).SyscallConn()
	if err != nil {
		return nil
	}
	s := &scatter{raw: raw}
	s.try = s.readv
	return s
}

// read reads into p, and what there is beyond it into more, like the Read of the connection.
func (s *scatter) read(p, more []byte) (n, beyond int, err error) {
	s.parts = [2][]byte{p, more}
	err = s.raw.Read(s.try)
	s.parts = [2][]byte{}
	if err == nil {
		err = s.err
	}
	if err != nil {
		return 0, 0, err
	}
	n = min(s.n, len(p))
	return n, s.n - n, nil
}

// readv reports whether the read is over. If not, it is called again when there is something to read.
func (s *scatter) readv(fd uintptr) bool {
	for {
		s.n, s.err = unix.Readv(int(fd), s.parts[:])
		switch {
		case s.err == unix.EINTR:
			continue
		case s.err == unix.EAGAIN:
			return false
		case s.err != nil:
			s.err = os.NewSyscallError("readv", s.err)
		case s.n == 0:
			s.err = io.EOF
		}
		return true
	}
}
