package peer

import (
	"errors"
	"io"
	"net/http"
	"net/netip"
	"strconv"
	"sync"

	"github.com/ratmom/ratmom/handler"
	"github.com/ratmom/ratmom/retry"
)

// Result is a whole response.
type Result struct {
	Status int
	// Proto is "HTTP/1.1" or "HTTP/2.0".
	Proto   string
	Header  http.Header
	Trailer http.Header
	// Head is the part of the memory of [Into] that the raw head is in; nil without.
	Head []byte
	// Content is the body as it came: undecoded.
	Content []byte
	// Parts are what Content would be of, with [KeepParts].
	Parts [][]byte
	// Truncated tells that there was more content than could be held.
	Truncated bool
	// RemoteAddr is the other end of the connection.
	RemoteAddr netip.AddrPort
	// Reused tells that the connection was there before.
	Reused bool
	// Attempts are the tries that did not become this response; nil if it was the first.
	Attempts []retry.Attempt
}

// StatusError is the end of a request whose response has a status that is not 2xx. The
// response is in it.
type StatusError struct {
	Result *Result
	URL    string
}

// Error names the status.
func (e *StatusError) Error() string {
	return e.URL + ": the peer answered with status " + strconv.Itoa(e.Result.Status)
}

// collector takes a response up in the caller's memory or in its own. One goroutine at a time holds
// collecting; err and result are there once the call is over.
type collector struct {
	collecting sync.Mutex
	started    bool // there is a response; under mu, too
	*gathered       // nil before there is one, and after it has come to a good end
	result     *Result
	err        error
}

// gathered is a response as far as it was taken up.
type gathered struct {
	reply handler.Reply // most responses are here
	body  io.ReadCloser
	flow  flow // nil: reading does not wait
	resp  *http.Response
	buf   []byte
	parts [][]byte
	got   int64
	raw   []byte
	cut   bool
}

// flow is a body as it comes; see [body.Stream].
type flow interface {
	Ready() bool
	TakeWhole() ([]byte, bool)
}

// gatherings is memory of responses whose end has been taken up: what a Result has of them is its own.
var gatherings = sync.Pool{New: func() any { return new(gathered) }}

// partSize is the memory that is asked for at once when the length of a content is not known,
// in bytes.
const partSize = 16 << 10

// collect takes what is there; the call is over when that was all. collecting is held.
func (c *call) collect() {
	c.mu.Lock()
	if c.over && !c.late {
		c.mu.Unlock()
		return
	}
	h := c.h
	c.mu.Unlock()
	if !c.started {
		if err := c.take(h); err != nil {
			c.fail(err)
			return
		}
		if c.takeWhole() {
			c.complete()
			return
		}
	}
	for {
		c.mu.Lock()
		gone, whole := c.over && !c.late, c.allCame
		c.mu.Unlock()
		if gone {
			_ = c.body.Close()
			return
		}
		if c.flow != nil && !whole && !c.flow.Ready() {
			return
		}
		n, err := c.read()
		if n > 0 && c.opt.progress != nil {
			c.tell()
		}
		switch {
		case err == nil:
		case errors.Is(err, io.EOF):
			c.complete()
			return
		default:
			c.fail(err)
			return
		}
	}
}

// tell calls OnProgress's function.
func (c *call) tell() {
	c.mu.Lock()
	c.calling = true
	c.mu.Unlock()
	c.opt.progress(c.got, c.resp.ContentLength)
	c.mu.Lock()
	c.calling = false
	c.mu.Unlock()
}

// take makes the response.
func (c *call) take(h *handler.Handler) error {
	g := gatherings.Get().(*gathered)
	if c.opt.head != nil {
		n := h.CopyHead(c.opt.head)
		g.raw = c.opt.head[:min(n, len(c.opt.head))]
	}
	if err := h.Fill(&g.reply); err != nil {
		return err // it may be referred to
	}
	g.resp = &g.reply.HTTP
	g.body = g.resp.Body
	g.flow, _ = g.body.(flow)
	c.gathered = g
	c.mu.Lock()
	c.started = true
	c.mu.Unlock()
	c.peer.learn(g.resp)
	return nil
}

// takeWhole takes a small content where it is, if it is all there and nobody wants it elsewhere.
func (c *call) takeWhole() bool {
	if c.flow == nil || c.opt.into || c.opt.keepParts || c.opt.progress != nil || c.opt.maxContent < handler.SmallBody {
		return false
	}
	p, ok := c.flow.TakeWhole()
	c.buf = p
	return ok
}

// read reads once.
func (c *call) read() (int, error) {
	room := c.room()
	if len(room) == 0 { // is there more?
		var one [512]byte
		n, err := c.body.Read(one[:])
		if n == 0 {
			return 0, err
		}
		if !c.opt.truncate {
			return 0, ErrOverrun
		}
		c.cut = true
		_ = c.body.Close() // what is little is drained
		return 0, io.EOF
	}
	n, err := c.body.Read(room)
	c.got += int64(n)
	if c.opt.keepParts {
		c.parts = append(c.parts, room[:n:n])
	} else {
		c.buf = c.buf[:len(c.buf)+n]
	}
	return n, err
}

// room is memory for what comes next; empty when there may be no more.
func (c *call) room() []byte {
	if c.opt.into {
		if c.buf == nil {
			c.buf = c.opt.content[:0]
		}
		if c.opt.keepParts {
			return c.opt.content[c.got:]
		}
		return c.buf[len(c.buf):len(c.opt.content)]
	}
	left := c.opt.maxContent - c.got
	if c.opt.keepParts {
		return make([]byte, min(left, partSize))
	}
	if c.buf == nil {
		// What the server announces is believed as far as it is little; one more finds the end.
		size := int64(512)
		if n := c.resp.ContentLength; n >= 0 {
			size = min(n, 256<<10) + 1
		}
		c.buf = make([]byte, 0, min(size, c.opt.maxContent))
	}
	if len(c.buf) == cap(c.buf) && left > 0 {
		c.buf = append(c.buf, 0)[:len(c.buf)]
	}
	room := c.buf[len(c.buf):cap(c.buf)]
	return room[:min(int64(len(room)), left)]
}

// complete makes the result.
func (c *call) complete() {
	r := &Result{
		Status: c.resp.StatusCode, Proto: c.resp.Proto, Header: c.resp.Header, Trailer: c.resp.Trailer,
		Head: c.raw, Content: c.buf, Parts: c.parts, Truncated: c.cut,
		RemoteAddr: c.h.RemoteAddr(), Reused: c.h.Reused(),
		Attempts: c.tag.failed,
	}
	g := c.gathered
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.over && !c.late {
		return
	}
	if c.gathered = nil; !g.cut { // else the end of the body has not been seen
		*g = gathered{}
		gatherings.Put(g)
	}
	c.result = r
	if r.Status/100 != 2 && !c.opt.anyStatus {
		c.err = &StatusError{Result: r, URL: c.peer.id.String()}
	}
	if c.late {
		c.late = false
		return
	}
	c.over = true
	c.tellDone(c.peer.m)
}

// fail ends the call with an error while its transfer may still run.
func (c *call) fail(err error) {
	c.mu.Lock()
	over := c.over && !c.late
	if !over && c.late {
		c.late, c.err = false, at(err, c.origin)
	} else if !over {
		c.settle(err)
	}
	c.mu.Unlock()
	if c.gathered != nil {
		_ = c.body.Close()
	}
	if !over {
		c.peer.cancel(c, err)
	}
}

// outcome is what the call came to, once done is closed.
func (c *call) outcome() (*Result, error) {
	c.collecting.Lock()
	defer c.collecting.Unlock()
	c.mu.Lock()
	late := c.late
	c.mu.Unlock()
	if late {
		c.collect()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.result, c.err
}
