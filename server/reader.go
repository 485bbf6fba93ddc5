package server

import (
	"errors"
	"io"
	"net/http"
	"runtime"
	"time"
)

// errStopped ends the reader without a word: the connection is closed, or a handler takes it over.
var errStopped = errors.New("server: the connection is read no more")

// read is the reader's role: it takes request after request off the connection and runs them. It
// returns when the role has passed on or ends.
func (c *conn) read() {
	defer c.leave()
	for first := true; ; first = false {
		// Few and small frames stand on the stack of who waits here: the runtime then halves it.
		if len(c.in.pending()) == 0 {
			c.in.release()
			if err := c.awaitBytes(); err != nil {
				c.endReading(err)
				return
			}
		}
		if first {
			growStack()
		}
		ex, err := c.next()
		if err != nil {
			c.endReading(err)
			return
		}
		if ex.body == nil && ex.mayHandOver() {
			ex.handOver()
		}
		ex.run()
		if ex.handedOver {
			return
		}
		if !c.mayReadOn(ex) {
			c.endReading(errStopped)
			return
		}
	}
}

// growStack has a new goroutine's stack made big enough for a request while there is little on it to
// be copied: grown step by step in the depth of a handler it costs a tenth of the whole request.
//
//go:noinline
func growStack() {
	var room [5 << 10]byte
	runtime.KeepAlive(&room)
}

// watchOnly is the reader's role behind the last request, where nothing else tells of an end.
func (c *conn) watchOnly() {
	defer c.leave()
	err := errStopped
	if c.setReadDeadline(time.Time{}) && len(c.in.pending()) == 0 {
		if e := c.in.fill(); e == io.EOF {
			err = e
		}
	}
	c.endReading(err)
}

// mayReadOn is asked when a handler has returned that had the reader's role.
func (c *conn) mayReadOn(ex *exchange) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.state == Open && !c.hijacked && !ex.closeAfter && ex.body.whole()
}

// next takes the request that the input begins with, once its head is whole and it is admitted.
func (c *conn) next() (*exchange, error) {
	s := newScanner(&c.server.limits, c.server.Relax)
	if err := c.awaitHead(&s); err != nil {
		return nil, err
	}
	return c.begin(&s)
}

// awaitHead waits until the input begins with a whole head that the scan has let through.
func (c *conn) awaitHead(s *scanner) error {
	c.mu.Lock()
	var since time.Time // from when its time counts
	if c.fresh {
		since = c.since // as in net/http: a new connection's whole first head has one time
	}
	c.fresh, c.headBegun = false, true
	for c.pipe.barrier && c.state == Open && !c.hijacking {
		c.changed.Wait() // what is behind an upgrade may be no request
	}
	stopped := c.state != Open || c.hijacking
	c.mu.Unlock()
	if stopped {
		return errStopped
	}
	began := c.firstByte
	c.firstByte = time.Time{}
	for {
		if done, err := s.scan(c.in.pending()); done || err != nil {
			return err
		}
		if began.IsZero() {
			began = time.Now()
		}
		if since.IsZero() {
			since = began
		}
		if !c.setReadDeadline(c.headDeadline(since, began, len(c.in.pending()))) {
			return errStopped
		}
		if err := c.in.fill(); err != nil {
			return c.brokenHead(s, err)
		}
	}
}

// brokenHead says what an end in the middle of a head is answered with, if at all.
func (c *conn) brokenHead(s *scanner, err error) error {
	c.mu.Lock()
	hijacking := c.hijacking
	c.mu.Unlock()
	switch {
	case hijacking:
		return errStopped
	case isTimeout(err):
		return errHeadTimeout
	case err == io.EOF && s.line == len(c.in.pending()) && s.number == 0:
		return err // nothing but an empty line came
	case err == io.EOF:
		return bad("the head is cut short")
	}
	return err
}

// headDeadline is when a head must have got further: the whole of it in its time, and each byte so
// soon that the average rate since the first one is kept.
func (c *conn) headDeadline(since, began time.Time, got int) time.Time {
	t := since.Add(c.server.headTimeout())
	if rate := c.server.limits.HeadRate; rate > 0 {
		t = earlier(t, began.Add(c.server.limits.RateGrace+timeFor(int64(got), rate)))
	}
	return t
}

// timeFor is how long n bytes may take at a rate in bytes per second.
func timeFor(n int64, rate int) time.Duration {
	return time.Duration(float64(n) / float64(rate) * float64(time.Second))
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// awaitBytes waits for the first bytes of a request. The deadline of an earlier wait stays in force
// as long as it is not too late: setting one costs more than to wake once in a while for nothing.
func (c *conn) awaitBytes() error {
	for {
		c.mu.Lock()
		wait := c.server.idleTimeout()
		if c.fresh {
			wait = c.server.headTimeout()
		}
		busy, due, armed := c.pipe.active > 0, c.since.Add(wait), c.armed
		c.mu.Unlock()
		now := time.Now()
		if busy {
			due = now.Add(wait)
		}
		if !due.After(now) {
			return errStopped
		}
		if armed.IsZero() || armed.After(due) || !armed.After(now) {
			armed = due
		}
		if !c.setReadDeadline(armed) {
			return errStopped
		}
		err := c.in.fill()
		if err == nil || !isTimeout(err) {
			return err
		}
	}
}

// begin puts the request that the input begins with into the pipeline, once it is admitted. Until
// then its bytes stay where they are, for a handler that takes the connection over.
func (c *conn) begin(s *scanner) (*exchange, error) {
	req, err := s.parse(c.in.pending())
	if err != nil {
		return nil, err
	}
	ex := newExchange(c, req, s)

	c.mu.Lock()
	for c.state == Open && !c.hijacking && !c.closing && !c.pipe.admits(ex.safe) {
		c.changed.Wait()
	}
	if c.state != Open || c.hijacking || c.closing {
		c.mu.Unlock()
		return nil, errStopped
	}
	c.headBegun = false
	c.requests++
	if c.requests >= c.server.limits.Requests {
		ex.last = true
	}
	c.push(ex)
	if c.pipe.active > 1 {
		c.mu.Unlock()
	} else if !c.connStateLocked(http.StateActive) {
		return nil, errStopped
	}
	c.in.skip(s.size)
	if c.fin.Load() {
		c.checkFin()
	}
	return ex, nil
}

// push gives the turn to an exchange that comes to an empty pipeline. The lock is held.
func (c *conn) push(ex *exchange) {
	c.pipe.push(ex)
	if c.pipe.first == ex && !c.sending {
		c.armWrite(ex)
		ex.turn.Store(true)
	}
}

// endReading gives up the reader's role. A refusal takes its place behind the requests that came
// before it, and is answered in its turn.
func (c *conn) endReading(err error) {
	var answer *exchange
	if r, ok := err.(*refusal); ok {
		answer = refuse(c, r)
	}
	if err == io.EOF {
		c.halfClosed()
	}
	c.mu.Lock()
	c.reading, c.headBegun, c.ended = false, false, true
	if c.hijacking {
		answer = nil
	}
	c.changed.Broadcast()
	if answer != nil && c.state == Open {
		c.push(answer)
	}
	if answer != nil && c.pipe.first == answer {
		c.connStateLocked(http.StateActive)
	} else {
		c.mu.Unlock()
	}
	if answer != nil {
		c.settle(answer)
	}
}

// checkFin looks whether the client's FIN is the next thing to read.
func (c *conn) checkFin() {
	if c.watch.atEnd() {
		c.halfClosed()
	}
}
