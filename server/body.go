package server

import (
	"errors"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ratmom/ratmom/internal/http1"
)

// body is what a handler reads of a request. While it is not whole, nothing behind it is parsed.
type body struct {
	ex *exchange

	mu     sync.Mutex
	left   int64          // of a Content-Length
	chunks *http1.Chunked // or nil
	got    int64
	err    error // sticky; io.EOF when it is whole
	closed bool

	draining bool // it is the server that reads
	drained  struct {
		got    int64
		waited time.Duration
	} // what there was when that began

	reading atomic.Bool   // somebody waits for bytes
	waited  time.Duration // by the reader, for bytes
	asked   time.Time
	late    bool // a deadline of the server's passed, not one of the handler's
}

// newBody gives nil for a request without one.
func newBody(ex *exchange, h *head) *body {
	if !h.hasBody() {
		return nil
	}
	b := &body{ex: ex, left: h.length}
	if h.chunked {
		b.chunks = http1.NewChunked(source{&ex.conn.in}, ex.conn.server.limits.section())
	}
	return b
}

// Read is io.Reader. The first call asks a client for the body that waits to be asked.
func (b *body) Read(p []byte) (int, error) {
	b.mu.Lock()
	closed := b.closed
	b.mu.Unlock()
	if !closed {
		b.ex.sendContinue()
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed || b.ex.done.Load() {
		return 0, http.ErrBodyReadAfterClose
	}
	return b.read(p)
}

// Close only says that the handler reads no more: what becomes of the rest is decided with the answer.
func (b *body) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	return nil
}

func (b *body) read(p []byte) (int, error) {
	if b.err != nil || len(p) == 0 {
		return 0, b.err
	}
	c := b.ex.conn
	c.pace = b
	var n int
	var err error
	if b.chunks != nil {
		n, err = b.chunks.Read(p)
		if m := (*http1.Malformed)(nil); errors.As(err, &m) {
			err = bad(m.Error())
		}
	} else {
		n, err = c.in.read(p[:min(int64(len(p)), b.left)])
		b.left -= int64(n)
		switch {
		case b.left == 0:
			err = io.EOF
		case n > 0:
			err = nil
		default:
			err = http1.Unexpected(err)
		}
	}
	c.pace = nil
	b.got += int64(n)
	if most := c.server.limits.BodyBytes; b.got > most {
		n -= int(b.got - most)
		err = &http.MaxBytesError{Limit: most}
	}
	if err == nil {
		return n, nil
	}
	b.err = err
	switch err {
	case io.EOF:
		b.atEnd()
	case io.ErrUnexpectedEOF:
		c.halfClosed()
	}
	return n, err
}

// atEnd is reached with the body's last byte: the connection may be read on.
func (b *body) atEnd() {
	if b.chunks != nil && b.chunks.Trailer != nil {
		if b.ex.req.Trailer == nil {
			b.ex.req.Trailer = make(http.Header)
		}
		for key, values := range b.chunks.Trailer {
			b.ex.req.Trailer[key] = values
		}
	}
	c := b.ex.conn
	if c.fin.Load() {
		c.checkFin()
	}
	if b.ex.mayHandOver() {
		b.ex.handOver()
	}
}

// before sets the deadline of a read: the handler's, or that of the whole request, or the one that
// the least rate leaves.
func (b *body) before() error {
	b.reading.Store(true)
	b.asked = time.Now()
	s := b.ex.conn.server
	var t time.Time
	if s.ReadTimeout > 0 {
		t = b.ex.began.Add(s.ReadTimeout)
	}
	if rate := s.limits.BodyRate; rate > 0 && !b.ex.fullDuplex.Load() {
		left := s.limits.RateGrace + timeFor(b.got, rate) - b.waited
		if r := b.asked.Add(left); t.IsZero() || r.Before(t) {
			t = r
		}
	}
	b.late = !t.IsZero()
	if d := b.ex.readDeadline.Load(); d != nil {
		t, b.late = *d, false
	}
	if rate := s.limits.HeadRate; rate > 0 && b.draining {
		left := s.limits.RateGrace + timeFor(b.got-b.drained.got, rate) - (b.waited - b.drained.waited)
		if r := b.asked.Add(left); t.IsZero() || r.Before(t) {
			t, b.late = r, false // the handler's answer stands
		}
	}
	if !b.ex.conn.setReadDeadline(t) {
		return net.ErrClosed
	}
	if b.ex.done.Load() && !b.draining {
		// Only now is it sure that interrupt would undo the deadline.
		return http.ErrBodyReadAfterClose
	}
	return nil
}

func (b *body) after() {
	b.waited += time.Since(b.asked)
	b.reading.Store(false)
}

// interrupt ends the wait of a goroutine that the handler has left behind, as proxies do.
func (b *body) interrupt() {
	if b.reading.Load() {
		_ = b.ex.SetReadDeadline(time.Unix(1, 0)) // not if the connection has another reader by now
	}
}

// whole reports whether all of it has been read; a body that there is not, is.
func (b *body) whole() bool {
	if b == nil {
		return true
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.err == io.EOF
}

// drain reads and drops the rest, if it is not too much and does not come too slowly: an answer waits
// for that. The refusal, if any, is what the client
// deserves for what came instead of a body.
func (b *body) drain() (whole bool, r *refusal) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.draining, b.drained.got, b.drained.waited = true, b.got, b.waited
	defer func() { b.draining = false }()
	most := b.ex.conn.server.limits.DrainBytes
	if b.err == nil && b.left <= most {
		buf := takeBuffer()
		defer giveBuffer(buf)
		for n := int64(0); n <= most && b.err == nil; {
			m, _ := b.read(buf)
			n += int64(m)
		}
	}
	return b.err == io.EOF, b.refusal()
}

func (b *body) refusal() *refusal {
	switch err := b.err.(type) {
	case *refusal:
		return err
	case *http.MaxBytesError:
		return errBodyTooLarge
	default:
		if b.late && err != nil && isTimeout(err) {
			return errBodyTimeout
		}
	}
	return nil
}

func (b *body) end() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
}
