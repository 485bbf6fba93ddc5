package testserver

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

// Mock is an HTTP/1.1 server, strict about what it reads, that keeps every
// request as it stood on the wire and answers as told.
type Mock struct {
	*Endpoint
	// OnExpect decides on a request that says "Expect: 100-continue", before its
	// body is read. Nil, or false: the server sends 100 Continue and reads the
	// body. True: the server sends that reply and takes the connection's next
	// bytes for a new request. Set it before the first request.
	OnExpect func(r *Request) (Reply, bool)

	raw *RawServer
}

// NewMock starts a server that answers with what reply returns; reply may run
// on several goroutines at once, and the whole body is read before.
func NewMock(t testing.TB, reply func(r *Request) Reply, options ...Option) *Mock {
	t.Helper()
	m := &Mock{}
	m.raw = Raw(t, func(c *Conn) {
		for m.serve(c, reply) == nil {
		}
	}, options...)
	m.Endpoint = m.raw.Endpoint
	return m
}

// MockReply starts a server whose answers are the given replies in turn, the
// last one again and again; without any it is an empty 200.
func MockReply(t testing.TB, replies ...Reply) *Mock {
	t.Helper()
	return NewMock(t, InTurn(replies...))
}

// InTurn gives the given replies one after the other by the request's number,
// and the last one for ever.
func InTurn(replies ...Reply) func(*Request) Reply {
	return func(r *Request) Reply {
		if len(replies) == 0 {
			return Reply{}
		}
		return replies[min(r.Number, len(replies)-1)]
	}
}

// ByPath gives the reply of the request's path; a key may begin with a method
// and a space. What is not there is 404.
func ByPath(replies map[string]Reply) func(*Request) Reply {
	return func(r *Request) Reply {
		if p, ok := replies[r.Method+" "+r.Path()]; ok {
			return p
		}
		if p, ok := replies[r.Path()]; ok {
			return p
		}
		return Text(http.StatusNotFound, "nothing at "+r.Path())
	}
}

func (m *Mock) serve(c *Conn, reply func(*Request) Reply) error {
	r, err := c.ReadHead()
	if err != nil {
		return err
	}
	if strings.EqualFold(r.Get("Expect"), "100-continue") {
		if m.OnExpect != nil {
			if p, final := m.OnExpect(r); final {
				return p.send(c, r)
			}
		}
		if err := c.Send("HTTP/1.1 100 Continue\r\n\r\n"); err != nil {
			return err
		}
	}
	if err := c.ReadBody(r); err != nil {
		return err
	}
	p := reply(r)
	return p.send(c, r)
}

// Requests are the requests received so far, also those whose body is still on
// its way or broke off.
func (m *Mock) Requests() []*Request { return m.raw.Requests() }

// Request is the one request received; the test fails if there were more or none.
func (m *Mock) Request() *Request { m.raw.t.Helper(); return m.raw.Request() }

// WaitRequests waits until n heads were read, and tells whether that happened
// within d.
func (m *Mock) WaitRequests(n int, d time.Duration) bool { return m.raw.WaitRequests(n, d) }

// StopListening refuses further connections and leaves the open ones alone.
func (m *Mock) StopListening() { m.raw.StopListening() }

// Close ends the server and all connections. The test's end does it too.
func (m *Mock) Close() { m.raw.Close() }
