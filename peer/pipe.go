package peer

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/ratmom/ratmom/internal/failure"
	"github.com/ratmom/ratmom/internal/http1"
)

// pipe is a pipeline's connection. One goroutine writes to it, so that what is asked for at once leaves
// at once; another reads the answers in order. A request has a place from its beginning to the end of its answer.
type pipe struct {
	peer   *Peer
	id     uint64
	addr   string // of the endpoint; empty: libcurl has looked it up
	born   time.Time
	conn   net.Conn
	in     http1.Buffered // the reading goroutine's, or of who reads the body
	limits http1.Limits
	places chan struct{}
	over   chan struct{} // closed when err is there
	wake   chan struct{} // of the writer
	text   []byte        // the writer's

	mu      sync.Mutex
	waiting map[*piped]struct{} // for a place
	queue   []*piped            // not written
	sent    []*piped            // the first is the next to be answered
	served  int                 // written by the reader alone
	err     error
	hurry   *time.Timer // runs while what is in the way of others is wanted by nobody; nil: it does not
}

const (
	// maxDrain is how much of a body that nobody wants is read for the connection to go on, in
	// bytes, and drainTime how long that may take from its head on. As long may answers of cancelled
	// requests take, all that are in one another's way together.
	maxDrain  = 64 << 10
	drainTime = 2 * time.Second
)

var (
	errUnasked   = failure.New(failure.Protocol, "something came that was not asked for")
	errLast      = failure.New(failure.ConnectionClosed, "the server ends the connection")
	errUnwanted  = failure.New(failure.ConnectionClosed, "nobody waits for what is on its way")
	errMuchAhead = failure.New(failure.ConnectionClosed, "too much of a body that nobody reads is in the way")
	errSlowAhead = failure.New(failure.ConnectionClosed, "the answer of a cancelled request is in the way for too long")
)

// newPipe makes a pipeline of a connection; run begins it.
func newPipe(p *Peer, conn net.Conn, depth, maxHead int) *pipe {
	return &pipe{
		peer: p, conn: conn, in: http1.Buffered{Reader: bufio.NewReaderSize(conn, maxAnswerLine)},
		limits: http1.Limits{Bytes: maxHead, Lines: maxAnswerFields},
		places: make(chan struct{}, depth), over: make(chan struct{}),
		wake: make(chan struct{}, 1), waiting: make(map[*piped]struct{}), born: time.Now(),
	}
}

func (c *pipe) run() {
	go c.write()
	go c.read()
}

// roundTrip sends a request and waits for its head.
func (c *pipe) roundTrip(r *piped) (*http.Response, error) {
	select {
	case <-c.over: // rather than a place
		return nil, c.unsent()
	default:
	}
	if err := c.place(r); err != nil {
		return nil, err
	}
	c.mu.Lock()
	if c.err != nil {
		c.mu.Unlock()
		<-c.places
		return nil, c.unsent()
	}
	c.queue = append(c.queue, r)
	c.mu.Unlock()
	select {
	case c.wake <- struct{}{}:
	default:
	}
	select {
	case a := <-r.done:
		return a.resp, a.err
	case <-r.ctx.Done():
		c.cancel(r)
		return nil, contextError(r.ctx)
	}
}

// place waits until there is room for a request.
func (c *pipe) place(r *piped) error {
	select {
	case c.places <- struct{}{}:
		return nil
	default:
	}
	c.mu.Lock()
	c.waiting[r] = struct{}{}
	c.mu.Unlock()
	defer func() {
		c.mu.Lock()
		delete(c.waiting, r)
		c.mu.Unlock()
	}()
	select {
	case c.places <- struct{}{}:
		return nil
	case <-c.over:
		return c.unsent()
	case <-r.ctx.Done():
		return contextError(r.ctx)
	}
}

// unsent is the error for what comes too late. over is closed.
func (c *pipe) unsent() error { return &UnansweredError{Err: c.err} }

// write sends what is queued.
func (c *pipe) write() {
	for {
		select {
		case <-c.wake:
		case <-c.over:
			return
		}
		c.mu.Lock()
		c.text = c.text[:0]
		for _, r := range c.queue {
			r.state = pipedSent
			c.text = append(c.text, r.text...)
			r.text = nil
		}
		c.sent = append(c.sent, c.queue...)
		c.queue = nil
		c.mu.Unlock()
		if len(c.text) == 0 {
			continue
		}
		if _, err := c.conn.Write(c.text); err != nil {
			c.end(ended(err))
			return
		}
	}
}

// read takes the answers up.
func (c *pipe) read() {
	for {
		if len(c.in.Pending()) == 0 {
			if err := c.in.Fill(); err != nil {
				c.end(ended(err))
				return
			}
		}
		r := c.next()
		if r == nil {
			c.end(errUnasked)
			return
		}
		a, err := http1.ReadAnswer(c.in, r.method, c.limits)
		if err != nil {
			c.spoil(r, err)
			return
		}
		if a.Status == http.StatusRequestTimeout && a.Close && c.served > 0 {
			c.end(errUnheard) // it was on its way before the request was
			return
		}
		if err := c.answer(r, a); err != nil {
			c.end(err)
			return
		}
		c.mu.Lock()
		c.served++
		c.mu.Unlock()
		if a.Close {
			c.end(errLast)
			return
		}
	}
}

// next is whose answer comes next.
func (c *pipe) next() *piped {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.sent) == 0 {
		return nil
	}
	return c.sent[0]
}

// spoil ends the pipeline because of an answer that is none.
func (c *pipe) spoil(r *piped, err error) {
	if err == io.EOF {
		c.end(ended(err)) // nothing of it has come
		return
	}
	var m *http1.Malformed
	if errors.As(err, &m) {
		err = failure.Wrap(failure.Protocol, err)
	} else {
		err = ended(err)
	}
	c.mu.Lock()
	if c.err == nil && r.state == pipedSent {
		r.state = pipedOver
		r.done <- answered{err: err}
	}
	c.mu.Unlock()
	c.end(err)
}

// answer hands an answer over, and returns when the next one can be read. The error is why there
// can be none.
func (c *pipe) answer(r *piped, a *http1.Answer) error {
	body := a.Body(c.in, c.limits)
	var content []byte
	if n := a.Length; n > 0 && n <= int64(len(c.in.Pending())) {
		content = slices.Clone(c.in.Pending()[:n]) // it is all there: nobody has to wait for its reader
		c.in.Skip(int(n))
	}
	whole := a.Length == 0 || content != nil
	b := &pipeBody{c: c, r: r, body: body, content: content, whole: whole, passed: make(chan struct{})}
	resp := response(r.method, a, b) //nolint:bodyclose // the caller's
	b.trailer = resp.Trailer
	c.mu.Lock()
	if c.err != nil {
		c.mu.Unlock()
		return c.err
	}
	wanted := !r.cancelled
	if whole {
		c.remove(r)
	} else {
		r.state = pipedAnswering
	}
	if wanted {
		if !whole {
			b.unctx = context.AfterFunc(r.ctx, b.expire)
		}
		r.done <- answered{resp: resp}
	}
	c.mu.Unlock()
	if whole {
		return nil
	}
	if wanted {
		select {
		case <-b.passed:
		case <-c.over:
			return c.err
		}
	}
	if !body.Over() {
		if err := c.drain(body); err != nil {
			return err
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.remove(r)
	return nil
}

// remove ends a request whose answer has come, or is not wanted and was not sent. mu is held.
func (c *pipe) remove(r *piped) {
	r.state = pipedOver
	same := func(o *piped) bool { return o == r }
	c.sent = slices.DeleteFunc(c.sent, same)
	c.queue = slices.DeleteFunc(c.queue, same)
	if !r.freed {
		r.freed = true
		<-c.places
	}
	c.await()
}

// await sees to it that nobody waits long for the answers of those who wait no more: the
// connection ends unless they are out of the way soon. mu is held.
func (c *pipe) await() {
	ahead := c.err == nil && len(c.sent) > 0 && c.sent[0].cancelled
	switch {
	case !ahead && c.hurry != nil:
		c.hurry.Stop()
		c.hurry = nil
	case ahead && c.hurry == nil:
		var t *time.Timer
		t = time.AfterFunc(drainTime, func() {
			c.mu.Lock()
			late := c.hurry == t // else it was stopped too late
			c.mu.Unlock()
			if late {
				c.end(errSlowAhead)
			}
		})
		c.hurry = t
	}
}

// drain reads a body that nobody wants to its end, if that is near.
func (c *pipe) drain(body *http1.Body) error {
	if body.Left() > maxDrain {
		return errMuchAhead
	}
	_ = c.conn.SetReadDeadline(time.Now().Add(drainTime))
	n, err := io.Copy(io.Discard, io.LimitReader(body, maxDrain+1))
	if err != nil {
		return ended(err)
	}
	if n > maxDrain {
		return errMuchAhead
	}
	return c.conn.SetReadDeadline(time.Time{})
}

// cancel ends a request that nobody waits for any more.
func (c *pipe) cancel(r *piped) {
	c.mu.Lock()
	r.cancelled = true
	unwanted := false
	switch r.state {
	case pipedQueued:
		c.remove(r)
	case pipedSent:
		unwanted = len(c.queue) == 0 && !slices.ContainsFunc(c.sent, func(o *piped) bool { return !o.cancelled })
	case pipedAnswering, pipedOver:
		select {
		case a := <-r.done: // it has crossed
			if a.resp != nil {
				defer func() { _ = a.resp.Body.Close() }()
			}
		default:
		}
	}
	c.await()
	c.mu.Unlock()
	if unwanted {
		c.end(errUnwanted)
	}
}

// end ends the connection, once, and what is on its way.
func (c *pipe) end(err error) {
	c.mu.Lock()
	if c.err != nil {
		c.mu.Unlock()
		return
	}
	c.err = err
	close(c.over)
	sent, queue := c.sent, c.queue
	c.sent, c.queue = nil, nil
	c.await()
	for _, r := range sent {
		if r.state == pipedSent {
			r.done <- answered{err: &UnansweredError{Sent: true, Err: err}}
		}
	}
	for _, r := range queue {
		r.done <- answered{err: &UnansweredError{Err: err}}
	}
	c.mu.Unlock()
	_ = c.conn.Close()
	c.peer.mu.Lock()
	delete(c.peer.pipes, c)
	c.peer.unlock()
}

// ended turns the end of a connection into an error.
func ended(err error) error {
	var m *http1.Malformed
	switch {
	case err == io.EOF:
		return errLast
	case errors.As(err, &m):
		return failure.Wrap(failure.Protocol, err)
	}
	return failure.Wrap(failure.ConnectionClosed, err)
}
