//go:build unix

package listen

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// firstFD is the first number that systemd passes (SD_LISTEN_FDS_START).
const firstFD = 3

// inherit takes what the environment speaks of.
func (s *Sockets) inherit() error {
	defer func() {
		for _, name := range []string{"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES", "LISTEN_PIDFDID"} {
			_ = os.Unsetenv(name)
		}
		_ = os.Unsetenv(handoverVariable)
	}()
	if words, ok := os.LookupEnv(handoverVariable); ok {
		if err := s.inheritFromPrevious(words); err != nil {
			return fmt.Errorf("listen: %s: %w", handoverVariable, err)
		}
		return nil
	}
	if pid := os.Getenv("LISTEN_PID"); pid != strconv.Itoa(os.Getpid()) {
		return nil // not there, or for another process
	}
	n, err := strconv.ParseUint(os.Getenv("LISTEN_FDS"), 10, 15)
	if err != nil {
		return fmt.Errorf("listen: LISTEN_FDS: %q is no number of sockets", os.Getenv("LISTEN_FDS"))
	}
	var names []string
	if list := os.Getenv("LISTEN_FDNAMES"); list != "" {
		names = strings.Split(list, ":")
	}
	for i := range int(n) {
		name := "unknown" // as sd_listen_fds_with_names has it
		if i < len(names) && names[i] != "" {
			name = names[i]
		}
		if err := s.inheritFD(firstFD+i, name); err != nil {
			return fmt.Errorf("listen: LISTEN_FDS: file descriptor %d: %w", firstFD+i, err)
		}
	}
	return nil
}

func (s *Sockets) inheritFD(fd int, name string) error {
	f, err := openFD(fd)
	if err != nil {
		return err
	}
	if !listening(fd) {
		s.files[name] = append(s.files[name], f)
		return nil
	}
	defer f.Close() // a duplicate is used
	l, err := net.FileListener(f)
	if err != nil {
		return err
	}
	a := l.Addr()
	s.inherited = append(s.inherited, &inherited{spec: spec{Network: a.Network(), Address: a.String(), Name: name}, Listener: l})
	return nil
}

func (s *Sockets) inheritFromPrevious(words string) error {
	var told handover
	if err := json.Unmarshal([]byte(words), &told); err != nil {
		return err
	}
	if told.Control < firstFD {
		return fmt.Errorf("a control connection at file descriptor %d", told.Control)
	}
	f, err := openFD(told.Control)
	if err != nil {
		return err
	}
	control, err := net.FileConn(f)
	_ = f.Close()
	if err != nil {
		return err
	}
	s.previous = &previous{control: control}
	for i, as := range told.Sockets {
		fd := told.Control + 1 + i
		f, err := openFD(fd)
		if err == nil && !listening(fd) {
			_ = f.Close()
			err = errors.New("it is no listening socket")
		}
		if err != nil {
			_ = control.Close()
			return fmt.Errorf("file descriptor %d: %w", fd, err)
		}
		l, err := net.FileListener(f)
		_ = f.Close()
		if err != nil {
			_ = control.Close()
			return fmt.Errorf("file descriptor %d: %w", fd, err)
		}
		s.inherited = append(s.inherited, &inherited{spec: as, Listener: l})
	}
	return nil
}

// openFD keeps a descriptor from children, and fails if there is none.
func openFD(fd int) (*os.File, error) {
	if _, err := unix.FcntlInt(uintptr(fd), unix.F_SETFD, unix.FD_CLOEXEC); err != nil {
		return nil, os.NewSyscallError("fcntl", err)
	}
	return os.NewFile(uintptr(fd), "socket"), nil
}

func listening(fd int) bool {
	v, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ACCEPTCONN)
	return err == nil && v != 0
}

// duplicate gives a duplicate of a listener's descriptor. File of net.TCPListener will
// not do: os/exec puts what it gives into blocking mode, which holds for the original too
// and makes its Accept hang.
func duplicate(l net.Listener) (*os.File, error) {
	sc, ok := l.(syscall.Conn)
	if !ok {
		return nil, fmt.Errorf("a %T has no file descriptor", l)
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return nil, err
	}
	fd := -1
	if failed := raw.Control(func(own uintptr) {
		fd, err = unix.FcntlInt(own, unix.F_DUPFD_CLOEXEC, 0)
	}); failed != nil {
		return nil, failed
	}
	if err != nil {
		return nil, os.NewSyscallError("fcntl", err)
	}
	return os.NewFile(uintptr(fd), "socket"), nil
}

// controlPair makes the connection between two processes: our end and theirs.
func controlPair() (net.Conn, *os.File, error) {
	syscall.ForkLock.RLock()
	pair, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err == nil {
		syscall.CloseOnExec(pair[0])
		syscall.CloseOnExec(pair[1])
	}
	syscall.ForkLock.RUnlock()
	if err != nil {
		return nil, nil, os.NewSyscallError("socketpair", err)
	}
	ours, theirs := os.NewFile(uintptr(pair[0]), "control"), os.NewFile(uintptr(pair[1]), "control")
	defer ours.Close()
	c, err := net.FileConn(ours)
	if err != nil {
		_ = theirs.Close()
		return nil, nil, err
	}
	return c, theirs, nil
}

// adoptFile makes the file of an inherited unix socket go with its listener.
func (k *socket) adoptFile() {
	if file, err := ownFile(k.Addr().String()); err == nil {
		k.file = file
	}
}

func (l *fileListener) keepFile() { l.once.Do(func() {}) }

// programPath is the path by which the program was started, which a later version may
// stand at by the time of a restart; links in it are followed then.
func programPath() string {
	if path, err := exec.LookPath(os.Args[0]); err == nil {
		if abs, err := filepath.Abs(path); err == nil {
			return abs
		}
	}
	path, _ := os.Executable()
	return path
}

// reloading is what systemd wants to hear at the beginning of a restart.
func reloading() string {
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &now); err != nil {
		return "RELOADING=1"
	}
	return fmt.Sprintf("RELOADING=1\nMONOTONIC_USEC=%d", time.Duration(now.Nano()).Microseconds())
}
