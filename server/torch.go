package server

import (
	"net/http"
	"runtime"
	"time"
)

// settle is called when an exchange has its whole answer. It sends what may be sent now, in order,
// and then passes the torch to the next exchange, or closes. Nothing else decides that.
func (c *conn) settle(ex *exchange) {
	c.mu.Lock()
	ex.finished = true
	if c.pipe.first != ex || c.sending {
		// Who is before it sends its answer along.
		c.mu.Unlock()
		return
	}
	c.sending = true
	for c.state == Open {
		out, last := c.collect()
		c.mu.Unlock()
		if len(out.wire) > 0 {
			if _, err := c.write(out.wire); err != nil {
				c.abort()
			}
		}
		out.release()
		if last.closeAfter {
			// Not if somebody else reads: who closes beside a reader has no unread bytes.
			c.mu.Lock()
			linger := c.state == Open && (!c.reading || last == ex && !ex.handedOver)
			c.mu.Unlock()
			if linger && (last.linger || c.watch.unread()) {
				c.linger()
			}
			c.close(false)
			c.mu.Lock()
			break
		}
		c.mu.Lock()
		c.changed.Broadcast() // there is room in the pipeline
		c.sendFlushed(c.pipe.first)
		if next := c.pipe.first; next == nil || !next.finished {
			break
		}
	}
	c.sending = false
	if c.state != Open {
		c.changed.Broadcast()
		c.mu.Unlock()
		return
	}
	if next := c.pipe.first; next != nil {
		c.armWrite(next)
		next.turn.Store(true)
		c.changed.Broadcast()
		c.mu.Unlock()
		return
	}
	c.since = time.Now()
	// Who asked for no more of these connections may have found this one busy.
	unwanted := !c.server.keepsAlive() && !c.headBegun && (ex.handedOver || len(c.in.pending()) == 0)
	if c.ended || unwanted {
		c.mu.Unlock()
		c.close(false)
		return
	}
	c.connStateLocked(http.StateIdle)
}

// sendFlushed sends what an exchange has flushed already that is to get its turn: its handler may wait
// for what the client makes of it. The lock is held, but not meanwhile.
func (c *conn) sendFlushed(next *exchange) {
	for c.state == Open && next != nil && len(next.flushed) > next.ahead {
		part := next.flushed[next.ahead:]
		c.armWrite(next)
		c.mu.Unlock()
		if _, err := c.write(part); err != nil {
			c.abort()
		}
		c.mu.Lock()
		next.ahead += len(part)
	}
}

// collect takes the finished exchanges off the front, and gives their answers in one piece, and the
// last of them. The lock is held.
func (c *conn) collect() (out *output, last *exchange) {
	yielded := false
	for {
		for f := c.pipe.first; f != nil && f.finished; f = c.pipe.first {
			f.dropAhead()
			if out == nil {
				out = f.out
			} else {
				out.wire = append(out.wire, f.out.wire...)
				f.out.release()
			}
			f.out = nil
			last = f
			c.pipe.pop()
			c.closing = f.closeAfter
			if f.closeAfter || len(out.wire) > c.server.limits.PipelineBuffer {
				return out, last
			}
		}
		if yielded || !last.more {
			break
		}
		// More requests came with this one. If their handlers are quick, their answers can
		// leave in the same write.
		yielded = true
		c.mu.Unlock()
		runtime.Gosched()
		c.mu.Lock()
	}
	if c.writeArmed && !last.turn.Load() {
		c.armWrite(last)
	}
	return out, last
}
