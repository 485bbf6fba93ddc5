package handler

import (
	"crypto/tls"
	"io"
	"net/http"
	"strings"

	"github.com/ratmom/ratmom/body"
	"github.com/ratmom/ratmom/internal/failure"
)

// Reply is the memory of a response.
type Reply struct {
	HTTP http.Response
	body responseBody
}

// Response is Fill with memory of its own.
func (h *Handler) Response() (*http.Response, error) {
	r := new(Reply)
	if err := h.Fill(r); err != nil {
		return nil, err
	}
	return &r.HTTP, nil
}

// Fill makes the response, in r, which is all zero, once the future has completed. Call it once, on the
// goroutine of whoever takes the response.
func (h *Handler) Fill(r *Reply) error {
	h.mu.Lock()
	err, raw, room, stream, certs := h.err, h.head, h.room, h.stream, h.certs
	req := h.spec.Request
	h.spec.Request = nil // its memory is the caller's again
	h.mu.Unlock()
	h.trace.wait()
	if err != nil {
		return err
	}
	// Not within fill, whose frame is large: the map of the header is what needs the most stack.
	var head Head
	if err = head.parse(raw, room); err == nil && head.folded && foldedFraming(raw) {
		err = failure.New(failure.Protocol, "the length of the body is spread over lines")
	}
	if err == nil {
		err = h.fill(req, &head, stream, certs, r)
	}
	if err != nil {
		_ = stream.Close()
		if _, ok := err.(*failure.Error); !ok {
			err = failure.New(failure.Protocol, err.Error())
		}
		return h.annotate(err)
	}
	return nil
}

// fill makes the response of its head.
func (h *Handler) fill(req *http.Request, head *Head, stream *body.Stream, certs []byte, out *Reply) error {
	frame, err := head.frame(h.method, framing{ignoreLength: h.plan.IgnoreLength, raw: h.plan.RawTransfer || h.plan.TransferCoded})
	if err != nil {
		return err
	}
	resp := &out.HTTP
	resp.Status, resp.StatusCode = head.Status, head.StatusCode
	resp.Proto, resp.ProtoMajor, resp.ProtoMinor = head.Proto, head.ProtoMajor, head.ProtoMinor
	resp.Header, resp.Trailer = head.Header, frame.Trailer
	resp.ContentLength, resp.TransferEncoding = frame.ContentLength, frame.TransferEncoding
	resp.Close, resp.Request = frame.Close, req
	if req.URL.Scheme == "https" {
		resp.TLS = &tls.ConnectionState{
			HandshakeComplete: true, ServerName: req.URL.Hostname(), PeerCertificates: peerCertificates(certs),
		}
		if head.ProtoMajor == 2 {
			resp.TLS.NegotiatedProtocol = "h2"
		}
	}
	switch {
	case resp.StatusCode == http.StatusSwitchingProtocols || h.upgrade && h.tunnel():
		resp.Body = &duplex{Stream: stream, up: h.upload}
		return nil
	case noBody(h.method, resp.StatusCode):
		// The stream still has to end before the connection is free.
		stream.OnEOF(nil)
		resp.Body = http.NoBody
		if !stream.Done() {
			_ = stream.Close()
		}
		return nil
	}
	if resp.ContentLength < 0 || resp.ProtoMajor > 1 || resp.Trailer != nil {
		stream.OnEOF(func() { h.setTrailer(resp) })
	}
	if m := h.plan.MaxBody; m > 0 && resp.ContentLength > m && resp.Header.Get("Location") == "" {
		return failure.Newf(failure.BodyTooLarge, "%d bytes are announced, the limit is %d", resp.ContentLength, m)
	}
	out.body = responseBody{Stream: stream, h: h}
	resp.Body = &out.body
	left := h.plan.RawTransfer || h.plan.TransferCoded // as it is, by libcurl
	if n := len(resp.TransferEncoding); n > 0 && resp.TransferEncoding[n-1] == "chunked" && left {
		resp.Body = body.Chunked(resp.Body)
	}
	if h.plan.MaxBody > 0 || h.plan.OnDownload != nil {
		resp.Body = &body.Meter{ReadCloser: resp.Body, Max: h.plan.MaxBody, Total: resp.ContentLength, Progress: h.plan.OnDownload}
	}
	if h.plan.TransferCoded && len(resp.TransferEncoding) > 0 {
		if err := h.uncode(resp); err != nil {
			return err
		}
	}
	if err := h.decode(resp); err != nil {
		return err
	}
	if resp.Body != &out.body {
		if _, ok := resp.Body.(*decodedBody); !ok {
			resp.Body = &decodedBody{resp.Body, h}
		}
	}
	return nil
}

// setTrailer merges what came behind the body, when its reader sees the end.
func (h *Handler) setTrailer(resp *http.Response) {
	h.mu.Lock()
	raw := h.trailer
	h.mu.Unlock()
	if len(raw) == 0 {
		return
	}
	tr, err := ParseTrailer(raw)
	if err != nil {
		return // the body was whole; a trailer nobody can read is none
	}
	if resp.Trailer == nil {
		resp.Trailer = make(http.Header, len(tr))
	}
	for k, vv := range tr {
		resp.Trailer[k] = vv
	}
}

// decode undoes the content coding.
func (h *Handler) decode(resp *http.Response) error {
	enc := resp.Header["Content-Encoding"]
	if !h.plan.Decompress || len(enc) == 0 || resp.ContentLength == 0 || h.plan.RawTransfer && len(resp.TransferEncoding) > 0 {
		return nil
	}
	if h.plan.RoundTripper && (!h.acceptAdded || len(enc) != 1 || !strings.EqualFold(enc[0], "gzip")) {
		return nil
	}
	name := strings.Join(enc, ",")
	if strings.EqualFold(name, "identity") {
		return nil
	}
	dec, err := body.NewDecoder(name, resp.Body, body.Limits{MaxBytes: h.plan.MaxDecoded})
	if err != nil {
		if resp.Header.Get("Location") != "" {
			return nil // the body of a redirect is hardly ever read: no reason to fail it
		}
		return err
	}
	resp.Body = &decodedBody{dec, h}
	delete(resp.Header, "Content-Encoding")
	delete(resp.Header, "Content-Length")
	resp.ContentLength = -1
	resp.Uncompressed = true
	return nil
}

// responseBody is a stream whose owner stays alive while it is open.
type responseBody struct {
	*body.Stream
	h *Handler
}

// decodedBody names the request in the errors of its decoder.
type decodedBody struct {
	io.ReadCloser
	h *Handler
}

func (d *decodedBody) Read(p []byte) (int, error) {
	n, err := d.ReadCloser.Read(p)
	if err != nil && err != io.EOF && err != http.ErrBodyReadAfterClose {
		if _, ok := err.(*failure.Error); ok {
			err = d.h.annotate(err)
		}
	}
	return n, err
}

// duplex is the body of an upgraded connection.
type duplex struct {
	*body.Stream
	up *pump
}

func (d *duplex) Write(p []byte) (int, error) {
	if d.up == nil {
		return 0, errNotAsked
	}
	return d.up.write(p)
}

// errNotAsked is why there is no way up: only a request with an Upgrade field
// keeps it open.
var errNotAsked = failure.New(failure.Unsupported, "the server switched protocols unasked: the connection can only be read")

// CloseWrite ends the sending half.
func (d *duplex) CloseWrite() error {
	if d.up == nil {
		return errNotAsked
	}
	return d.up.closeWrite()
}
