package testserver

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// FrameConn is the server's end of one HTTP/2 connection in a script.
type FrameConn struct {
	*Conn
	*http2.Framer

	encoded bytes.Buffer
	encoder *hpack.Encoder
	streams map[uint32]*Stream
}

// Stream is a request on an HTTP/2 connection. Its header lines hold the regular
// fields, "name: value"; Method, Target and Host come from the pseudo fields.
type Stream struct {
	*Request
	ID    uint32
	Ended bool          // the client has sent all
	Reset bool          // the client has reset it
	Code  http2.ErrCode // with which code
}

// FrameScript is what a server does on one HTTP/2 connection; see [Script].
type FrameScript func(c *FrameConn)

// Frames starts an HTTP/2 server that plays script on every connection, after
// the prefaces of both sides. In clear text it wants prior knowledge; with
// [WithTLS] it offers h2 alone.
func Frames(t testing.TB, script FrameScript, options ...Option) *RawServer {
	t.Helper()
	options = append(options, func(s *settings) { s.alpn = []string{http2.NextProtoTLS} })
	return Raw(t, func(c *Conn) {
		preface := make([]byte, len(http2.ClientPreface))
		if _, err := io.ReadFull(c.br, preface); err != nil || string(preface) != http2.ClientPreface {
			return
		}
		f := &FrameConn{Conn: c, Framer: http2.NewFramer(c.Conn, c.br), streams: map[uint32]*Stream{}}
		f.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
		f.encoder = hpack.NewEncoder(&f.encoded)
		if f.WriteSettings() == nil {
			script(f)
		}
	}, options...)
}

// Next reads frames up to the next that is of interest to a script: HEADERS,
// DATA, RST_STREAM, GOAWAY, or the acknowledgment of a PING. It keeps the
// streams, acknowledges SETTINGS and PING, and opens the windows again for DATA.
func (c *FrameConn) Next() (http2.Frame, error) {
	for {
		frame, err := c.ReadFrame()
		if err != nil {
			return nil, err
		}
		interesting, err := c.note(frame)
		if err != nil || interesting {
			return frame, err
		}
	}
}

func (c *FrameConn) note(frame http2.Frame) (interesting bool, err error) {
	switch f := frame.(type) {
	case *http2.SettingsFrame:
		if !f.IsAck() {
			return false, c.WriteSettingsAck()
		}
	case *http2.PingFrame:
		if !f.IsAck() {
			return false, c.WritePing(true, f.Data)
		}
		return true, nil
	case *http2.MetaHeadersFrame:
		c.noteHead(f)
		return true, nil
	case *http2.DataFrame:
		return true, c.noteData(f)
	case *http2.RSTStreamFrame:
		if s := c.streams[f.StreamID]; s != nil {
			s.Reset, s.Code = true, f.ErrCode
		}
		return true, nil
	case *http2.GoAwayFrame:
		return true, nil
	}
	return false, nil
}

func (c *FrameConn) noteHead(f *http2.MetaHeadersFrame) {
	if s := c.streams[f.StreamID]; s != nil {
		c.server.requests.change(func() {
			for _, field := range f.RegularFields() {
				s.Trailers = append(s.Trailers, field.Name+": "+field.Value)
			}
		})
		s.Ended = s.Ended || f.StreamEnded()
		return
	}
	r := &Request{Method: f.PseudoValue("method"), Target: f.PseudoValue("path"), Proto: "HTTP/2.0"}
	r.Header = append(r.Header, "Host: "+f.PseudoValue("authority"))
	for _, field := range f.RegularFields() {
		r.Header = append(r.Header, field.Name+": "+field.Value)
	}
	c.identify(r)
	c.server.requests.add(r)
	c.streams[f.StreamID] = &Stream{Request: r, ID: f.StreamID, Ended: f.StreamEnded()}
}

func (c *FrameConn) noteData(f *http2.DataFrame) error {
	if s := c.streams[f.StreamID]; s != nil {
		c.server.requests.change(func() { s.Body = append(s.Body, f.Data()...) })
		s.Ended = s.Ended || f.StreamEnded()
	}
	if n := uint32(f.Length); n > 0 {
		return errors.Join(c.WriteWindowUpdate(0, n), c.WriteWindowUpdate(f.StreamID, n))
	}
	return nil
}

// NextRequest reads up to the head of the next request.
func (c *FrameConn) NextRequest() (*Stream, error) {
	for {
		frame, err := c.Next()
		if err != nil {
			return nil, err
		}
		head, ok := frame.(*http2.MetaHeadersFrame)
		if ok && len(head.PseudoFields()) > 0 {
			return c.streams[head.StreamID], nil
		}
	}
}

// NextEnd reads up to the next end of a request, head and body; requests may be
// under way in any number.
func (c *FrameConn) NextEnd() (*Stream, error) {
	for {
		frame, err := c.Next()
		if err != nil {
			return nil, err
		}
		switch f := frame.(type) {
		case *http2.MetaHeadersFrame:
			if f.StreamEnded() {
				return c.streams[f.StreamID], nil
			}
		case *http2.DataFrame:
			if s := c.streams[f.StreamID]; s != nil && f.StreamEnded() {
				return s, nil
			}
		}
	}
}

// ReadAll reads until the request's body has ended, or its stream was reset.
func (c *FrameConn) ReadAll(s *Stream) error {
	for !s.Ended && !s.Reset {
		if _, err := c.Next(); err != nil {
			return err
		}
	}
	return nil
}

// UntilReset reads until the client has reset the stream, or is gone.
func (c *FrameConn) UntilReset(s *Stream) error {
	for !s.Reset {
		if _, err := c.Next(); err != nil {
			return err
		}
	}
	return nil
}

// WaitFor waits for ch, and meanwhile reads as Next does; an error says that the
// client or the server has closed the connection.
func (c *FrameConn) WaitFor(ch <-chan struct{}) error {
	for {
		data, err := c.waitOrData(ch)
		if err != nil || !data {
			return err
		}
		frame, err := c.ReadFrame()
		if err != nil {
			return err
		}
		if _, err := c.note(frame); err != nil {
			return err
		}
	}
}

// HangUp sends the end of the stream and waits until the client has closed too. A
// plain close would turn into a reset if the client is just saying something, and
// the reset would take away what it has not read yet.
func (c *FrameConn) HangUp() {
	if c.CloseWrite() == nil {
		c.UntilGone()
	}
}

// UntilGone reads, as Next does, until the client has closed the connection.
func (c *FrameConn) UntilGone() {
	for {
		if _, err := c.Next(); err != nil {
			return
		}
	}
}

// Head writes HEADERS with a status and "name: value" lines; names in lower case.
func (c *FrameConn) Head(s *Stream, end bool, status int, lines ...string) error {
	return c.WriteHeaders(http2.HeadersFrameParam{
		StreamID: s.ID, BlockFragment: c.encode(status, lines), EndHeaders: true, EndStream: end,
	})
}

// Trailers writes HEADERS that end a stream.
func (c *FrameConn) Trailers(s *Stream, lines ...string) error {
	return c.WriteHeaders(http2.HeadersFrameParam{
		StreamID: s.ID, BlockFragment: c.encode(0, lines), EndHeaders: true, EndStream: true,
	})
}

func (c *FrameConn) encode(status int, lines []string) []byte {
	c.encoded.Reset()
	write := func(name, value string) {
		_ = c.encoder.WriteField(hpack.HeaderField{Name: name, Value: value}) // into memory
	}
	if status != 0 {
		write(":status", fmt.Sprint(status))
	}
	for _, line := range lines {
		name, value, _ := strings.Cut(line, ": ")
		write(name, value)
	}
	return c.encoded.Bytes()
}

// Body writes DATA. It does not look at the client's windows: keep it short.
func (c *FrameConn) Body(s *Stream, end bool, data string) error {
	return c.WriteData(s.ID, end, []byte(data))
}

// Reply writes a whole response.
func (c *FrameConn) Reply(s *Stream, status int, body string) error {
	if err := c.Head(s, false, status, fmt.Sprintf("content-length: %d", len(body))); err != nil {
		return err
	}
	return c.Body(s, true, body)
}
