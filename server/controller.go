package server

import (
	"bufio"
	"errors"
	"net"
	"net/http"
	"time"
)

// The methods in this file are for http.ResponseController and for who asserts the interfaces of
// net/http that came before it.

// EnableFullDuplex lets the handler read the body after it has begun to answer.
func (ex *exchange) EnableFullDuplex() error {
	ex.fullDuplex.Store(true)
	return nil
}

// SetReadDeadline is for reads of the request's body.
func (ex *exchange) SetReadDeadline(t time.Time) error {
	ex.readDeadline.Store(&t)
	c := ex.conn
	c.mu.Lock()
	defer c.mu.Unlock()
	if ex.body != nil && !ex.handedOver && !ex.hijacked {
		c.setReadDeadlineLocked(t)
	}
	return nil
}

// SetWriteDeadline is for writes to the socket. Before the exchange's turn there are none: the
// deadline counts from then on.
func (ex *exchange) SetWriteDeadline(t time.Time) error {
	c := ex.conn
	c.mu.Lock()
	defer c.mu.Unlock()
	ex.writeDeadline = &t
	if !ex.turn.Load() || ex.hijacked {
		return nil
	}
	c.writeArmed = true
	return c.rwc.SetWriteDeadline(t)
}

// CloseNotify gives a channel that gets a value when the client is gone, for old handlers.
func (ex *exchange) CloseNotify() <-chan bool {
	gone := make(chan bool, 1)
	ctx := ex.req.Context()
	go func() {
		<-ctx.Done()
		if !ex.done.Load() {
			gone <- true
		}
	}()
	return gone
}

var errRunAhead = errors.New("server: requests behind this one are at work already")

// Hijack gives the socket to the handler, with the bytes that have been read of it and not been used.
// It waits for the exchange's turn. It fails if requests behind this one are at work already, which
// they never are behind one with Upgrade or CONNECT.
func (ex *exchange) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	switch {
	case ex.hijacked:
		return nil, nil, http.ErrHijacked
	case ex.done.Load():
		return nil, nil, errReturned
	case !ex.hasTurn():
		return nil, nil, net.ErrClosed
	}
	if ex.wrote {
		if err := ex.FlushError(); err != nil {
			return nil, nil, err
		}
	}
	ex.stopContinue()
	c := ex.conn
	if err := c.giveUp(ex); err != nil {
		return nil, nil, err
	}
	c.watch.remove()
	c.server.forget(c) // Shutdown does not wait for what is the handler's
	_ = c.rwc.SetDeadline(time.Time{})
	c.connState(http.StateHijacked)
	if ex.body != nil {
		ex.body.end()
	}
	pending := c.in.pending()
	r := bufio.NewReaderSize(&prefixed{pending, c.rwc}, max(inputSize, len(pending)))
	_, _ = r.Peek(len(pending)) // they are there, so that Buffered tells of them
	c.in.buf = nil
	return c.rwc, bufio.NewReadWriter(r, bufio.NewWriter(c.rwc)), nil
}

// giveUp takes the connection from the server for an exchange: the reader is called back first.
func (c *conn) giveUp(ex *exchange) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.state != Open {
		return net.ErrClosed
	}
	if c.pipe.last != ex {
		return errRunAhead
	}
	c.hijacking = true
	if ex.handedOver {
		_ = c.rwc.SetReadDeadline(time.Unix(1, 0))
		c.changed.Broadcast()
		for c.reading && c.state == Open {
			c.changed.Wait()
		}
		if c.state != Open {
			return net.ErrClosed
		}
	}
	c.hijacked, ex.hijacked = true, true
	c.pipe.pop()
	return nil
}

// prefixed reads what was read already, and then on.
type prefixed struct {
	prefix []byte
	net.Conn
}

func (p *prefixed) Read(b []byte) (int, error) {
	if len(p.prefix) == 0 {
		return p.Conn.Read(b)
	}
	n := copy(b, p.prefix)
	p.prefix = p.prefix[n:]
	return n, nil
}
