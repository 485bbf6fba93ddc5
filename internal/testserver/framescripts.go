package testserver

import (
	"strings"
	"sync/atomic"

	"golang.org/x/net/http2"
)

// ServeFrames answers every request, when its body is there, with 200 and body.
func ServeFrames(body string) FrameScript {
	return eachStream(func(c *FrameConn, s *Stream) error {
		if err := c.ReadAll(s); err != nil || s.Reset {
			return err
		}
		return c.Reply(s, 200, body)
	})
}

// eachStream runs one request after the other; an error ends the connection.
func eachStream(do func(*FrameConn, *Stream) error) FrameScript {
	return func(c *FrameConn) {
		for {
			s, err := c.NextRequest()
			if err != nil || do(c, s) != nil {
				return
			}
		}
	}
}

// FramesPerConnection gives the first connection the first script and so on, and
// the last script to all that follow.
func FramesPerConnection(scripts ...FrameScript) FrameScript {
	return func(c *FrameConn) { scripts[min(c.Number, len(scripts)-1)](c) }
}

// RefuseStreams answers the first n requests of the server, whatever their
// connection, with RST_STREAM REFUSED_STREAM, and all others with 200 and body.
func RefuseStreams(n int, body string) FrameScript {
	var refused atomic.Int64
	return eachStream(func(c *FrameConn, s *Stream) error {
		if refused.Add(1) <= int64(n) {
			return c.WriteRSTStream(s.ID, http2.ErrCodeRefusedStream)
		}
		if err := c.ReadAll(s); err != nil || s.Reset {
			return err
		}
		return c.Reply(s, 200, body)
	})
}

// ResetStreams answers every request with RST_STREAM and a code.
func ResetStreams(code http2.ErrCode) FrameScript {
	return eachStream(func(c *FrameConn, s *Stream) error { return c.WriteRSTStream(s.ID, code) })
}

// ResetInBodyFrames sends a head, 5 bytes and RST_STREAM with a code.
func ResetInBodyFrames(code http2.ErrCode) FrameScript {
	return eachStream(func(c *FrameConn, s *Stream) error {
		if err := c.Head(s, false, 200, "content-length: 16"); err != nil {
			return err
		}
		if err := c.Body(s, false, "hello"); err != nil {
			return err
		}
		return c.WriteRSTStream(s.ID, code)
	})
}

// EarlyReplyFrames answers as soon as the head is there and then resets the
// upload with NO_ERROR, as RFC 9113 section 8.1 lets a server do.
func EarlyReplyFrames(body string) FrameScript {
	return eachStream(func(c *FrameConn, s *Stream) error {
		if err := c.Reply(s, 200, body); err != nil || s.Ended {
			return err
		}
		return c.WriteRSTStream(s.ID, http2.ErrCodeNo)
	})
}

// CloseInBodyFrames sends a head and 5 bytes and closes the connection.
func CloseInBodyFrames() FrameScript {
	return func(c *FrameConn) {
		if s, err := c.NextRequest(); err == nil && c.Head(s, false, 200) == nil {
			_ = c.Body(s, false, "hello")
			c.HangUp()
		}
	}
}

// ShortBodyFrames promises 16 bytes and ends the stream after 5.
func ShortBodyFrames() FrameScript {
	return eachStream(func(c *FrameConn, s *Stream) error {
		if err := c.Head(s, false, 200, "content-length: 16"); err != nil {
			return err
		}
		return c.Body(s, true, "hello")
	})
}

// SilentFrames never answers a request, but keeps the connection in order.
func SilentFrames() FrameScript { return (*FrameConn).UntilGone }

// HeadThenNothingFrames answers every request with a head and nothing more.
func HeadThenNothingFrames() FrameScript {
	return eachStream(func(c *FrameConn, s *Stream) error {
		return c.Head(s, false, 200, "content-type: text/event-stream")
	})
}

// GoAwayUnprocessed takes the first request of each of the first n connections that
// bring one, says GOAWAY with last stream 0 (it processed nothing), and closes;
// further connections serve 200 and body.
func GoAwayUnprocessed(n int, body string) FrameScript {
	var refused atomic.Int64
	return func(c *FrameConn) {
		s, err := c.NextRequest()
		if err != nil {
			return
		}
		if refused.Add(1) <= int64(n) {
			_ = c.WriteGoAway(0, http2.ErrCodeNo, nil)
			c.HangUp()
			return
		}
		for err == nil && c.ReadAll(s) == nil && c.Reply(s, 200, body) == nil {
			s, err = c.NextRequest()
		}
	}
}

// GoAwayAfter answers n requests of each connection, then says GOAWAY for
// whatever comes later and closes.
func GoAwayAfter(n int, body string) FrameScript {
	return func(c *FrameConn) {
		for i := 1; ; i++ {
			s, err := c.NextRequest()
			if err != nil || c.ReadAll(s) != nil || c.Reply(s, 200, body) != nil {
				return
			}
			if i == n {
				_ = c.WriteGoAway(s.ID, http2.ErrCodeNo, nil)
				c.HangUp()
				return
			}
		}
	}
}

// PingWhenIdle answers one request; when idle says so it sends PING and tells
// acked when the client has acknowledged it.
func PingWhenIdle(idle <-chan struct{}, acked chan<- struct{}) FrameScript {
	return afterStream(idle, func(c *FrameConn) {
		if c.WritePing(false, [8]byte{'i', 'd', 'l', 'e'}) != nil {
			return
		}
		for {
			frame, err := c.Next()
			if err != nil {
				return
			}
			if _, ok := frame.(*http2.PingFrame); ok {
				close(acked)
				c.UntilGone()
				return
			}
		}
	})
}

// GoAwayWhenIdle answers one request; when idle says so it says GOAWAY and closes.
func GoAwayWhenIdle(idle <-chan struct{}) FrameScript {
	return afterStream(idle, func(c *FrameConn) {
		_ = c.WriteGoAway(1, http2.ErrCodeNo, nil)
		c.HangUp()
	})
}

func afterStream(idle <-chan struct{}, then FrameScript) FrameScript {
	return func(c *FrameConn) {
		s, err := c.NextRequest()
		if err != nil || c.ReadAll(s) != nil || c.Reply(s, 200, "hello") != nil {
			return
		}
		if c.WaitFor(idle) == nil {
			then(c)
		}
	}
}

// EndlessContinuation answers with a head that goes on in CONTINUATION frames for
// ever.
func EndlessContinuation() FrameScript {
	return func(c *FrameConn) {
		s, err := c.NextRequest()
		if err != nil {
			return
		}
		err = c.WriteHeaders(http2.HeadersFrameParam{StreamID: s.ID, BlockFragment: c.encode(200, nil)})
		// Too long for the table of HPACK, so it may be said again in the same bytes.
		more := c.encode(0, []string{"x-pad: " + strings.Repeat("a", 8<<10)})
		for err == nil {
			err = c.WriteContinuation(s.ID, false, more)
		}
	}
}
