//go:build !linux

package testserver

import "syscall"

// ofItsOwn makes a process lead a group.
func ofItsOwn() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
