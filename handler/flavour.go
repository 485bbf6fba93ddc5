package handler

import (
	"fmt"
	"io"
	"regexp"

	"github.com/ratmom/ratmom/internal/failure"
)

// roundTripError gives an error the form that callers of an http.RoundTripper
// know: without method and URL, which http.Client adds; the context's own error
// and the body reader's own error bare; and net/http's words where programs look
// for them.
func roundTripError(e *failure.Error, maxHead int) error {
	c := *e
	c.Op, c.URL = "", ""
	switch {
	case e.Kind == failure.RequestBody && e.Err != nil:
		return e.Err
	case e.Kind == failure.Truncated:
		return io.ErrUnexpectedEOF
	case (e.Kind == failure.Canceled || e.Kind == failure.Timeout) && e.Err != nil && e.Code == 0:
		return e.Err
	case e.Kind == failure.InvalidRequest:
		c.Text = "net/http: " + e.Detail
		if e.Detail == "no Host in request URL" {
			c.Text = "http: " + e.Detail
		}
	case e.Kind == failure.HeadTooLarge:
		c.Text = fmt.Sprintf("net/http: server response headers exceeded %d bytes; aborted", maxHead)
	case e.Kind == failure.Timeout && e.Code == 0:
		c.Text = "net/http: " + e.Detail
	case e.Kind == failure.HTTP2:
		if m := streamError.FindStringSubmatch(e.Detail); m != nil {
			c.Text = fmt.Sprintf("stream error: stream ID %s; %s; received from peer", m[1], m[2])
		}
	}
	return &c
}

var streamError = regexp.MustCompile(`HTTP/2 stream (\d+) was not closed cleanly: (\w+)`)
