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
	others := a.m.Waiting(d.Socket) // over HTTP/2 there may be some
	if a.holds(d.Handler) && d.Handler.Transfer().On(d.Socket) {
		a.fail(d.Handler, d.Err)
	}
	for i := 0; others > 0 && i < len(a.slots) && a.m.Waiting(d.Socket) > 0; i++ {
		if h := a.slots[i]; h != nil && h.Transfer().On(d.Socket) {
			a.fail(h, d.Err)
		}
	}
}

func (a *agent) fail(h *handler.Handler, err error) {
	h.Fail(err)
	a.remove(h, err)
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
		a.fail(h, failure.New(failure.Connect, "the connection was closed before it was there"))
	}
}
