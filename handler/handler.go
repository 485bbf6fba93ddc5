// Package handler is the life of one request from its hand-over to the last
// byte of its response: it builds the transfer on the caller's goroutine,
// completes the future on the agent's, feeds the body, and tells why things
// failed.
package handler

import (
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ratmom/ratmom/body"
	"github.com/ratmom/ratmom/cgo"
	"github.com/ratmom/ratmom/internal/altsvc"
	"github.com/ratmom/ratmom/internal/failure"
)

// Driver is the agent as a handler sees it. Its methods may be called from any
// goroutine; they only send a message.
type Driver interface {
	Resume(*Handler)  // lift the pause of receiving
	Feed(*Handler)    // lift the pause of sending
	Cancel(*Handler)  // remove the transfer at once
	Abandon(*Handler) // the rest of the body is not wanted
	Dialled(*Dial)    // a dial has come to its end
	Poke(*Dial)       // write a byte on its connection, and wait for that
}

// Spec is what a handler is made from.
type Spec struct {
	Request *http.Request
	Plan    *Plan
	Driver  Driver
	// Deadline ends the whole exchange; zero: none.
	Deadline time.Time
	// TryTime is how long the head may take from the hand-over on; 0: any time.
	TryTime time.Duration
	// Fresh asks for a new connection.
	Fresh bool
	// Alternative is where to send the request in place of the host of its URL; nil:
	// nowhere else.
	Alternative *altsvc.Service
	// Authorization and ProxyAuthorization are the values of the fields of these
	// names, made for this one transfer; "": none.
	Authorization, ProxyAuthorization string
	// Done is told once, when the final head is there or the request has failed.
	Done Waiter
	// Owner is kept alive as long as the handler is.
	Owner any
	// Conversation is that of the request, for the user's log function; nil: this
	// transfer has one of its own, whose end nobody waits for.
	Conversation *Conversation
	// Tunnel asks for a connection to the host and port of the URL instead of a
	// response; see tunnel.go.
	Tunnel bool
	// Straight has a tunnel speak TLS with the host of an https URL.
	Straight bool
	// WebSocket asks for a tunnel of WebSocket frames.
	WebSocket bool
	// Link is the connection to use; nil: any. See link.go.
	Link *Link
	// Bound tells that the link has a connection: no other may be made.
	Bound bool
	// Watcher is told how it goes on; nil: nobody.
	Watcher Watcher
	// Sent is told how much of the request's body is on its way, on the agent's goroutine: it must not
	// block; nil: nobody asks.
	Sent func(n, total int64)
}

// Waiter is who waits for the end of the head. Completed may run on the agent's
// goroutine and must not block.
type Waiter interface{ Completed(*Handler) }

// Handler is one request under way.
type Handler struct {
	ID   uint64
	Slot uint32 // where the agent keeps it
	// Timer is its place among the agent's timers, plus one; 0: none.
	Timer int

	spec   Spec
	plan   *Plan
	url    *url.URL
	method string
	target string // of the request, as url.URL writes it
	// requestTrailer is filled by the caller while its body is read.
	requestTrailer http.Header
	pool           *cgo.Pool
	t              *cgo.Transfer
	refs           atomic.Int32 // who may touch t: the agent, the upload's pump
	source         *body.Source
	upload         *pump
	kept           bool // see KeptBody; under mu

	acceptAdded bool  // we asked for compression, so we undo it
	length      int64 // see expect; agent only
	lengthKnown bool
	upgrade     bool // Upgrade or CONNECT: the body is a raw stream both ways
	ended       bool // agent only
	unctx       func() bool
	over        chan struct{} // closed at the end, if somebody waits for it

	mu        sync.Mutex
	completed bool
	cancelErr error // why we gave it up
	err       error
	head      []byte
	room      []string // for the values of the head's fields; see headMemory
	status    int
	stream    *body.Stream // nil before the head; body, in use
	body      body.Stream
	trailer   []byte
	certs     []byte     // of the server, in PEM
	bodyHash  string     // that AWS signs; "": the body is a stream
	infos     *cgo.Infos // nil: not asked for, or not there yet
	log       *wireLog   // nil: not asked for
	trace     *trace     // nil: no hooks
	local     netip.AddrPort
	remote    netip.AddrPort
	reused    bool
	refused   refusal
	givenUp   bool  // by the caller, before the head
	connected bool  // it was given a connection
	committed bool  // its request was given to it; once it has ended
	lost      bool  // see LinkLost
	reported  int64 // to the caller, of the upload

	conn tunnel // under mu
	dial *Dial  // that is to be started; agent only

	drainUntil int64 // agent only, with timers
	deadline   int64 // the total time, in the loop's clock; 0: none
	headBy     int64 // likewise, for the head
}

var lastID atomic.Uint64

// New is Make and Prepare.
func New(pool *cgo.Pool, spec *Spec) (*Handler, error) {
	h := Make(pool, spec)
	if err := h.Prepare(); err != nil {
		return nil, err
	}
	return h, nil
}

// Make makes a handler that is to be prepared. The spec is copied.
func Make(pool *cgo.Pool, spec *Spec) *Handler {
	h := &Handler{ID: lastID.Add(1), spec: *spec, plan: spec.Plan, url: spec.Request.URL, method: spec.Request.Method, pool: pool}
	h.requestTrailer = spec.Request.Trailer
	if h.method == "" {
		h.method = http.MethodGet
	}
	if h.plan.Wire {
		h.log = &wireLog{to: h.plan.Config.WireLog(), talk: spec.Conversation}
		if h.log.talk == nil {
			h.log.talk = NewConversation(new(sync.WaitGroup))
		}
	}
	h.refs.Store(1)
	return h
}

// Prepare validates the request and prepares its transfer. On an error the request's
// body has been closed.
func (h *Handler) Prepare() error {
	if err := h.prepare(); err != nil {
		closeRequest(h.spec.Request, h.source)
		if h.t != nil {
			h.pool.Put(h.t)
		}
		return h.annotate(err)
	}
	return nil
}

func closeRequest(req *http.Request, src *body.Source) {
	if src != nil {
		_ = src.Close()
	} else if req.Body != nil {
		_ = req.Body.Close()
	}
}

// Transfer is the prepared transfer, for the agent.
func (h *Handler) Transfer() *cgo.Transfer { return h.t }

// Progress is what the events of a step have led to.
type Progress int

const (
	Running Progress = iota
	Ended            // the transfer is over and has been released
	Starved          // it paused, but the reader has made room: resume it
)

// Handle serves the events of one step. Agent only.
func (h *Handler) Handle() Progress {
	t := h.t
	ev := t.TakeEvents()
	if ev&cgo.EventDebug != 0 {
		h.log.add(t.TakeDebug())
	}
	if ev&cgo.EventInfo != 0 {
		h.trace.info(t.TakeInfo())
	}
	done := ev&cgo.EventDone != 0
	if ev&cgo.EventDial != 0 && !done {
		h.newDial()
	}
	if ev&cgo.EventTunnel != 0 {
		h.openTunnel()
	}
	if ev&cgo.EventSent != 0 {
		h.spec.Sent(t.Sent(), h.source.Length())
	}
	if ev&cgo.EventHead != 0 && !h.spec.Tunnel {
		h.takeHead(done)
	}
	if ev&cgo.EventBody != 0 && h.stream != nil {
		h.stream.Push(t.TakeBody())
		if !done && h.spec.Watcher != nil {
			h.spec.Watcher.Arrived(h)
		}
	}
	if h.upload != nil && !done && h.stream != nil && h.wholeResponse() {
		// The upload goes on, but the response's reader need not wait for it.
		h.stream.Finish(io.EOF)
		if h.stopsUpload() {
			h.spec.Driver.Abandon(h)
		}
	}
	if ev&(cgo.EventWant|cgo.EventSpace|cgo.EventRewind) != 0 {
		h.feed(ev)
	}
	if done {
		h.End(nil)
		return Ended
	}
	if ev&cgo.EventPaused != 0 && (h.stream == nil || h.stream.Paused()) {
		return Starved
	}
	return Running
}

// expect is the length that the response announces, -1 if it announces none. Agent
// only, once there is a head.
func (h *Handler) expect() int64 {
	if !h.lengthKnown {
		h.length, h.lengthKnown = -1, true
		if !h.plan.IgnoreLength {
			h.length = rawLength(h.head)
		}
	}
	return h.length
}

// wholeResponse reports whether the response has come to its announced end.
func (h *Handler) wholeResponse() bool {
	return noBody(h.method, h.status) || h.expect() >= 0 && h.t.Received() >= h.expect() && !h.upgrade
}

// stopsUpload reports whether the response is a reason to give the upload up.
func (h *Handler) stopsUpload() bool {
	return h.plan.StopUpload && h.upload != nil && !h.upgrade && h.status >= 300
}

// tunnel reports whether the response makes the connection a raw stream.
func (h *Handler) tunnel() bool {
	return h.status == http.StatusSwitchingProtocols ||
		h.method == http.MethodConnect && h.status/100 == 2 && h.expect() < 0
}

// SmallBody is the size up to which a body that came with its head in one step
// is copied next to it, so that the transfer can go back to the pool at once. It is that of such a head, too:
// who keeps one of them keeps both.
const SmallBody = 4 * 1024

// takeHead copies the head and makes the stream. When the transfer has ended in
// the same step, the body is there too.
func (h *Handler) takeHead(done bool) {
	t := h.t
	raw := t.Head()
	if h.plan.Aliases {
		raw = unaliased(raw)
	}
	h.mu.Lock()
	h.status = t.Status()
	if h.plan.Certificates {
		h.certs = t.Certificates()
	}
	h.local, h.remote, h.reused = t.LocalAddr(), t.RemoteAddr(), t.Reused()
	if chunks := t.TakeBody(); done && chunks.Len() <= SmallBody && len(raw) <= SmallBody {
		var buf []byte
		buf, h.room = headMemory(len(raw) + chunks.Len())
		n := copy(buf, raw)
		h.head = buf[:n:n]
		r := cgo.Reader{Chunks: chunks}
		r.Read(buf[n:])
		h.body.BeginWhole(buf[n:], nil)
	} else {
		h.head = append([]byte(nil), raw...)
		h.body.Begin((*feeder)(h), h.plan.HighWater/2)
		h.body.Push(chunks)
	}
	h.stream = &h.body
	h.mu.Unlock()
	if h.upgrade && !h.tunnel() && h.upload.ring.End() {
		h.spec.Driver.Feed(h) // not upgraded: an ordinary response follows
	}
	h.trace.sent(t.Reused())
	if !done && h.stopsUpload() {
		h.spec.Driver.Feed(h) // 7.88.1 gives a paused upload up only when it goes on
	}
	if !done {
		h.expect() // from here on the head is the caller's, who parses it in place
		h.complete(nil)
	}
}

// End settles everything: the future, the body, the request's body; the transfer
// goes back to the pool. cause is nil when libcurl has ended the transfer. Agent
// only.
func (h *Handler) End(cause error) {
	if h.ended {
		return
	}
	h.ended = true
	t := h.t
	res := t.Result()
	if h.unctx != nil {
		h.unctx()
	}
	if h.over != nil {
		close(h.over)
	}
	h.mu.Lock()
	if h.stream == nil && h.local == (netip.AddrPort{}) {
		h.local, h.remote, h.reused = t.LocalAddr(), t.RemoteAddr(), t.Reused()
	}
	h.connected, h.committed = t.Connected(), t.Committed()
	if h.plan.Infos {
		infos := t.Infos()
		h.infos = &infos
	}
	if tr := t.Trailer(); len(tr) > 0 {
		h.trailer = append([]byte(nil), tr...)
	}
	if cause == nil {
		cause = h.cancelErr
		if cause != nil {
			cause = cancelError(cause)
		}
	}
	s := h.stream
	h.mu.Unlock()

	err := cause
	if err == nil {
		err = h.outcome(res)
	}
	if err != nil {
		err = h.annotate(err)
	}
	if h.spec.Tunnel {
		h.endTunnel(err)
		h.unref()
		return
	}
	if s == nil && err == nil {
		err = h.annotate(failure.New(failure.Protocol, "the transfer ended without a response"))
	}
	w := h.spec.Watcher
	switch { // a head is an answer, whatever became of the body
	case s == nil:
		h.keepBody(err)
		h.complete(err)
	case w == nil:
		finish(s, err)
		h.complete(nil)
	default:
		h.complete(nil)
	}
	if err == nil {
		h.trace.end()
	}
	h.endUpload()
	if w != nil {
		// Who has read a response to its end finds its connection free.
		w.Ended(h, err)
		if s != nil {
			finish(s, err)
		}
	}
	if s != nil && h.err != nil { // complete, so it stays; a cancel came before the head, so nobody gets the body
		_ = s.Close()
	}
	h.unref()
}

// finish ends the body.
func finish(s *body.Stream, err error) {
	if err == nil {
		err = io.EOF
	}
	s.Finish(err)
}

// unref gives the transfer back when neither the agent nor the pump needs it.
func (h *Handler) unref() {
	if h.refs.Add(-1) == 0 {
		h.pool.Put(h.t)
	}
}

// feeder is the handler as its stream sees it.
type feeder Handler

func (f *feeder) Consumed(n int) int { return f.t.Consumed(n) }
func (f *feeder) Resume()            { f.spec.Driver.Resume((*Handler)(f)) }
func (f *feeder) Abandon()           { f.spec.Driver.Abandon((*Handler)(f)) }
