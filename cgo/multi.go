package cgo

/*
#include "ratmom.h"
*/
import "C"

import (
	"fmt"
	"math"
	"unsafe"
)

// Never is the deadline that does not come.
const Never int64 = math.MaxInt64

// Multi is one multi handle with its event loop. All methods but Wake belong to
// the agent's goroutine.
type Multi struct {
	c *C.struct_ratmom_multi
	waiter
}

// NewMulti makes a multi handle with the given options.
func NewMulti(o *MultiOptions) (*Multi, error) {
	if err := Init(); err != nil {
		return nil, err
	}
	c := C.ratmom_multi_new()
	if c == nil {
		return nil, fmt.Errorf("cannot make a multi handle: out of memory or file descriptors")
	}
	m := &Multi{c: c}
	if o != nil {
		c.max_paused = C.uint32_t(o.maxPaused)
		c.max_lookups = C.uint32_t(o.maxLookups)
		c.fast_ns = C.int64_t(o.fast)
		for _, s := range o.set {
			if rc := C.ratmom_multi_setopt(c, C.int(s.opt), C.long(s.val)); rc != 0 {
				C.ratmom_multi_free(c)
				return nil, fmt.Errorf("multi option %d = %d: CURLMcode %d", s.opt, s.val, rc)
			}
		}
	}
	if err := m.open(c); err != nil {
		C.ratmom_multi_free(c)
		return nil, err
	}
	return m, nil
}

// Pools is how many pools of connections there are beside the first.
func (m *Multi) Pools() int { return int(C.ratmom_lanes_open(m.c)) }

// MaxAdds is how many transfers one step can start.
const MaxAdds = 256

// Step makes one turn: it serves what is ready, starts adds and collects the
// events. It is a few short calls into C rather than a long one: the scheduler takes
// the processor of a call away that lasts. deadline is when Go wants to be woken at the latest ([Now]'s clock);
// park tells that the caller will sleep if the step finds nothing to do.
func (m *Multi) Step(adds []*Transfer, deadline int64, park bool) {
	n := min(len(adds), MaxAdds)
	if n > 0 {
		dst := unsafe.Slice(m.c.adds, MaxAdds)
		for i := range n {
			dst[i] = adds[i].r
		}
	}
	p := C.int(0)
	if park {
		p = 1
	}
	for more := C.ratmom_step(m.c, C.int(n), C.int64_t(deadline), p); more != 0; {
		more = C.ratmom_step_on(m.c)
	}
}

// Busy reports whether the last step found anything to serve: only after one
// that did not may the agent sleep.
func (m *Multi) Busy() bool {
	// What has ended may have made room for a request that waits, and libcurl may have set
	// its timer after the step armed it.
	return m.c.nready != 0 || m.c.nevents != 0 || m.c.unended != 0 || m.c.crowds != nil ||
		min(m.c.deadline, m.c.mend) < m.c.armed
}

// Now is the time of the last step.
func (m *Multi) Now() int64 { return int64(m.c.now) }

// Events calls f with the slot of each request that something happened to; f takes
// the marks with [Transfer.TakeEvents]. What happens because of f, such as a pause
// that follows one lifted, waits for the next call: else messages might never have
// their turn.
func (m *Multi) Events(f func(slot uint32)) {
	n := m.c.nevents
	for i := range uint32(n) {
		r := unsafe.Slice(m.c.events, m.c.nevents)[i] // f may make the array grow
		if r != nil && r.events != 0 {
			f(uint32(r.slot))
		}
	}
	events := unsafe.Slice(m.c.events, m.c.nevents)
	m.c.nevents = C.uint32_t(copy(events, events[n:]))
}

// Remove takes t out of the loop at once, whatever it is doing.
func (m *Multi) Remove(t *Transfer) { C.ratmom_cancel(m.c, t.r) }

// Forget drops the marks of t that no one will look at any more. Call it after
// Remove, before t goes back to its pool.
func (m *Multi) Forget(t *Transfer) {
	t.r.events = 0
	events := unsafe.Slice(m.c.events, m.c.nevents)
	for i, r := range events {
		if r == t.r {
			events[i] = nil
		}
	}
}

// Unpause lifts the pause of the given directions.
func (m *Multi) Unpause(t *Transfer, recv, send bool) {
	C.ratmom_unpause(t.r, cbool(recv), cbool(send))
}

// CloseIdle shuts down the connections that no transfer uses and returns how
// many there were.
func (m *Multi) CloseIdle() int { return int(C.ratmom_close_idle(m.c)) }

// Live is the number of transfers in the multi handle.
func (m *Multi) Live() int { return int(m.c.nlive) }

// Err returns what the multi handle refused last, if anything, and forgets it.
func (m *Multi) Err() error {
	rc := m.c.multi_code
	m.c.multi_code = 0
	if rc == 0 {
		return nil
	}
	return fmt.Errorf("CURLMcode %d: %s", int(rc), C.GoString(C.curl_multi_strerror(C.CURLMcode(rc))))
}

// LoopStats counts the work of a loop.
type LoopStats struct {
	Steps     uint64 // turns; a turn is a few calls into C
	Wakeups   uint64 // by messages, through the eventfd
	EpollCtls uint64 // changes of the epoll set
	Beats     uint64 // signs of life of turns that lasted
	Gathered  uint64 // pieces that libcurl sent and that waited for others
	Sends     uint64 // calls of the kernel that they became
	Blocked   uint64 // how often it did not take all of them
	Portions  uint64 // how often a socket was set to report large portions only
	Heads     uint64 // of TLS records that were read with the record before
	Empties   uint64 // readings of libcurl of sockets that were known to be empty
	Looks     uint64 // of libcurl at sockets that needed no system call
	Contexts  uint64 // of OpenSSL that connections had from one before
	Certs     uint64 // of servers that were known
	Hidden    uint64 // heads of which libcurl was shown a part
	Times     uint64 // that libcurl asked for and the clock was not read for
}

// Stats returns the counters of the loop.
func (m *Multi) Stats() LoopStats {
	return LoopStats{
		Steps: uint64(m.c.steps), Wakeups: uint64(m.c.wakeups), EpollCtls: uint64(m.c.epoll_ctls), Beats: uint64(m.c.beats),
		Looks: uint64(m.c.look.spared), Times: uint64(m.c.clock.spared),
		Contexts: uint64(m.c.tls.spared), Certs: uint64(m.c.certs_known),
		Hidden: uint64(m.c.hidden),
		Heads:  uint64(m.c.heads), Portions: uint64(m.c.lowat_sets), Empties: uint64(m.c.empties), Gathered: uint64(m.c.gathered), Sends: uint64(m.c.sends), Blocked: uint64(m.c.blocked),
	}
}

// Close frees the multi handle and closes its connections. Every transfer must
// have ended or been removed.
func (m *Multi) Close() {
	m.close()
	C.ratmom_multi_free(m.c)
	m.c = nil
}

func cbool(b bool) C.int {
	if b {
		return 1
	}
	return 0
}
