package server

import (
	"net"
	"net/http"
	"sync"
)

// output is what of an answer has not been sent yet.
type output struct {
	wire []byte // as it goes out
	body []byte // of which nobody knows yet whether it is all

	header http.Header // room for a snapshot of the handler's
}

const (
	wireSize = 4 << 10
	bodySize = 2 << 10 // as net/http: up to that much gets a Content-Length by itself
)

var outputPool = sync.Pool{New: func() any {
	return &output{wire: make([]byte, 0, wireSize), body: make([]byte, 0, bodySize), header: make(http.Header)}
}}

func takeOutput() *output { return outputPool.Get().(*output) }

func (o *output) release() {
	if cap(o.wire) <= 4*wireSize {
		o.wire, o.body = o.wire[:0], o.body[:0]
		clear(o.header)
		outputPool.Put(o)
	}
}

// put takes a part of the answer as it is to go out. Small parts are gathered; before its turn an
// exchange may gather a bound, and then it waits.
func (ex *exchange) put(p []byte) error {
	o := ex.out
	most := ex.conn.server.limits.PipelineBuffer
	if ex.turn.Load() {
		most = wireSize
		ex.dropAhead()
	}
	if len(o.wire)+len(p) <= most {
		o.wire = append(o.wire, p...)
		return nil
	}
	if !ex.hasTurn() {
		return net.ErrClosed
	}
	ex.dropAhead()
	if len(p) < wireSize {
		err := ex.send(o.wire)
		o.wire = append(o.wire[:0], p...)
		return err
	}
	err := ex.conn.writeBoth(o.wire, p)
	o.wire = o.wire[:0]
	return ex.sent(err)
}

// flush sends what is gathered; before the turn it stays where it is, and leaves with the torch.
func (ex *exchange) flush() error {
	if !ex.turn.Load() && ex.flushLater() {
		return nil
	}
	ex.dropAhead()
	if len(ex.out.wire) == 0 {
		return nil
	}
	err := ex.send(ex.out.wire)
	ex.out.wire = ex.out.wire[:0]
	return err
}

// flushLater is false if it has become the exchange's turn.
func (ex *exchange) flushLater() bool {
	c := ex.conn
	c.mu.Lock()
	defer c.mu.Unlock()
	if ex.turn.Load() {
		return false
	}
	ex.flushed = ex.out.wire // more is only added behind it
	return true
}

// dropAhead takes off what left with the torch. Its caller has seen that the turn has come.
func (ex *exchange) dropAhead() {
	if ex.ahead > 0 {
		ex.out.wire = ex.out.wire[:copy(ex.out.wire, ex.out.wire[ex.ahead:])]
		ex.ahead = 0
	}
}

func (ex *exchange) send(p []byte) error {
	_, err := ex.conn.write(p)
	return ex.sent(err)
}

// sent ends the connection with the first write that fails.
func (ex *exchange) sent(err error) error {
	if err != nil {
		ex.closeAfter = true
		ex.conn.abort()
	}
	return err
}
