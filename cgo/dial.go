package cgo

/*
#include "ratmom.h"
*/
import "C"

import (
	"net/netip"
	"sync"
	"unsafe"
)

// Socket is a socket of libcurl's that waits for a connection.
type Socket struct {
	ID uint64 // never used again
	fd C.int32_t
}

// Dial is the connection that the transfer waits for; it is to be given to
// [Multi.Dialled].
func (t *Transfer) Dial() Socket { return Socket{uint64(t.r.dial_id), t.r.dial_fd} }

// On reports whether the transfer waits for the connection of s, which is pending, be it
// the one that asked for it or another.
func (t *Transfer) On(s Socket) bool {
	return t.r.dial_id == C.uint64_t(s.ID) || t.r.fd == s.fd
}

// Held reports whether the transfer is a tunnel whose connection is not there yet.
func (t *Transfer) Held() bool { return t.r.held != 0 }

// Dialled gives the connection, the descriptor fd, which it takes in any case, with
// its addresses. It reports whether anybody still waited for it.
func (m *Multi) Dialled(s Socket, fd int, local, remote netip.AddrPort) bool {
	l, r := cAddr(local), cAddr(remote)
	return C.ratmom_dial_done(m.c, s.fd, C.uint64_t(s.ID), C.int32_t(fd), &l, &r) != 0
}

// Poke writes a byte on the connection that has been given for s, if it is still there;
// see package connfd.
func (m *Multi) Poke(s Socket) { C.ratmom_dial_poke(m.c, s.fd, C.uint64_t(s.ID)) }

// Waiting is how many transfers are known to wait for the connection of s; -1 if libcurl
// does not want it any more.
func (m *Multi) Waiting(s Socket) int {
	return int(C.ratmom_dial_users(m.c, s.fd, C.uint64_t(s.ID)))
}

// DialFailed ends the transfers that wait for the connection of s, in the next step.
func (m *Multi) DialFailed(s Socket) { C.ratmom_dial_failed(m.c, s.fd, C.uint64_t(s.ID)) }

// GivenUp calls f for each connection that nobody waits for any more.
func (m *Multi) GivenUp(f func(id uint64)) {
	if m.c.ngiven_up == 0 {
		return
	}
	for _, id := range unsafe.Slice(m.c.given_up, m.c.ngiven_up) {
		f(uint64(id))
	}
	m.c.ngiven_up = 0
}

func cAddr(a netip.AddrPort) C.struct_ratmom_addr {
	var c C.struct_ratmom_addr
	ip := (*[16]byte)(unsafe.Pointer(&c.ip))
	switch addr := a.Addr().Unmap(); {
	case addr.Is4():
		four := addr.As4()
		copy(ip[:], four[:])
		c.family = 4
	case addr.Is6():
		*ip = addr.As16()
		c.family = 6
	}
	c.port = C.uint16_t(a.Port())
	return c
}

// CanDial reports whether this libcurl takes connections that Go has made. It tries it
// once.
var CanDial = sync.OnceValue(func() bool { return Init() == nil && C.ratmom_dial_probe() != 0 })
