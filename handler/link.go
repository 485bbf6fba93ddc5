package handler

import (
	"net/netip"
	"time"

	"github.com/ratmom/ratmom/cgo"
	"github.com/ratmom/ratmom/internal/failure"
)

// Link is one connection that requests are put on; see [cgo.Link]. The fields are the
// agent's.
type Link struct {
	C       *cgo.Link
	Watcher LinkWatcher
	Slot    uint32
	Entered bool // an agent has it
	Closed  bool
}

// LinkInfo is what is known of a link's connection.
type LinkInfo struct {
	Fd            int // the socket; for looking at, not for use
	Local, Remote netip.AddrPort
	RTT           time.Duration // as the kernel estimates it; 0: it is not known
}

// LinkWatcher is told what happens to a link's connection, on the agent's goroutine: its
// methods must not block.
type LinkWatcher interface {
	LinkUp(LinkInfo) // there is a connection
	LinkDown()       // it is closed, or soon will be; no request can begin on it
}

// NewLink makes a link to the host of its requests or, with to, to that "host:port".
func NewLink(to string, w LinkWatcher) (*Link, error) {
	c, err := cgo.NewLink(to)
	if err != nil {
		return nil, failure.Wrap(failure.Internal, err)
	}
	return &Link{C: c, Watcher: w}, nil
}

// Watcher is told how a request goes on, on the agent's goroutine, after its head: its
// methods must not block.
type Watcher interface {
	Arrived(*Handler)      // bytes of the body can be read
	Ended(*Handler, error) // the transfer is over; nil: it was good
}

// Ending reports, while Completed tells of a head, whether the watcher is told next that the transfer is
// over. Agent only.
func (h *Handler) Ending() bool { return h.ended }

// Link is the connection that the request is for, nil if it is for any.
func (h *Handler) Link() *Link { return h.spec.Link }

// Bind puts the transfer on its link. Agent only, before it is added.
func (h *Handler) Bind() { h.t.SetLink(h.spec.Link.C, h.spec.Bound) }

// LoseLink ends the handler, whose link was closed before it came to the agent. Agent
// only.
func (h *Handler) LoseLink() {
	h.loseLink()
	h.End(failure.New(failure.ConnectionClosed, "the link is closed"))
}

// hold keeps the transfer out of its pool, if it is not there yet, until unref.
func (h *Handler) hold() bool {
	for {
		n := h.refs.Load()
		if n == 0 {
			return false
		}
		if h.refs.CompareAndSwap(n, n+1) {
			return true
		}
	}
}

// Revoke takes the request back, from any goroutine, and reports whether that was in
// time: then not a byte of it leaves. It does not end the handler; Cancel does.
func (h *Handler) Revoke() bool {
	if !h.hold() {
		h.mu.Lock()
		defer h.mu.Unlock()
		return !h.committed
	}
	defer h.unref()
	return h.t.Revoke()
}

// Committed reports whether the request has been given to its connection; until then
// nothing of it has left.
func (h *Handler) Committed() bool {
	if !h.hold() {
		h.mu.Lock()
		defer h.mu.Unlock()
		return h.committed
	}
	defer h.unref()
	return h.t.Committed()
}

// Connected reports whether the request was given a connection, TLS and the way through a proxy included,
// whatever became of it. Once it has ended.
func (h *Handler) Connected() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.connected
}

// Withdraw takes the request back, as Revoke does, and if that was in time ends the
// handler, whose request can be sent by another: a body that was not read stays open.
func (h *Handler) Withdraw() bool {
	if !h.Revoke() {
		return false
	}
	h.mu.Lock()
	h.refused = refusedUnsent
	if h.cancelErr == nil {
		h.cancelErr = errWithdrawn
	}
	h.mu.Unlock()
	h.spec.Driver.Cancel(h)
	return true
}

var errWithdrawn = failure.New(failure.Canceled, "taken back before it was sent")

// Unsent reports whether the failed request can be sent again by whatever method:
// nothing of it has left, or the server says that it has not looked at it. Once it has
// ended.
func (h *Handler) Unsent() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.refused != refusedNot || !h.committed
}

func (h *Handler) loseLink() {
	h.unprocessed(refusedUnsent)
	h.mu.Lock()
	h.lost = true
	h.mu.Unlock()
}

// LinkLost reports whether the request failed because it could not have its link's
// connection. Once it has ended.
func (h *Handler) LinkLost() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.lost
}

// Multiplexes reports whether the response came over HTTP/2 or later. Agent only, once
// there is a head.
func (h *Handler) Multiplexes() bool { return h.http2() }

// CopyHead copies the raw head to p and returns its length, which may be more than
// that of p. Before the response is made.
func (h *Handler) CopyHead(p []byte) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	copy(p, h.head)
	return len(h.head)
}

// Drop ends the handler whose response nobody wants: cheaply, so that the connection
// lives on, if there is a head.
func (h *Handler) Drop(cause error) {
	h.mu.Lock()
	s := h.stream
	h.mu.Unlock()
	if s == nil {
		h.Cancel(cause)
		return
	}
	_ = s.Close()
}

// ReturnBody takes the memory of the request's body back: when it returns, nobody
// reads there. A request that is not sent yet fails.
func (h *Handler) ReturnBody() {
	if h.hold() {
		defer h.unref()
		h.t.ReturnMemory()
	}
}
