package testserver

import "syscall"

// ofItsOwn makes a process lead a group, and die with the thread that has started it.
func ofItsOwn() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
