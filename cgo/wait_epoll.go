//go:build linux && !ratmom_poll

package cgo

/*
#include "ratmom.h"
*/
import "C"

import (
	"fmt"
	"os"
	"syscall"
	"unsafe"
)

// waiter parks the agent's goroutine in Go's netpoller: the epoll set is itself
// a pollable file, so no thread is blocked while nothing happens.
type waiter struct {
	file *os.File // a dup of the epoll set
	conn syscall.RawConn
	evfd int
}

func (w *waiter) open(c *C.struct_ratmom_multi) error {
	fd, _, errno := syscall.Syscall(syscall.SYS_FCNTL, uintptr(c.epfd), syscall.F_DUPFD_CLOEXEC, 0)
	if errno != 0 {
		return fmt.Errorf("dup of the epoll set: %w", errno)
	}
	if err := syscall.SetNonblock(int(fd), true); err != nil {
		syscall.Close(int(fd))
		return fmt.Errorf("epoll set: %w", err)
	}
	w.file = os.NewFile(fd, "ratmom agent")
	conn, err := w.file.SyscallConn()
	if err != nil {
		w.file.Close()
		return err
	}
	w.conn, w.evfd = conn, int(c.evfd)
	return nil
}

// Run calls turn until it returns Stop. When turn returns Park, the goroutine
// sleeps until a socket, the timer or Wake stirs. turn runs inside the poller's
// read, so that an edge between its last look and the sleep is not lost.
func (m *Multi) Run(turn func() Verdict) error {
	stop := false
	for !stop {
		err := m.conn.Read(func(uintptr) bool {
			for {
				switch turn() {
				case Park:
					return false
				case Stop:
					stop = true
					return true
				}
			}
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// Wake ends the sleep of Run, from any goroutine.
func (m *Multi) Wake() {
	one := uint64(1)
	_, _, _ = syscall.RawSyscall(syscall.SYS_WRITE, uintptr(m.evfd), uintptr(unsafe.Pointer(&one)), 8)
}

func (w *waiter) close() { w.file.Close() }
