package agent

import (
	"runtime"
	"time"

	"github.com/ratmom/ratmom/cgo"
	"github.com/ratmom/ratmom/handler"
)

// enter makes a link the agent's with its first request; false if it was closed.
func (a *agent) enter(l *handler.Link) bool {
	if l.Closed || l.Entered {
		return !l.Closed
	}
	l.Slot = a.links.enter(l)
	l.C.SetSlot(l.Slot)
	l.Entered = true
	return true
}

// leave closes a link.
func (a *agent) leave(l *handler.Link) {
	switch {
	case l.Closed:
		return
	case l.Entered:
		a.links.leave(l.Slot)
		a.m.CloseLink(l.C)
	default:
		l.C.Close()
	}
	l.Closed = true
}

// closeLinks is for the end, when no transfer runs.
func (a *agent) closeLinks() {
	for _, l := range a.links.at {
		if l != nil {
			a.leave(l)
			l.Watcher.LinkDown()
		}
	}
}

// linkEvent tells who watches a link.
func (a *agent) linkEvent(slot uint32, ev cgo.LinkEvent) {
	l := a.links.at[slot]
	if ev&cgo.LinkUp != 0 {
		l.Watcher.LinkUp(handler.LinkInfo{Fd: l.C.Fd(), Local: l.C.LocalAddr(), Remote: l.C.RemoteAddr(), RTT: time.Duration(l.C.RTT()) * time.Microsecond})
	}
	if ev&cgo.LinkDown != 0 {
		l.Watcher.LinkDown()
	}
}

// CloseLink closes a link: its connection goes at once, or with the last request on it.
// Requests that come later fail, unsent. A link that the agent does not take any more
// is closed too.
func (h *Handle) CloseLink(l *handler.Link) {
	if !h.a.post(message{kind: closeLink, link: l}) {
		<-h.a.stopped
		h.a.leaveStopped(l)
	}
	runtime.KeepAlive(h)
}

// leaveStopped frees a link after the agent's end.
func (a *agent) leaveStopped(l *handler.Link) {
	a.overflowMu.Lock()
	defer a.overflowMu.Unlock()
	if !l.Closed && !l.Entered {
		l.C.Close()
		l.Closed = true
	}
}
