package agent

import (
	"github.com/ratmom/ratmom/handler"
	"github.com/ratmom/ratmom/internal/failure"
)

// dial has a connection made that libcurl has asked for.
func (a *agent) dial(d *handler.Dial) {
	if a.dials == nil {
		a.dials = map[uint64]*handler.Dial{}
	}
	a.dials[d.Socket.ID] = d
	d.Start()
}

// dialled gives libcurl a connection, or ends the requests that wait for it.
func (a *agent) dialled(d *handler.Dial) {
	if a.dials[d.Socket.ID] != d {
		d.Discard() // it was given up meanwhile
		return
	}
	delete(a.dials, d.Socket.ID)
	if d.Err == nil {
		a.m.Dialled(d.Socket, d.FD, d.Local, d.Remote)
		return
	}
	if a.m.Waiting(d.Socket) < 0 {
		return
	}
	if h := d.Handler; a.holds(h) {
		h.Fail(d.Err)
		if h.Transfer().Held() {
			a.remove(h, d.Err)
			return
		}
	}
	if a.m.Waiting(d.Socket) > 1 || !a.holds(d.Handler) { // over HTTP/2 there may be others
		for _, h := range a.slots.at {
			if h != nil && h.Transfer().On(d.Socket) {
				h.Fail(d.Err)
			}
		}
	}
	a.m.DialFailed(d.Socket)
}

// giveUp ends the dial of a connection that libcurl has closed.
func (a *agent) giveUp(id uint64) {
	d := a.dials[id]
	if d == nil {
		return
	}
	delete(a.dials, id)
	d.GiveUp()
	// A tunnel is all over for libcurl, which does not tell it.
	if h := d.Handler; a.holds(h) && h.Transfer().Held() {
		a.remove(h, failure.New(failure.Connect, "the connection was closed before it was there"))
	}
}
