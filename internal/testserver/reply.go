package testserver

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// Reply is what a [Mock] answers. The zero value is "200 OK" with an empty body.
type Reply struct {
	Status int    // 200 if 0
	Reason string // the standard one if ""
	Proto  string // HTTP/1.1 if ""

	// Header holds lines as they go on the wire. Content-Length is added unless
	// the lines have it or Transfer-Encoding, or the status has no body.
	Header []string

	Body     string
	From     io.Reader // sent after Body, in a chunk per Read, until EOF
	Chunked  bool      // Body as one chunk rather than with Content-Length
	Trailers []string  // lines; sends the body in chunks

	// Before holds whole heads that are sent first, such as
	// "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n".
	Before []string

	// Hold keeps the reply back until it is closed or gives a value. A client
	// that goes away meanwhile is noticed at once.
	Hold <-chan struct{}
	// HoldBody does the same between head and body.
	HoldBody <-chan struct{}

	Close bool   // say "Connection: close" and close
	Drop  bool   // close afterwards, and not say so
	Raw   string // sent instead of all above but Before, Hold and Close's closing
}

// Text is a reply with a status and a body.
func Text(status int, body string) Reply { return Reply{Status: status, Body: body} }

// Redirect is a reply with a status and a Location.
func Redirect(status int, location string) Reply {
	return Reply{Status: status, Header: []string{"Location: " + location}}
}

var errClose = errors.New("close as told")

// send writes the reply to method's request; an error ends the connection.
func (p *Reply) send(c *Conn, r *Request) error {
	if p.Hold != nil {
		if err := c.WaitFor(p.Hold); err != nil {
			return err
		}
	}
	if err := c.Send(p.Before...); err != nil {
		return err
	}
	if err := p.sendHeadAndBody(c, r); err != nil {
		return err
	}
	if p.Close || p.Drop || r.Proto == "HTTP/1.0" || strings.EqualFold(r.Get("Connection"), "close") {
		return errClose
	}
	return nil
}

func (p *Reply) sendHeadAndBody(c *Conn, r *Request) error {
	if p.Raw != "" {
		return c.Send(p.Raw)
	}
	chunked := p.Chunked || p.From != nil && !p.has("Content-Length") || len(p.Trailers) > 0
	head := p.head(chunked)
	bodiless := r.Method == http.MethodHead || p.hasNoBody()
	body := p.Body
	if chunked && body != "" {
		body = chunk(body)
	}
	if chunked && p.From == nil {
		body += p.lastChunk()
	}
	if bodiless {
		return c.Send(head)
	}
	if p.HoldBody != nil {
		if err := c.Send(head); err != nil {
			return err
		}
		if err := c.WaitFor(p.HoldBody); err != nil {
			return err
		}
		head = ""
	}
	if err := c.Send(head, body); err != nil {
		return err
	}
	if p.From == nil {
		return nil
	}
	if err := p.sendFrom(c, chunked); err != nil || !chunked {
		return err
	}
	return c.Send(p.lastChunk())
}

func (p *Reply) sendFrom(c *Conn, chunked bool) error {
	buf := make([]byte, 16<<10)
	for {
		n, err := p.From.Read(buf)
		piece := string(buf[:n])
		if chunked && n > 0 {
			piece = chunk(piece)
		}
		if n > 0 {
			if err := c.Send(piece); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

func (p *Reply) head(chunked bool) string {
	status := p.status()
	reason, proto := p.Reason, p.Proto
	if reason == "" {
		reason = http.StatusText(status)
	}
	if proto == "" {
		proto = "HTTP/1.1"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s %d %s\r\n", proto, status, reason)
	for _, line := range p.Header {
		b.WriteString(line + "\r\n")
	}
	switch {
	case p.has("Content-Length") || p.has("Transfer-Encoding") || p.hasNoBody():
	case chunked:
		b.WriteString("Transfer-Encoding: chunked\r\n")
	default:
		fmt.Fprintf(&b, "Content-Length: %d\r\n", len(p.Body))
	}
	if p.Close {
		b.WriteString("Connection: close\r\n")
	}
	b.WriteString("\r\n")
	return b.String()
}

func (p *Reply) lastChunk() string {
	var b strings.Builder
	b.WriteString("0\r\n")
	for _, line := range p.Trailers {
		b.WriteString(line + "\r\n")
	}
	b.WriteString("\r\n")
	return b.String()
}

func (p *Reply) status() int {
	if p.Status == 0 {
		return http.StatusOK
	}
	return p.Status
}

func (p *Reply) hasNoBody() bool {
	s := p.status()
	return s < 200 || s == http.StatusNoContent || s == http.StatusNotModified
}

func (p *Reply) has(name string) bool { return len(lineValues(p.Header, name)) > 0 }

func chunk(s string) string { return fmt.Sprintf("%x\r\n%s\r\n", len(s), s) }
