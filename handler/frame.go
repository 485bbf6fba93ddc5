package handler

import (
	"bytes"
	"net/http"
	"strings"

	"golang.org/x/net/http/httpguts"

	"github.com/ratmom/ratmom/internal/failure"
	"github.com/ratmom/ratmom/internal/valid"
)

// Frame is what a head says about the message around it.
type Frame struct {
	// NoBody is true if no body can follow: HEAD, 1xx, 204, 304, or length 0.
	NoBody bool
	// ContentLength is the announced length in bytes, -1 if there is none. For
	// HEAD and 304 it is the length that a GET would have had.
	ContentLength int64
	// TransferEncoding is "chunked" alone, or nil.
	TransferEncoding []string
	// Close is true if the connection ends after this response.
	Close bool
	// Trailer has the names that were announced, without values; nil if none.
	Trailer http.Header
}

// Frame reads the framing of a response to a request with the given method, and
// takes the headers that are about it alone out of h.Header, as net/http does:
// Transfer-Encoding, an announced Trailer, Connection: close on HTTP/1.1, and a
// Content-Length beside chunked.
//
// On HTTP/1.0 too, as in libcurl and not as in net/http, a Transfer-Encoding counts. On
// HTTP/1, a Content-Length that is malformed or given twice with different
// values, and an unknown transfer encoding, are errors of kind Protocol: two
// parties that read them differently see different messages (RFC 9112, section
// 11). HTTP/2 and 3 have a framing of their own; a bad Content-Length is no
// length there.
func (h *Head) Frame(method string) (Frame, error) { return h.frame(method, framing{}) }

// framing is what is read otherwise than [Head.Frame] says.
type framing struct {
	ignoreLength bool // there is no Content-Length
	raw          bool // any transfer encoding is left to the reader of the body
}

func (h *Head) frame(method string, rules framing) (Frame, error) {
	f := Frame{ContentLength: -1}
	if h.ProtoMajor >= 2 {
		if n, err := valid.ParseContentLength(h.Header["Content-Length"]); err == nil {
			f.ContentLength = n
		}
		f.Trailer, _ = h.takeTrailer()
	} else if err := h.frame1(&f, rules); err != nil {
		return f, err
	}
	if rules.ignoreLength {
		f.ContentLength = -1
	}
	switch {
	case h.StatusCode < 200, h.StatusCode == http.StatusNoContent:
		f.NoBody, f.ContentLength = true, 0
	case h.StatusCode == http.StatusNotModified:
		f.NoBody = true
		if method != http.MethodHead {
			f.ContentLength = 0
		}
	case method == http.MethodHead:
		f.NoBody = true
	case f.ContentLength == 0:
		f.NoBody = true
	case f.ContentLength < 0 && f.TransferEncoding == nil && h.ProtoMajor < 2:
		f.Close = true // the end of the connection is the end of the body
	}
	return f, nil
}

func (h *Head) frame1(f *Frame, rules framing) error {
	f.Close = h.takeClose()
	if te, ok := h.Header["Transfer-Encoding"]; ok && rules.raw {
		f.TransferEncoding = codings(te)
	} else if ok {
		delete(h.Header, "Transfer-Encoding")
		switch old := h.ProtoMajor < 1 || h.ProtoMajor == 1 && h.ProtoMinor == 0; {
		case len(te) == 1 && strings.EqualFold(te[0], "chunked"):
			f.TransferEncoding = []string{"chunked"} // libcurl undoes it on HTTP/1.0 too
		case old && len(te) == 1 && strings.EqualFold(te[0], "identity"):
			delete(h.Header, "Content-Length") // libcurl before version 8 ignores it then
		default:
			return failure.Newf(failure.Protocol, "unsupported transfer encoding: %q", clip(strings.Join(te, ", ")))
		}
	}
	lengths := h.Header["Content-Length"]
	if rules.ignoreLength {
		lengths = nil
	}
	n, err := valid.ParseContentLength(lengths)
	if err != nil {
		return failure.Newf(failure.Protocol, "%w", err)
	}
	if f.TransferEncoding != nil {
		delete(h.Header, "Content-Length")
		if rules.raw {
			return nil // trailers are a part of the body
		}
		f.Trailer, err = h.takeTrailer()
		return err
	}
	if len(lengths) > 1 {
		h.Header["Content-Length"] = lengths[:1:1]
	}
	f.ContentLength = n
	return nil
}

// codings are the transfer codings in the order they were applied.
func codings(values []string) []string {
	var list []string
	for _, v := range values {
		for name := range strings.SplitSeq(v, ",") {
			if name = strings.ToLower(strings.Trim(name, " \t")); name != "" {
				list = append(list, name)
			}
		}
	}
	return list
}

// takeClose reports whether the server will close the connection.
func (h *Head) takeClose() bool {
	values := h.Header["Connection"]
	hasClose := httpguts.HeaderValuesContainsToken(values, "close")
	if h.ProtoMajor < 1 || h.ProtoMajor == 1 && h.ProtoMinor == 0 {
		return hasClose || !httpguts.HeaderValuesContainsToken(values, "keep-alive")
	}
	if hasClose {
		delete(h.Header, "Connection")
	}
	return hasClose
}

// takeTrailer reads which trailers are announced.
func (h *Head) takeTrailer() (http.Header, error) {
	values, ok := h.Header["Trailer"]
	if !ok {
		return nil, nil
	}
	delete(h.Header, "Trailer")
	trailer := http.Header{}
	for _, v := range values {
		for name := range strings.SplitSeq(v, ",") {
			name = http.CanonicalHeaderKey(strings.Trim(name, " \t"))
			switch name {
			case "":
				continue
			case "Transfer-Encoding", "Trailer", "Content-Length":
				return nil, failure.Newf(failure.Protocol, "bad trailer key %q", name)
			}
			trailer[name] = nil
		}
	}
	if len(trailer) == 0 {
		return nil, nil
	}
	return trailer, nil
}

// rawLength is the length that a raw head announces, as Frame reads it; -1 if it
// announces none, or one that cannot be relied on.
func rawLength(head []byte) int64 {
	var lengths []string
	http1 := len(head) > 5 && head[5] == '1'
	for line := range bytes.Lines(head) {
		name, value, ok := bytes.Cut(line, []byte(":"))
		switch {
		case !ok:
		case http1 && bytes.EqualFold(name, []byte("Transfer-Encoding")):
			return -1
		case bytes.EqualFold(name, []byte("Content-Length")):
			lengths = append(lengths, string(bytes.TrimSpace(value)))
		}
	}
	n, err := valid.ParseContentLength(lengths)
	if err != nil {
		return -1
	}
	return n
}

// noBody reports whether no body can follow a response with this status.
func noBody(method string, status int) bool {
	return method == http.MethodHead || status == http.StatusNoContent || status == http.StatusNotModified
}
