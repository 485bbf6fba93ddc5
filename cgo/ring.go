package cgo

/*
#include "ratmom.h"
*/
import "C"

import (
	"sync/atomic"
	"unsafe"
)

// Ring is the writer's side of a transfer's upload ring: one goroutine fills it,
// libcurl's read callback empties it. It must not be used after the transfer has
// ended.
type Ring struct{ r *C.struct_ratmom_req }

// Ring returns the writer's side of t's ring.
func (t *Transfer) Ring() Ring { return Ring{t.r} }

func u64(p *C.uint64_t) *uint64 { return (*uint64)(unsafe.Pointer(p)) }
func u32(p *C.uint32_t) *uint32 { return (*uint32)(unsafe.Pointer(p)) }

// Space returns the free part of the ring that lies in one piece; it is empty
// when the ring is full, and then EventSpace follows once half of it is free.
func (g Ring) Space() []byte {
	r := g.r
	for {
		head := atomic.LoadUint64(u64(&r.ring_head))
		tail := uint64(r.ring_tail)
		size := uint64(r.ring_cap)
		if free := size - (tail - head); free > 0 {
			at := tail & (size - 1)
			return unsafe.Slice((*byte)(unsafe.Pointer(r.ring)), size)[at:min(at+free, size)]
		}
		// Say that we wait, then look once more.
		atomic.StoreUint32(u32(&r.ring_full), 1)
		if atomic.LoadUint64(u64(&r.ring_head)) == head {
			return nil
		}
		atomic.StoreUint32(u32(&r.ring_full), 0)
	}
}

// Commit adds the first n bytes of Space to the ring. It reports whether libcurl
// was waiting for them, so that its pause must be lifted.
func (g Ring) Commit(n int) (starved bool) {
	atomic.StoreUint64(u64(&g.r.ring_tail), uint64(g.r.ring_tail)+uint64(n))
	return g.wake()
}

// End marks the end of the request body.
func (g Ring) End() (starved bool) {
	atomic.StoreUint32(u32(&g.r.ring_eof), 1)
	return g.wake()
}

// Fail makes libcurl give the request up.
func (g Ring) Fail() (starved bool) {
	atomic.StoreUint32(u32(&g.r.ring_fail), 1)
	return g.wake()
}

// Restart empties the ring after EventRewind, for the body to begin again.
func (g Ring) Restart() {
	r := g.r
	atomic.StoreUint64(u64(&r.ring_head), 0)
	atomic.StoreUint64(u64(&r.ring_tail), 0)
	atomic.StoreUint32(u32(&r.ring_eof), 0)
	atomic.StoreUint32(u32(&r.ring_full), 0)
	atomic.StoreUint32(u32(&r.ring_starved), 1)
	atomic.StoreUint32(u32(&r.ring_rewind), 0)
}

func (g Ring) wake() bool {
	return atomic.LoadUint32(u32(&g.r.ring_starved)) != 0 && atomic.SwapUint32(u32(&g.r.ring_starved), 0) != 0
}
