package cgo

/*
#include "ratmom.h"
*/
import "C"

import "syscall"

// ConnectErrno is the system's reason why a transfer that has failed with
// CURLE_COULDNT_CONNECT got no connection; 0 if it is not known. libcurl 7.88.1 may still
// have the reason of an earlier transfer: it counts only if a socket was opened for this
// one.
func (t *Transfer) ConnectErrno() syscall.Errno {
	switch {
	case t.r.no_socket != 0:
		return syscall.Errno(t.r.no_socket)
	case t.r.nopened != 0 && t.r.dials == 0 && t.r.infos.os_errno > 0:
		return syscall.Errno(t.r.infos.os_errno)
	}
	return 0
}
