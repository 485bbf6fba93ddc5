//go:build !linux || ratmom_poll

package cgo

/*
#cgo CFLAGS: -DRATMOM_POLL
#include "ratmom.h"
*/
import "C"

import "runtime"

// waiter is the portable twin: curl_multi_poll blocks a thread of its own.
type waiter struct{}

func (w *waiter) open(*C.struct_ratmom_multi) error { return nil }

// Run calls turn until it returns Stop. When turn returns Park, the thread
// sleeps until a socket, a timer or Wake stirs.
func (m *Multi) Run(turn func() Verdict) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	for {
		switch turn() {
		case Park:
			C.ratmom_poll_wait(m.c)
		case Stop:
			return nil
		}
	}
}

// Wake ends the sleep of Run, from any goroutine.
func (m *Multi) Wake() { C.ratmom_poll_wake(m.c) }

func (w *waiter) close() {}
