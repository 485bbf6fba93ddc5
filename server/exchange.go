package server

import (
	"context"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// exchange is a request and its answer on a connection: the http.ResponseWriter of its handler.
type exchange struct {
	conn   *conn
	next   *exchange // in the pipeline
	req    *http.Request
	body   *body // nil if there is none
	cancel context.CancelFunc
	began  time.Time // set if ReadTimeout counts from it

	safe, last bool // others may be at work beside it; no request follows
	more       bool // bytes behind this request were here when the role was handed over
	handedOver bool // the reader's role has passed on
	finished   bool // the answer is complete; the connection's lock guards it

	flushed []byte // of the output, before the turn; the connection's lock guards it
	ahead   int    // how much of that left with the torch; who passes it sets it before turn

	turn       atomic.Bool // it may write to the socket
	done       atomic.Bool // the handler has returned
	hijacked   bool
	fullDuplex atomic.Bool

	readDeadline  atomic.Pointer[time.Time] // the handler's
	writeDeadline *time.Time                // the handler's; the connection's lock guards it

	asking      sync.Mutex // guards mayContinue
	mayContinue bool       // the client waits for 100

	response
}

func newExchange(c *conn, req *http.Request, s *scanner) *exchange {
	// Behind an upgrade the bytes may be of another protocol.
	upgrade := s.upgrade || req.Method == http.MethodConnect
	ex := &exchange{conn: c, safe: safe(req.Method) && !upgrade}
	if c.server.ReadTimeout > 0 {
		ex.began = time.Now()
	}
	ex.last = s.close || s.minor == 0 && !s.keepAlive
	ex.keepAlive10 = s.minor == 0 && s.keepAlive && !s.close
	ex.http10, ex.head = s.minor == 0, req.Method == http.MethodHead
	ex.length = -1
	ctx, cancel := context.WithCancel(c.ctx)
	ex.cancel = cancel
	req.RemoteAddr, req.TLS = c.remote, c.tls
	if s.hasBody() {
		ex.body = newBody(ex, &s.head)
		req.Body = ex.body
		ex.mayContinue = s.expect
	}
	ex.req = req.WithContext(ctx)
	ex.out = takeOutput()
	return ex
}

// refuse makes the exchange whose answer is a refusal.
func refuse(c *conn, r *refusal) *exchange {
	ex := &exchange{conn: c, safe: true, cancel: func() {}}
	ex.out = takeOutput()
	ex.out.wire = r.append(ex.out.wire)
	ex.closeAfter, ex.linger = true, true
	ex.done.Store(true)
	return ex
}

// mayHandOver reports whether somebody should read on while the handler runs: since requests may
// run ahead, or since only a read would tell that the client is gone.
func (ex *exchange) mayHandOver() bool {
	c := ex.conn
	if ex.handedOver || ex.done.Load() {
		return false
	}
	return !c.watched || c.pipe.ahead > 0 && ex.safe && !ex.last && !ex.closeAfter
}

func (ex *exchange) handOver() {
	c := ex.conn
	more := len(c.in.pending()) > 0
	c.mu.Lock()
	ex.handedOver, ex.more = true, more // who reads the body need not be the handler's goroutine
	c.goroutines++
	c.mu.Unlock()
	if ex.last {
		go c.watchOnly()
	} else {
		go c.read()
	}
}

// run runs the handler, completes the answer and passes the torch.
func (ex *exchange) run() {
	returned := false
	defer func() {
		if returned {
			return
		}
		// A panic, or runtime.Goexit.
		if v := recover(); v != nil {
			ex.conn.server.logPanic("serving "+ex.conn.remote, v)
		}
		ex.end(false)
	}()
	ex.conn.server.handle(ex, ex.req)
	returned = true
	ex.end(true)
}

// end completes the answer, or cuts it short, after the handler.
func (ex *exchange) end(returned bool) {
	ex.done.Store(true)
	ex.cancel()
	ex.forgoContinue()
	if ex.body != nil {
		ex.body.interrupt()
	}
	if ex.hijacked {
		ex.out.release()
		return
	}
	if returned {
		ex.complete()
	} else {
		// What the handler has sent stays sent, and the end that is missing shows the failure.
		ex.closeAfter = true
	}
	if ex.body != nil {
		if !ex.closeAfter {
			if whole, _ := ex.body.drain(); !whole {
				ex.closeAfter, ex.linger = true, true
			}
		}
		ex.body.end()
	}
	if ex.req.MultipartForm != nil {
		_ = ex.req.MultipartForm.RemoveAll()
	}
	ex.conn.settle(ex)
}

// hasTurn waits until the exchange may write to the socket; false if the connection is closed.
func (ex *exchange) hasTurn() bool {
	if ex.turn.Load() {
		return true
	}
	c := ex.conn
	c.mu.Lock()
	defer c.mu.Unlock()
	for !ex.turn.Load() && c.state == Open {
		c.changed.Wait()
	}
	return c.state == Open
}

// sendContinue answers Expect: 100-continue, when the body is wanted and no answer has begun.
func (ex *exchange) sendContinue() {
	ex.asking.Lock()
	defer ex.asking.Unlock()
	if !ex.mayContinue {
		return
	}
	ex.mayContinue = false
	if ex.hasTurn() {
		if _, err := ex.conn.write([]byte("HTTP/1.1 100 Continue\r\n\r\n")); err != nil {
			ex.conn.abort()
		}
	}
}

// forgoContinue is called when a final answer begins or the handler has returned. A client that was not
// asked for its body may send it or not: where its next request begins is in doubt.
func (ex *exchange) forgoContinue() {
	if ex.stopContinue() {
		ex.closeAfter, ex.linger = true, true
	}
}

// stopContinue reports whether the client still waits for a 100, which it will not get.
func (ex *exchange) stopContinue() bool {
	ex.asking.Lock()
	defer ex.asking.Unlock()
	waits := ex.mayContinue
	ex.mayContinue = false
	return waits
}
