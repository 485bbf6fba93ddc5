package handler

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"sync/atomic"
	"syscall"

	"github.com/ratmom/ratmom/cgo"
	"github.com/ratmom/ratmom/internal/connfd"
	"github.com/ratmom/ratmom/internal/failure"
)

// Dial is a connection that libcurl has asked for and the user's function makes, on a
// goroutine of its own. Who asked gets it, or the error, through the driver.
type Dial struct {
	Socket  cgo.Socket // what waits for it
	Handler *Handler   // whose request was the first to need it

	ctx     context.Context
	cancel  context.CancelCauseFunc
	settled atomic.Bool

	// What came of it: a descriptor, or why not.
	FD            int
	Local, Remote netip.AddrPort
	Err           error
}

var (
	errDialTime   = errors.New("the time for connecting is over")
	errDialDrop   = errors.New("no request waits for the connection any more")
	errDialGoexit = errors.New("the function has ended its goroutine")
	errDialNil    = errors.New("the function has returned neither a connection nor an error")
)

// TakeDial returns the dial that the events of the last step ask for; nil if there is
// none. Agent only.
func (h *Handler) TakeDial() *Dial {
	d := h.dial
	h.dial = nil
	return d
}

// newDial notes that libcurl needs a connection.
func (h *Handler) newDial() {
	h.dial = &Dial{Socket: h.t.Dial(), Handler: h, FD: -1}
}

// Start calls the function.
func (d *Dial) Start() {
	h := d.Handler
	// The connection may come to serve other requests, whatever becomes of this one:
	// the agent knows when nobody waits for it.
	d.ctx, d.cancel = context.WithCancelCause(h.outliving())
	release := func() {}
	if limit := h.plan.DialLimit; limit > 0 {
		var stop context.CancelFunc
		d.ctx, stop = context.WithTimeoutCause(d.ctx, limit, errDialTime)
		// The function may not heed its context.
		forget := context.AfterFunc(d.ctx, func() {
			if d.late() && !d.settled.Swap(true) {
				d.Err = dialError(failure.Timeout, errDialTime)
				h.spec.Driver.Dialled(d)
			}
		})
		release = func() { forget(); stop() }
	}
	go func() {
		conn, err := net.Conn(nil), errDialGoexit
		defer func() {
			if v := recover(); v != nil {
				err = fmt.Errorf("panic: %v", v)
			}
			late := d.late()
			release()
			d.finish(conn, err, late)
		}()
		var address string
		if address, err = h.plan.Config.DialAddress(h.proxiedURL()); err != nil {
			return
		}
		err = errDialGoexit
		conn, err = h.plan.Dial(d.ctx, "tcp", address)
	}()
}

// outliving is the request's context as one that does not end. A request that was given up
// is the caller's again.
func (h *Handler) outliving() context.Context {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.spec.Request == nil {
		return context.Background()
	}
	return context.WithoutCancel(h.spec.Request.Context())
}

// proxiedURL is the URL whose proxies the request goes through.
func (h *Handler) proxiedURL() *url.URL {
	if h.spec.Tunnel && !h.spec.WebSocket {
		return &url.URL{Scheme: "https", Host: h.url.Host, Path: "/"}
	}
	return h.url
}

// late reports whether the time for connecting is over.
func (d *Dial) late() bool { return context.Cause(d.ctx) == errDialTime }

// finish passes on what the function has returned.
func (d *Dial) finish(conn net.Conn, err error, late bool) {
	if d.settled.Swap(true) {
		discard(conn)
		return
	}
	if conn == nil && err == nil {
		err = errDialNil
	}
	if err == nil {
		d.Local, d.Remote = connfd.Addrs(conn)
		d.FD, err = connfd.Take(conn, func() { d.Handler.spec.Driver.Poke(d) })
	} else {
		discard(conn)
	}
	if err != nil {
		kind := failure.Connect
		if late {
			kind = failure.Timeout
		}
		d.Err = dialError(kind, err)
	}
	d.Handler.spec.Driver.Dialled(d)
}

func dialError(kind failure.Kind, err error) error {
	return failure.Newf(kind, "config.DialContext: %w", err)
}

// GiveUp ends the dial, for nobody waits for it any more.
func (d *Dial) GiveUp() {
	d.settled.Store(true) // the function's goroutine closes what it gets
	d.cancel(errDialDrop)
}

// Discard closes the connection that nobody took.
func (d *Dial) Discard() {
	if d.FD >= 0 {
		_ = syscall.Close(d.FD)
	}
}

func discard(conn net.Conn) {
	if conn == nil {
		return
	}
	defer func() { _ = recover() }() // somebody else's code
	_ = conn.Close()
}
