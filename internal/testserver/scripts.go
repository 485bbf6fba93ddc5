package testserver

import (
	"fmt"
	"strings"
)

// OK is a whole response with a body, good for any [Script].
func OK(body string) string {
	return fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
}

// Answer reads requests, each whole, and answers every one with raw bytes.
func Answer(raw string) Script {
	return func(c *Conn) {
		for {
			if _, err := c.ReadRequest(); err != nil {
				return
			}
			if c.Send(raw) != nil {
				return
			}
		}
	}
}

// AnswerAndClose reads one request, answers with raw bytes and closes.
func AnswerAndClose(raw string) Script { return after(raw, func(*Conn) {}) }

// AnswerAndReset reads one request, answers with raw bytes, waits until the
// client says received (nil: does not wait), and resets the connection. A reset
// throws away what the client's system has not handed over yet, hence the wait.
func AnswerAndReset(raw string, received <-chan struct{}) Script {
	return after(raw, func(c *Conn) {
		if received == nil || c.WaitFor(received) == nil {
			c.Reset()
		}
	})
}

// AnswerAndHang reads one request, answers with raw bytes and then neither says
// nor closes anything until the client has closed.
func AnswerAndHang(raw string) Script { return after(raw, (*Conn).UntilClosed) }

func after(raw string, then Script) Script {
	return func(c *Conn) {
		if _, err := c.ReadRequest(); err == nil && c.Send(raw) == nil {
			then(c)
		}
	}
}

// PerConnection gives the first connection the first script and so on, and the
// last script to all that follow.
func PerConnection(scripts ...Script) Script {
	return func(c *Conn) { scripts[min(c.Number, len(scripts)-1)](c) }
}

// Silent accepts, reads what comes and never answers.
func Silent() Script { return (*Conn).UntilClosed }

// CloseAtOnce closes every connection before a byte was read.
func CloseAtOnce() Script { return func(*Conn) {} }

// CloseUnanswered reads a request and closes without an answer.
func CloseUnanswered() Script { return AnswerAndClose("") }

// ResetUnanswered reads a request and resets the connection.
func ResetUnanswered() Script { return AnswerAndReset("", nil) }

// HeadThenNothing answers with a head that promises a body (of unknown length)
// and never sends it.
func HeadThenNothing() Script {
	return AnswerAndHang("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
}

// HalfHead answers with a head without its end and says nothing more.
func HalfHead() Script { return AnswerAndHang("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-Hal") }

// GarbageStatusLine answers with a line that is not HTTP.
func GarbageStatusLine() Script { return AnswerAndClose("foobar\r\n\r\n") }

// EndlessHead answers with header lines of 1 KiB that never end.
func EndlessHead() Script {
	return endless("HTTP/1.1 200 OK\r\n", "X-Pad: "+strings.Repeat("a", 1015)+"\r\n")
}

// EndlessHeaderLine answers with one header line that never ends.
func EndlessHeaderLine() Script {
	return endless("HTTP/1.1 200 OK\r\nX-Pad: ", strings.Repeat("a", 1<<10))
}

// EndlessInformational answers with 103 Early Hints for ever.
func EndlessInformational() Script { return endless("", "HTTP/1.1 103 Early Hints\r\n\r\n") }

// EndlessTrailers ends a chunked body with trailer lines that never end.
func EndlessTrailers() Script {
	return endless("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n",
		"X-Pad: "+strings.Repeat("a", 1015)+"\r\n")
}

// EndlessBody answers with a chunked body that never ends.
func EndlessBody() Script {
	return endless("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", chunk(strings.Repeat("b", 4<<10)))
}

func endless(start, piece string) Script {
	piece = strings.Repeat(piece, 1+(16<<10)/len(piece))
	return after(start, func(c *Conn) {
		for c.Send(piece) == nil {
		}
	})
}

// TruncatedChunked closes in the middle of a chunk of 16 bytes, after 5.
func TruncatedChunked() Script {
	return AnswerAndClose("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10\r\nhello")
}

// MissingLastChunk closes after a whole chunk, before the chunk of size 0.
func MissingLastChunk() Script {
	return AnswerAndClose("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")
}

// BadChunkSize sends a chunk, then one whose size is no number.
func BadChunkSize() Script {
	return AnswerAndClose("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nzz\r\nworld\r\n0\r\n\r\n")
}

// TruncatedContentLength promises 16 bytes, sends 5 and closes.
func TruncatedContentLength() Script {
	return AnswerAndClose("HTTP/1.1 200 OK\r\nContent-Length: 16\r\n\r\nhello")
}

// ResetInBody promises 16 bytes, sends 5 and, when the client says received,
// resets the connection.
func ResetInBody(received <-chan struct{}) Script {
	return AnswerAndReset("HTTP/1.1 200 OK\r\nContent-Length: 16\r\n\r\nhello", received)
}

// HugeContentLength promises 8 EiB less one byte, sends 5 and closes.
func HugeContentLength() Script {
	return AnswerAndClose("HTTP/1.1 200 OK\r\nContent-Length: 9223372036854775807\r\n\r\nhello")
}

// UntilEnd sends a body whose end is the connection's.
func UntilEnd(body string) Script { return AnswerAndClose("HTTP/1.1 200 OK\r\n\r\n" + body) }

// CloseWhenIdle answers one request as if the connection stayed and closes it
// when idle says so (nil: at once).
func CloseWhenIdle(idle <-chan struct{}) Script {
	return after(OK("hello"), func(c *Conn) {
		if idle != nil {
			_ = c.WaitFor(idle)
		}
	})
}

// CloseOnReuse answers the first request of a connection, reads the second and
// closes without a byte: to the client, the connection died as it was reused.
// Requests tells what was delivered.
func CloseOnReuse() Script {
	return after(OK("hello"), func(c *Conn) { _, _ = c.ReadRequest() })
}

// ResetOnReuse is CloseOnReuse with a reset.
func ResetOnReuse() Script {
	return after(OK("hello"), func(c *Conn) {
		if _, err := c.ReadRequest(); err == nil {
			c.Reset()
		}
	})
}

// Unsolicited answers one request and, when idle says so (nil: at once), sends a
// 408 that nobody asked for; then it keeps the connection and answers on.
func Unsolicited(idle <-chan struct{}) Script {
	return after(OK("hello"), func(c *Conn) {
		if idle != nil && c.WaitFor(idle) != nil {
			return
		}
		if c.Send("HTTP/1.1 408 Request Timeout\r\nContent-Length: 4\r\n\r\nlate") == nil {
			Answer(OK("hello"))(c)
		}
	})
}

// EarlyAnswer answers as soon as the head is there, then reads the body to its end
// and goes on with the next request.
func EarlyAnswer(raw string) Script {
	return func(c *Conn) {
		for {
			r, err := c.ReadHead()
			if err != nil || c.Send(raw) != nil || c.ReadBody(r) != nil {
				return
			}
		}
	}
}

// EarlyAnswerAndStop answers as soon as the head is there and never reads the
// body; the connection stays until the server is closed.
func EarlyAnswerAndStop(raw string) Script {
	return func(c *Conn) {
		if _, err := c.ReadHead(); err == nil && c.Send(raw) == nil {
			<-c.Closed()
		}
	}
}

// IgnoreExpect reads bodies without ever sending 100 Continue, and answers.
func IgnoreExpect(raw string) Script { return Answer(raw) }

// RefuseExpect answers 417 to requests with Expect: 100-continue, without reading
// a body, and reads and answers all others.
func RefuseExpect(raw string) Script {
	return func(c *Conn) {
		for {
			r, err := c.ReadHead()
			if err != nil {
				return
			}
			answer := raw
			if r.Has("Expect") {
				answer = "HTTP/1.1 417 Expectation Failed\r\nContent-Length: 0\r\n\r\n"
			} else if c.ReadBody(r) != nil {
				return
			}
			if c.Send(answer) != nil {
				return
			}
		}
	}
}

// Trickle answers with start and then one piece for each pass of gate.
func Trickle(gate *Gate, start string, pieces ...string) Script {
	return after(start, func(c *Conn) {
		for _, piece := range pieces {
			if gate.wait(c.Closed()) != nil || c.Send(piece) != nil {
				return
			}
		}
	})
}
