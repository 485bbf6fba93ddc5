// Package cgo is the only door to libcurl: the event loop in C, the callbacks
// that hand nothing to Go, the memory that both sides share, and the packing of
// options. Nothing above it imports "C" or go-curl.
//
// The rules of the house:
//
//   - No libcurl callback hands anything to Go. Callbacks write to C memory and mark the
//     request; Go reads the marks after the step. (The one function that they call, in long
//     steps, does nothing: see beat.c.)
//   - Some functions of nghttp2's and of the C library's (send, recv, poll, clock_gettime) have a
//     namesake here that libcurl finds first, on Linux: see early_end.c, gather.c, look_once.c and
//     step_clock.c. For everybody else in the program they are what they were. In heads that
//     come through recv and OpenSSL's SSL_read, libcurl sees what it acts on: see head.c.
//   - What C keeps beyond a call lives on the C heap or is pinned.
//   - A [Transfer] belongs to one goroutine at a time: the caller's while it is
//     prepared, the agent's from then on.
//   - go-curl gives the life of an easy handle (EasyInit, Reset, Cleanup), the
//     bridge to it (GetHandle), the global initialisation and version facts.
//     Its callbacks, multi and share handles are not used.
package cgo

/*
#cgo pkg-config: libcurl
#cgo CFLAGS: -Wall
#cgo noescape ratmom_req_setup
#cgo nocallback ratmom_req_setup
#cgo noescape ratmom_req_body
#cgo nocallback ratmom_req_body
#cgo noescape ratmom_req_reset
#cgo nocallback ratmom_req_reset
#cgo noescape ratmom_req_trailers
#cgo nocallback ratmom_req_trailers
#cgo noescape ratmom_unpause
#cgo nocallback ratmom_unpause
#cgo noescape ratmom_cancel
#cgo nocallback ratmom_cancel
#cgo noescape ratmom_chunk_put
#cgo nocallback ratmom_chunk_put
#cgo noescape ratmom_now
#cgo nocallback ratmom_now
#include "ratmom.h"
*/
import "C"

import (
	"fmt"
	"sync"

	curl "github.com/andelf/go-curl"
)

// minimumVersion is libcurl 7.88, Debian 12's.
const minimumVersion = 0x075800

// globalInit makes libcurl ready for any call.
var globalInit = sync.OnceValue(func() error {
	if rc := C.ratmom_global_init(); rc != 0 {
		return fmt.Errorf("curl_global_init: %s", Strerror(int(rc)))
	}
	if err := curl.GlobalInit(curl.GLOBAL_ALL); err != nil { // counts the second user
		return fmt.Errorf("curl_global_init: %w", err)
	}
	return nil
})

var initOnce = sync.OnceValue(func() error {
	if err := globalInit(); err != nil {
		return err
	}
	f := Features()
	if f.Version < minimumVersion {
		return fmt.Errorf("libcurl %s is too old: 7.88 or later is needed", f.VersionString)
	}
	// curl 8.20.0: the threaded resolver never reports to the socket callback,
	// so the first name resolution hangs (curl issue 21558).
	if f.Version == 0x081400 {
		return fmt.Errorf("libcurl %s hangs in name resolution when driven by sockets: use another version", f.VersionString)
	}
	return nil
})

// Init initialises libcurl once for the process. It returns an error if the
// libcurl found at run time cannot be used.
func Init() error { return initOnce() }

// Now is the clock of the loop: monotonic, in nanoseconds.
func Now() int64 { return int64(C.ratmom_now()) }

// Counts tells what is alive in C memory, for leak checks.
type Counts struct {
	Transfers  int64 // request structs, pooled ones too
	Multis     int64
	Links      int64
	ChunkBytes int64 // body memory handed out and not given back
	Added      int64 // transfers ever started
}

// CountAlive returns what is alive now.
func CountAlive() Counts {
	var c C.struct_ratmom_counts
	C.ratmom_counts_get(&c)
	return Counts{int64(c.transfers), int64(c.multis), int64(c.links), int64(c.chunk_bytes), int64(c.easy_adds)}
}

// Trim frees the body memory that is kept for later use.
func Trim() { C.ratmom_chunk_trim() }
