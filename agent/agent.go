// Package agent is the goroutine that drives one libcurl multi handle, and the
// handle by which everybody else talks to it.
//
// The agent never blocks inside C and is not locked to a thread: it sleeps in
// Go's netpoller until a socket, a timer or a message stirs. User code never
// runs on it. All calls to libcurl while a request is in flight are made by it.
package agent

import (
	"fmt"
	"math"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"

	"github.com/ratmom/ratmom/cgo"
	"github.com/ratmom/ratmom/handler"
	"github.com/ratmom/ratmom/internal/failure"
)

// agent is the state of the goroutine. Fields after the blank line belong to it
// alone.
type agent struct {
	mailbox chan message
	parked  atomic.Bool
	senders atomic.Int64 // in post, so that a late one is not lost
	closed  atomic.Bool  // no new message
	stopped chan struct{}
	cause   error // why it ended; read after stopped is closed
	load    atomic.Int64
	fault   atomic.Pointer[func() error] // tests make a turn fail or panic

	overflowMu sync.Mutex
	overflow   []message
	spilled    atomic.Bool

	m       *cgo.Multi
	pool    *cgo.Pool
	slots   slots[handler.Handler]
	links   slots[handler.Link] // whose connections are the agent's
	live    int
	adds    []*cgo.Transfer
	timers  timers
	dials   map[uint64]*handler.Dial // under way; nil if there was none yet
	closing bool
	yield   bool // the last step woke somebody
}

// run is the goroutine.
func (a *agent) run() {
	err := func() (err error) {
		defer func() {
			if v := recover(); v != nil {
				err = fmt.Errorf("panic: %v\n%s", v, debug.Stack())
			}
		}()
		return a.m.Run(a.turn)
	}()
	if err != nil && a.cause == nil {
		a.cause = err
	}
	a.finish()
}

// turn is one round: messages, one step of the loop, its events, time limits.
func (a *agent) turn() cgo.Verdict {
	a.parked.Store(false)
	if a.yield {
		// Those whose requests have completed go first: what they send next
		// joins this turn, and the step does not keep them from their thread.
		a.yield = false
		runtime.Gosched()
	}
	if f := a.fault.Load(); f != nil {
		if err := (*f)(); err != nil {
			a.cause = err
			return cgo.Stop
		}
	}
	busy := a.messages()
	if a.closing {
		return cgo.Stop
	}
	park := !busy
	if park {
		// From here on a sender wakes us; look once more for those before it.
		a.parked.Store(true)
		if len(a.mailbox) > 0 || a.spilled.Load() {
			a.parked.Store(false)
			park = false
		}
	}
	armed := a.timers.next()
	a.m.Step(a.adds, armed, park)
	clear(a.adds)
	a.adds = a.adds[:0]
	a.m.LinkEvents(a.linkEvent)
	a.m.Events(a.event)
	if len(a.dials) > 0 {
		a.m.GivenUp(a.giveUp)
	}
	if err := a.m.Err(); err != nil {
		a.cause = err
		return cgo.Stop
	}
	expired := a.expire()
	// An event may have begun a time limit that the step could not know of.
	if park && !expired && !a.m.Busy() && a.timers.next() >= armed {
		return cgo.Park
	}
	return cgo.Again
}

func (a *agent) take(msg message) {
	h := msg.h
	switch msg.kind {
	case execute:
		if h.Canceled() { // its cancel message may have come first
			a.load.Add(-1)
			h.End(nil)
			return
		}
		if l := h.Link(); l != nil && !a.enter(l) {
			a.load.Add(-1)
			h.LoseLink()
			return
		}
		a.place(h)
		a.adds = append(a.adds, h.Transfer())
	case cancel:
		if a.holds(h) {
			a.remove(h, nil)
		}
	case resume:
		if a.holds(h) {
			a.m.Unpause(h.Transfer(), true, false)
		}
	case feed:
		if a.holds(h) {
			a.m.Unpause(h.Transfer(), false, true)
		}
	case abandon:
		if a.holds(h) {
			if !h.Abandoned(a.m.Now()) {
				a.remove(h, failure.New(failure.Canceled, "the body was closed"))
				return
			}
			a.watch(h)
			a.m.Unpause(h.Transfer(), true, false)
		}
	case dialled:
		a.dialled(msg.d)
	case closeLink:
		a.leave(msg.link)
	case closeIdle:
		a.m.CloseIdle()
		msg.reply(a)
	case stats, closeNow:
		msg.reply(a)
	}
}

// place gives the handler a slot.
func (a *agent) place(h *handler.Handler) {
	h.Slot = a.slots.enter(h)
	h.Transfer().SetSlot(h.Slot)
	if h.Link() != nil {
		h.Bind()
	}
	a.live++
	if h.Timed() {
		a.watch(h)
	}
}

func (a *agent) holds(h *handler.Handler) bool {
	return int(h.Slot) < len(a.slots.at) && a.slots.at[h.Slot] == h
}

func (a *agent) vacate(h *handler.Handler) {
	a.timers.remove(h)
	a.slots.leave(h.Slot)
	a.live--
	a.load.Add(-1)
}

// event serves one handler after a step.
func (a *agent) event(slot uint32) {
	h := a.slots.at[slot]
	if h == nil {
		return
	}
	a.yield = true
	progress := h.Handle()
	if d := h.TakeDial(); d != nil {
		a.dial(d)
	}
	switch progress {
	case handler.Ended:
		a.vacate(h)
		return
	case handler.Starved:
		a.m.Unpause(h.Transfer(), true, false)
	}
	if h.Timed() { // the limit for idle reading begins with the head
		a.watch(h)
	}
}

// remove ends a request whatever it is doing.
func (a *agent) remove(h *handler.Handler, cause error) {
	for i, t := range a.adds { // not even started
		if t == h.Transfer() {
			a.adds = append(a.adds[:i], a.adds[i+1:]...)
			break
		}
	}
	a.m.Remove(h.Transfer())
	a.m.Forget(h.Transfer())
	a.vacate(h)
	h.End(cause)
}

func (a *agent) watch(h *handler.Handler) {
	if at := h.Deadline(cgo.Now()); at != math.MaxInt64 {
		a.timers.push(h, at)
	}
}

// expire ends the requests whose time is over.
func (a *agent) expire() bool {
	if a.timers.empty() || a.timers.next() > a.m.Now() {
		return false
	}
	now := a.m.Now()
	for {
		h := a.timers.pop(now)
		if h == nil {
			return true
		}
		if err := h.Expire(now); err != nil {
			h.Fail(err)
			a.remove(h, err)
		} else {
			a.watch(h)
		}
	}
}

// finish settles everything when the goroutine ends, for whatever reason: what is
// pending fails, late senders are answered, libcurl's memory is freed, easies
// before the multi.
func (a *agent) finish() {
	a.closed.Store(true)
	cause := a.cause
	if cause == nil {
		cause = errClosed
	}
	a.cause = cause
	err := a.stopErrorOf(cause)
	for _, d := range a.dials {
		d.GiveUp()
	}
	for _, h := range a.slots.at {
		if h != nil {
			a.m.Remove(h.Transfer())
			a.live--
			a.load.Add(-1)
			h.End(err)
		}
	}
	for a.senders.Load() > 0 || len(a.mailbox) > 0 || a.spilled.Load() {
		select {
		case msg := <-a.mailbox:
			a.refuse(msg, err)
		default:
			a.overflowMu.Lock()
			msgs := a.overflow
			a.overflow = nil
			a.spilled.Store(false)
			a.overflowMu.Unlock()
			for _, msg := range msgs {
				a.refuse(msg, err)
			}
			runtime.Gosched()
		}
	}
	a.closeLinks()
	a.pool.Close()
	a.m.Close()
	close(a.stopped)
}

// stopErrorOf is what requests get when the agent has ended for this reason.
func (a *agent) stopErrorOf(cause error) error {
	if cause == errClosed {
		return errClosed
	}
	return failure.Wrap(failure.AgentStopped, cause)
}

func (a *agent) stopError() error { return a.stopErrorOf(a.cause) }
