package cgo

/*
#include <stdlib.h>
#include "ratmom.h"
*/
import "C"

import (
	"errors"
	"net"
	"net/netip"
	"runtime"
	"sync/atomic"
	"unsafe"
)

// Link is one connection as a thing of its own: the first transfer on it makes the
// connection, the others use that one or fail before anything is sent. It belongs to
// the agent that is given its first transfer.
type Link struct{ c *C.struct_ratmom_link }

// NewLink makes a link to the host and port of its requests or, with to, to that
// "host:port" in their place.
func NewLink(to string) (*Link, error) {
	if err := Init(); err != nil {
		return nil, err
	}
	named := false
	if to != "" {
		host, _, err := net.SplitHostPort(to)
		if err != nil {
			return nil, err
		}
		_, err = netip.ParseAddr(host)
		named = err != nil
		to = "::" + to // from any host and port
	}
	text := C.CString(to)
	defer C.free(unsafe.Pointer(text))
	c := C.ratmom_link_new(text, cbool(named))
	if c == nil {
		return nil, errors.New("cannot make a link: out of memory")
	}
	return &Link{c}, nil
}

// SetSlot names the place where the agent keeps the link.
func (l *Link) SetSlot(slot uint32) { l.c.slot = C.uint32_t(slot) }

// Open reports whether Close or CloseLink has not been called. Agent only, once an
// agent has the link.
func (l *Link) Open() bool { return l.c != nil }

// Close frees a link that no agent has been given.
func (l *Link) Close() {
	C.ratmom_link_free(l.c)
	l.c = nil
}

// LocalAddr is our address of the link's connection, RemoteAddr the other end's: of the
// last one, if it has been closed; the zero value if there was none. Agent only.
func (l *Link) LocalAddr() netip.AddrPort  { return addrPort(&l.c.local) }
func (l *Link) RemoteAddr() netip.AddrPort { return addrPort(&l.c.remote) }

// RTT is the round-trip time that the kernel knew when the connection was made, in
// microseconds; 0: it is not known. Agent only.
func (l *Link) RTT() int { return int(l.c.rtt) }

// Fd is the socket of the link's connection, -1 if there is none. Agent only.
func (l *Link) Fd() int { return int(l.c.fd) }

// LinkEvent is a set of things that happened to a link.
type LinkEvent uint32

const (
	LinkUp   LinkEvent = C.RATMOM_LINK_UP   // it has got a connection
	LinkDown LinkEvent = C.RATMOM_LINK_DOWN // its connection is closed
)

// LinkEvents calls f with the slot of each link that something happened to.
func (m *Multi) LinkEvents(f func(slot uint32, ev LinkEvent)) {
	for m.c.link_events != nil {
		var ev C.uint32_t
		l := C.ratmom_link_event(m.c, &ev)
		f(uint32(l.slot), LinkEvent(ev))
	}
}

// CloseLink closes the link's connection, at once or when the last transfer on it has
// ended. The link must not be used any more.
func (m *Multi) CloseLink(l *Link) {
	C.ratmom_link_close(m.c, l.c)
	l.c = nil
}

// SetLink puts t, which is about to run, on a link. With bound it must not make a
// connection. Its end or [Multi.Remove] takes it off.
func (t *Transfer) SetLink(l *Link, bound bool) {
	t.r.link, t.r.bound = l.c, flag(bound)
	l.c.users++ // it stays until the transfer leaves it
}

// Revoke takes a transfer back, from any goroutine while the transfer is out of its
// pool. It reports whether that was in time: then not a byte of the request leaves.
func (t *Transfer) Revoke() bool {
	word := u32(&t.r.commit)
	return atomic.CompareAndSwapUint32(word, C.RATMOM_UNCOMMITTED, C.RATMOM_REVOKED) ||
		atomic.LoadUint32(word) == C.RATMOM_REVOKED
}

// Committed reports whether the request has been given to its connection. Until then
// not a byte of it has left.
func (t *Transfer) Committed() bool {
	return atomic.LoadUint32(u32(&t.r.commit)) == C.RATMOM_COMMITTED
}

// ReturnMemory takes the memory of [Transfer.BodyMemory] back, from any goroutine while
// the transfer is out of its pool: when it returns, nobody reads there. A transfer that
// still wants some of it fails.
func (t *Transfer) ReturnMemory() {
	for word := u32(&t.r.mem_use); !atomic.CompareAndSwapUint32(word, C.RATMOM_MEM_FREE, C.RATMOM_MEM_BACK); {
		if atomic.LoadUint32(word) == C.RATMOM_MEM_BACK {
			return
		}
		runtime.Gosched()
	}
}
