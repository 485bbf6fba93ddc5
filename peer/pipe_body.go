package peer

import (
	"io"
	"maps"
	"net/http"
	"strconv"
	"sync"

	"github.com/ratmom/ratmom/internal/http1"
)

// pipeBody is the body of a response on a pipeline. It reads from the connection itself; who reads answers
// waits until it is passed.
type pipeBody struct {
	c       *pipe
	r       *piped
	body    *http1.Body
	content []byte // all of it, where it was there at once
	whole   bool
	trailer http.Header
	held    *Pipeline
	unctx   func() bool
	passed  chan struct{}

	mu     sync.Mutex
	closed bool
	isOver bool
	why    error // sticky
}

// Read implements io.Reader.
func (b *pipeBody) Read(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.closed:
		return 0, http.ErrBodyReadAfterClose
	case b.why != nil || len(p) == 0:
		return 0, b.why
	case b.whole:
		n := copy(p, b.content)
		if b.content = b.content[n:]; len(b.content) == 0 {
			b.why = io.EOF
			b.pass()
		}
		return n, b.why
	}
	n, err := b.body.Read(p)
	if err == nil {
		return n, nil
	}
	if err == io.EOF {
		maps.Copy(b.trailer, b.body.Trailer())
	} else {
		b.c.end(ended(err))
		err = b.failure()
	}
	b.why = err
	b.pass()
	return n, err
}

// failure is why a body ends early: it may be that its time was over.
func (b *pipeBody) failure() error {
	if b.r.ctx.Err() != nil {
		return contextError(b.r.ctx)
	}
	b.c.mu.Lock()
	defer b.c.mu.Unlock()
	return b.c.err
}

// pass lets the next answer come. mu is held.
func (b *pipeBody) pass() {
	if b.isOver {
		return
	}
	b.isOver, b.held = true, nil
	if b.unctx != nil {
		b.unctx()
		b.r.undo()
	}
	close(b.passed)
}

// Close implements io.Closer. What is left is read by who reads the answers.
func (b *pipeBody) Close() error {
	if !b.mu.TryLock() {
		b.c.end(errUnwanted) // somebody reads, and may do so for long
		b.mu.Lock()
	}
	defer b.mu.Unlock()
	b.closed = true
	b.pass()
	return nil
}

// expire ends a body whose request is over: it is drained, unless somebody reads it.
func (b *pipeBody) expire() {
	b.c.mu.Lock() // else unctx may not be there yet
	why := contextError(b.r.ctx)
	b.c.mu.Unlock()
	if !b.mu.TryLock() {
		b.c.end(why) // as in Close
		b.mu.Lock()
	}
	defer b.mu.Unlock()
	if b.why == nil {
		b.why = why
	}
	b.pass()
}

// hold keeps the pipeline from the collector until the body was read.
func (b *pipeBody) hold(l *Pipeline) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.isOver {
		b.held = l
	}
}

// response is what net/http makes of an answer.
func response(method string, a *http1.Answer, b *pipeBody) *http.Response {
	resp := &http.Response{
		Status: strconv.Itoa(a.Status) + " " + a.Reason, StatusCode: a.Status,
		Proto: "HTTP/1." + strconv.Itoa(a.Minor), ProtoMajor: 1, ProtoMinor: a.Minor,
		Header: a.Header, ContentLength: a.Length, Close: a.Close, Body: b,
	}
	switch {
	case a.Chunked:
		resp.TransferEncoding = []string{"chunked"}
		resp.Trailer = http.Header{}
	case a.Length == 0:
		resp.Body = http.NoBody
		if method == http.MethodHead {
			resp.ContentLength = a.Announced
		}
	}
	delete(resp.Header, "Transfer-Encoding")
	return resp
}
