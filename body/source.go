package body

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"sync"

	"github.com/ratmom/ratmom/internal/failure"
)

// Source is the body of a request as a transfer takes it: none, bytes in
// memory, or a stream. One goroutine at a time reads and rewinds it; Close may be
// called beside them, from anywhere.
type Source struct {
	kind   kind
	length int64
	bytes  []byte
	getNew func() (io.ReadCloser, error)

	mu     sync.Mutex
	body   io.ReadCloser // nil when closed
	closed bool
	off    int // in bytes
	began  bool
	probed prefix
}

type kind uint8

const (
	none kind = iota
	memory
	stream
)

var (
	errClosed        = errors.New("read after the body was closed")
	errNotRewindable = errors.New("the body has been read from and the request has no GetBody")
)

// absent is the body of every request without one; it has no state.
var absent = &Source{}

// FromRequest returns the body of req, which stays the owner of it until the
// Source is closed; on error it is left open.
//
// A nil Body and http.NoBody are none: no Content-Length is sent, except where
// the method asks for one. The types of this package know their length, and an
// empty one is a body of length 0. So do *bytes.Reader, *bytes.Buffer and
// *strings.Reader, whose bytes are taken as they are now, without a copy. All
// else is a stream of ContentLength bytes; as in net/http, 0 stands for a length
// that is not known, and for methods that seldom have a body (GET, HEAD, DELETE,
// OPTIONS, PROPFIND, SEARCH) up to 200 ms are spent to find out whether such a
// stream is empty and so none. A ContentLength of -1, or the transfer encoding
// "chunked", hides a length that is known.
//
// The error is of kind ratmom.ErrRequestBody if ContentLength is not the length of bytes
// in memory, of kind ratmom.ErrInvalidRequest if there is a ContentLength and no Body.
func FromRequest(req *http.Request) (*Source, error) {
	switch {
	case req.Body == nil && req.ContentLength != 0:
		return nil, failure.Newf(failure.InvalidRequest, "http: Request.ContentLength=%d with nil Body", req.ContentLength)
	case req.Body == nil, req.Body == http.NoBody:
		return absent, nil
	}
	s := &Source{kind: stream, length: req.ContentLength, body: req.Body, getNew: GetBody(req)}
	if b, ok := inMemory(req.Body); ok {
		s.kind, s.bytes = memory, b
		if s.length == 0 {
			s.length = int64(len(b))
		}
		if s.length > 0 && s.length != int64(len(b)) {
			return nil, lengthError(s.length, int64(len(b)))
		}
	} else if r, ok := req.Body.(*sized); ok && s.length == 0 {
		s.length = r.length
	} else if s.length == 0 {
		s.length = -1
	}
	if len(req.TransferEncoding) > 0 && req.TransferEncoding[0] == "chunked" {
		s.length = -1
	}
	if s.length < 0 {
		s.kind, s.bytes, s.length = stream, nil, -1
		if req.ContentLength == 0 && seldomHasBody(req.Method) {
			s.probe()
		}
	}
	return s, nil
}

func seldomHasBody(method string) bool {
	switch method {
	case "", http.MethodGet, http.MethodHead, http.MethodDelete, http.MethodOptions, "PROPFIND", "SEARCH":
		return true
	}
	return false
}

func lengthError(announced, actual int64) error {
	return failure.Newf(failure.RequestBody, "http: ContentLength=%d with Body length %d", announced, actual)
}

// IsNone reports whether there is no body at all, which is not the same as an
// empty one.
func (s *Source) IsNone() bool { return s.kind == none }

// IsStream reports whether the body has to be read.
func (s *Source) IsStream() bool { return s.kind == stream }

// Bytes returns a body that is in memory. It must not be written to.
func (s *Source) Bytes() ([]byte, bool) { return s.bytes, s.kind == memory }

// Length returns the length in bytes: 0 if there is no body, -1 if it is not
// known.
func (s *Source) Length() int64 { return s.length }

// Stream makes a body in memory one that is read, so that who reads it can be told how
// far it is. Call it before anything else.
func (s *Source) Stream() {
	if s.kind != memory || len(s.bytes) == 0 {
		return
	}
	b := s.bytes
	s.body = &sized{Reader: struct {
		io.Reader
		io.Closer
	}{bytes.NewReader(b), s.body}}
	s.getNew = func() (io.ReadCloser, error) { return Bytes(b), nil }
	s.kind, s.bytes = stream, nil
}

// Rewindable reports whether Rewind can work after bytes were read.
func (s *Source) Rewindable() bool { return s.kind != stream || s.getNew != nil }

// Rewind makes the next Read begin at the start. It opens a body that was read
// from, or closed, again by the request's GetBody.
func (s *Source) Rewind() error {
	if s == absent {
		return nil
	}
	s.mu.Lock()
	if s.kind == memory {
		s.off, s.closed = 0, false
		s.mu.Unlock()
		return nil
	}
	fresh := s.kind == none || !s.began && !s.closed
	s.mu.Unlock()
	if fresh {
		return nil
	}
	if s.getNew == nil {
		return errNotRewindable
	}
	_ = s.Close()
	next, err := s.getNew()
	if err != nil {
		return err
	}
	s.mu.Lock()
	s.body, s.closed, s.began, s.probed = next, false, false, prefix{}
	s.mu.Unlock()
	return nil
}

// Read reads the body, one in memory too.
func (s *Source) Read(p []byte) (int, error) {
	s.mu.Lock()
	s.began = true
	if s.kind != stream {
		defer s.mu.Unlock()
		if s.closed {
			return 0, errClosed
		}
		n := copy(p, s.bytes[s.off:])
		s.off += n
		if n == 0 && len(p) > 0 {
			return 0, io.EOF
		}
		return n, nil
	}
	b := s.body
	s.mu.Unlock()
	if b == nil {
		return 0, errClosed
	}
	if s.probed.result != nil {
		return s.probed.read(p, b)
	}
	return b.Read(p)
}

// Untouched reports whether the body is open and nothing of it was read.
func (s *Source) Untouched() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.began && !s.closed && s.probed.result == nil
}

// Finished reports whether the body has been closed.
func (s *Source) Finished() bool {
	if s == absent {
		return true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closed || s.kind == none
}

// Close closes the request's body, once: further calls do nothing until a
// Rewind has opened it again.
func (s *Source) Close() error {
	if s == absent {
		return nil
	}
	s.mu.Lock()
	b := s.body
	s.body, s.closed = nil, true
	s.mu.Unlock()
	if b == nil {
		return nil
	}
	return b.Close()
}
