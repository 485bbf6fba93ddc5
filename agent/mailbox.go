package agent

import (
	"github.com/ratmom/ratmom/cgo"
	"github.com/ratmom/ratmom/handler"
)

// mailboxSize is the buffer of the agent's channel. What does not fit goes to the
// overflow list, so that no sender ever waits, least of all the agent itself.
const mailboxSize = 1024

// maxMessages is how many messages one turn takes before the sockets have their
// turn.
const maxMessages = 512

type kind uint8

const (
	execute kind = iota
	cancel
	resume
	feed
	abandon
	dialled
	closeLink
	closeIdle
	stats
	closeNow
)

type message struct {
	kind  kind
	h     *handler.Handler
	d     *handler.Dial
	link  *handler.Link
	reply func(*agent)
}

// post sends a message; false if the agent takes none any more.
func (a *agent) post(msg message) bool {
	a.senders.Add(1)
	if a.closed.Load() {
		a.senders.Add(-1)
		return false
	}
	select {
	case a.mailbox <- msg:
	default:
		a.overflowMu.Lock()
		a.overflow = append(a.overflow, msg)
		a.spilled.Store(true)
		a.overflowMu.Unlock()
	}
	if a.parked.Load() && a.parked.CompareAndSwap(true, false) {
		a.m.Wake()
	}
	a.senders.Add(-1)
	return true
}

// The agent is the driver of its handlers.

func (a *agent) Resume(h *handler.Handler)  { a.post(message{kind: resume, h: h}) }
func (a *agent) Feed(h *handler.Handler)    { a.post(message{kind: feed, h: h}) }
func (a *agent) Cancel(h *handler.Handler)  { a.post(message{kind: cancel, h: h}) }
func (a *agent) Abandon(h *handler.Handler) { a.post(message{kind: abandon, h: h}) }

// Dialled takes the end of a dial.
func (a *agent) Dialled(d *handler.Dial) {
	if !a.post(message{kind: dialled, d: d}) {
		d.Discard()
	}
}

// Poke waits, too: the connection is closed next.
func (a *agent) Poke(d *handler.Dial) {
	done := make(chan struct{})
	if a.post(message{kind: stats, reply: func(a *agent) { a.m.Poke(d.Socket); close(done) }}) {
		select {
		case <-done:
		case <-a.stopped:
		}
	}
}

// messages empties the mailbox, up to a bound. It reports whether there was
// anything to do.
func (a *agent) messages() bool {
	for n := 0; n < maxMessages && len(a.adds) < cgo.MaxAdds; n++ {
		select {
		case msg := <-a.mailbox:
			a.take(msg)
		default:
			return a.spill() || n > 0
		}
	}
	return true
}

// spill takes what did not fit into the mailbox.
func (a *agent) spill() bool {
	if !a.spilled.Load() {
		return false
	}
	a.overflowMu.Lock()
	n := min(len(a.overflow), cgo.MaxAdds-len(a.adds))
	msgs := a.overflow[:n:n]
	a.overflow = a.overflow[n:]
	if len(a.overflow) == 0 {
		a.overflow = nil
		a.spilled.Store(false)
	}
	a.overflowMu.Unlock()
	for _, msg := range msgs {
		a.take(msg)
	}
	return true
}

func (a *agent) refuse(msg message, err error) {
	switch msg.kind {
	case execute:
		a.load.Add(-1)
		msg.h.End(err)
	case dialled:
		msg.d.Discard()
	case closeLink:
		a.leave(msg.link)
	}
}
