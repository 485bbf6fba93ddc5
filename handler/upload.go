package handler

import (
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"

	"github.com/ratmom/ratmom/body"
	"github.com/ratmom/ratmom/cgo"
	"github.com/ratmom/ratmom/internal/failure"
	"github.com/ratmom/ratmom/retry"
)

// ringSize is the memory between a request body's reader and libcurl, in bytes.
const ringSize = 128 * 1024

// pump moves a request body from the user's reader into the transfer's ring. The
// reader is user code and may block for ever, so it has a goroutine of its own;
// it starts when libcurl first asks for the body, not before.
type pump struct {
	h       *Handler
	ring    cgo.Ring
	stir    chan struct{} // room in the ring, a rewind, or the end
	stopped atomic.Bool
	rewind  atomic.Bool
	started bool // agent only
	err     atomic.Pointer[error]

	// An upgraded connection is written to by the user, who holds no reference
	// to the transfer: mu keeps the ring from being given back meanwhile.
	writing sync.Mutex // one write at a time
	mu      sync.Mutex
	ended   bool // CloseWrite
}

func newPump(h *Handler) *pump {
	return &pump{h: h, ring: h.t.Ring(), stir: make(chan struct{}, 1)}
}

func (p *pump) poke() {
	select {
	case p.stir <- struct{}{}:
	default:
	}
}

// feed serves what libcurl asks of the upload. Agent only.
func (h *Handler) feed(ev cgo.Event) {
	p := h.upload
	if p == nil {
		return
	}
	if ev&cgo.EventRewind != 0 {
		p.rewind.Store(true)
	}
	if ev&(cgo.EventWant|cgo.EventRewind) != 0 && !p.started && h.source.IsStream() {
		p.started = true
		h.refs.Add(1)
		go p.run()
		return
	}
	p.poke()
}

// keepBody leaves the request's body open, if nothing of it was read and the request
// may be sent again. Agent only, before the end is told.
func (h *Handler) keepBody(err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.kept = !h.completed && h.upload != nil && !h.upload.started && h.source != nil && h.source.IsStream() &&
		h.source.Untouched() && (h.classify(err) != retry.Other || h.spec.Alternative != nil && !h.connected)
}

// KeptBody reports whether the request that failed has its body still, as it was: who
// does not send it again has to close it.
func (h *Handler) KeptBody() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.kept
}

// endUpload stops the pump and closes the request's body. Agent only.
func (h *Handler) endUpload() {
	p := h.upload
	switch {
	case p != nil && p.started:
		p.mu.Lock()
		p.stopped.Store(true)
		p.mu.Unlock()
		p.poke()
		if !h.source.Finished() {
			go h.source.Close() // unblocks a Read that waits
		}
	case p != nil:
		p.mu.Lock()
		p.stopped.Store(true)
		p.mu.Unlock()
		p.poke()
		if h.source != nil && h.source.IsStream() && !h.kept {
			go h.source.Close() // user code does not run on the agent
		}
	}
}

func (p *pump) run() {
	defer p.h.unref()
	src := p.h.source
	defer src.Close() // a rewind beside the end opens it anew
	for !p.stopped.Load() {
		if p.rewind.CompareAndSwap(true, false) {
			if err := src.Rewind(); err != nil {
				p.fail(failure.Wrap(failure.BodyNotRewindable, err))
				return
			}
			p.ring.Restart()
		}
		if err := p.copy(src); err != nil {
			p.fail(err)
			return
		}
		if p.stopped.Load() || p.rewind.Load() {
			continue
		}
		_ = src.Close()
		if tr := p.h.trailers(); len(tr) > 0 {
			if err := p.h.t.SetTrailers(tr); err != nil {
				p.fail(err)
				return
			}
		}
		if p.ring.End() {
			p.h.spec.Driver.Feed(p.h)
		}
		if !src.Rewindable() {
			return
		}
		for !p.stopped.Load() && !p.rewind.Load() {
			<-p.stir // may still tell of room that was found before
		}
	}
}

func (p *pump) fail(err error) {
	p.err.Store(&err)
	_ = p.h.source.Close()
	if p.ring.Fail() {
		p.h.spec.Driver.Feed(p.h)
	}
}

// copy fills the ring until the source ends, or is stopped or rewound.
func (p *pump) copy(src *body.Source) error {
	var total int64
	want := src.Length()
	for !p.stopped.Load() && !p.rewind.Load() {
		space := p.ring.Space()
		if len(space) == 0 {
			<-p.stir
			continue
		}
		if want >= 0 && int64(len(space)) > want-total {
			if want == total {
				return expectEnd(src, want)
			}
			space = space[:want-total]
		}
		n, err := src.Read(space)
		if p.stopped.Load() {
			return nil
		}
		if n < 0 || n > len(space) {
			return failure.New(failure.RequestBody, "the reader returned an impossible count")
		}
		if n > 0 {
			total += int64(n)
			p.h.report(total, want)
			if p.ring.Commit(n) {
				p.h.spec.Driver.Feed(p.h)
			}
		}
		switch {
		case err == io.EOF && want >= 0 && total < want:
			return failure.Wrap(failure.RequestBody, fmt.Errorf("http: ContentLength=%d with Body length %d", want, total))
		case err == io.EOF:
			return nil
		case err != nil:
			return failure.Wrap(failure.RequestBody, err)
		}
	}
	return nil
}

// report tells the caller how far the upload is. It comes before the bytes go, so that
// the last word of it has been said when the answer to them is there; the lock orders
// it before what the caller does then.
func (h *Handler) report(sent, total int64) {
	f := h.plan.OnUpload
	if f == nil {
		return
	}
	f(sent, total)
	h.mu.Lock()
	h.reported = sent
	h.mu.Unlock()
}

// expectEnd reports a source that has more than it announced.
func expectEnd(src *body.Source, want int64) error {
	var one [1]byte
	for range 16 {
		n, err := src.Read(one[:])
		switch {
		case n > 0:
			return failure.Wrap(failure.RequestBody, fmt.Errorf("http: ContentLength=%d with Body length %d or more", want, want+1))
		case err == io.EOF:
			return nil
		case err != nil:
			return failure.Wrap(failure.RequestBody, err)
		}
	}
	return nil
}

// trailers are the request's trailers as lines, once its body has been read.
func (h *Handler) trailers() []string {
	tr := h.requestTrailer
	var lines []string
	for k, vv := range tr {
		for _, v := range vv {
			lines = append(lines, http.CanonicalHeaderKey(k)+": "+v)
		}
	}
	return lines
}

// uploadErr is why the request's body failed, if it did.
func (h *Handler) uploadErr() error {
	if h.upload == nil {
		return nil
	}
	if e := h.upload.err.Load(); e != nil {
		return *e
	}
	return nil
}

// write is the upstream half of an upgraded connection: it puts user bytes
// straight into the ring.
func (p *pump) write(b []byte) (int, error) {
	p.writing.Lock()
	defer p.writing.Unlock()
	n := 0
	for n < len(b) {
		m, starved, err := p.put(b[n:])
		if err != nil {
			return n, err
		}
		n += m
		if starved {
			p.h.spec.Driver.Feed(p.h)
		}
		if m == 0 {
			<-p.stir
		}
	}
	return n, nil
}

// put moves what fits into the ring, unless the connection is over.
func (p *pump) put(b []byte) (n int, starved bool, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.stopped.Load() || p.ended {
		return 0, false, io.ErrClosedPipe
	}
	if n = copy(p.ring.Space(), b); n > 0 {
		starved = p.ring.Commit(n)
	}
	return n, starved, nil
}

// closeWrite ends the upstream half.
func (p *pump) closeWrite() error {
	p.mu.Lock()
	if p.stopped.Load() || p.ended {
		p.mu.Unlock()
		return nil
	}
	p.ended = true
	starved := p.ring.End()
	p.mu.Unlock()
	p.poke() // a write that waits for room
	if starved {
		p.h.spec.Driver.Feed(p.h)
	}
	return nil
}
