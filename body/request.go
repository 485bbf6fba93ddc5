package body

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"reflect"
	"strings"
	"sync/atomic"
	"unsafe"
)

// Bytes returns a request body of the bytes of b, which must not be changed
// until the request has ended. It carries its length and can be sent again
// without a GetBody. An empty one is a body of length 0, which is sent with
// "Content-Length: 0"; for no body at all use nil or http.NoBody.
func Bytes(b []byte) io.ReadCloser {
	return &inMem{b: b}
}

// String returns a request body of the bytes of s; see Bytes.
func String(s string) io.ReadCloser {
	return &inMem{b: bytesOf(s)}
}

// Reader returns a request body of the length bytes that r gives; a negative
// length is one that is not known, for which HTTP/1.1 sends chunks. If r gives
// more or fewer bytes, the request fails with an error of kind ratmom.ErrRequestBody. If r
// is an io.Closer, it is closed when the body is no longer needed.
func Reader(r io.Reader, length int64) io.ReadCloser {
	return &sized{Reader: r, length: max(length, -1)}
}

// GetBody returns what opens the body of req again: req.GetBody, or the means
// of this package's own types; nil if there is none. Set it as req.GetBody
// where other code, such as http.Client, follows redirects.
func GetBody(req *http.Request) func() (io.ReadCloser, error) {
	if req.GetBody != nil {
		return req.GetBody
	}
	if m, ok := req.Body.(*inMem); ok {
		return func() (io.ReadCloser, error) { return Bytes(m.b), nil }
	}
	return nil
}

// inMem is a body in memory.
type inMem struct {
	b      []byte
	off    int
	closed atomic.Bool
}

func (m *inMem) Read(p []byte) (int, error) {
	if m.closed.Load() {
		return 0, errClosed
	}
	n := copy(p, m.b[m.off:])
	m.off += n
	if n == 0 && len(p) > 0 {
		return 0, io.EOF
	}
	return n, nil
}

// WriteTo implements io.WriterTo.
func (m *inMem) WriteTo(w io.Writer) (int64, error) {
	if m.closed.Load() {
		return 0, errClosed
	}
	n, err := w.Write(m.b[m.off:])
	m.off += n
	return int64(n), err
}

// Len returns the number of bytes that have not been read.
func (m *inMem) Len() int { return len(m.b) - m.off }

func (m *inMem) Close() error {
	m.closed.Store(true)
	return nil
}

// sized is a stream with a length of its own.
type sized struct {
	io.Reader
	length int64
}

func (s *sized) Close() error {
	if c, ok := s.Reader.(io.Closer); ok {
		return c.Close()
	}
	return nil
}

// The types in which io.NopCloser, and so http.NewRequest, wraps a reader.
var (
	nopCloser         = reflect.TypeOf(io.NopCloser(nil))
	nopCloserWriterTo = reflect.TypeOf(io.NopCloser(struct {
		io.Reader
		io.WriterTo
	}{}))
)

// inMemory returns the unread bytes of a body whose type is known to hold them,
// and leaves them unread.
func inMemory(r io.Reader) ([]byte, bool) {
	switch r := r.(type) {
	case *inMem:
		return r.b[r.off:], true
	case *bytes.Buffer:
		return r.Bytes(), true
	case *bytes.Reader:
		snapshot := *r
		return bytesIn(&snapshot)
	case *strings.Reader:
		snapshot := *r
		return bytesIn(&snapshot)
	case *sized:
		b, ok := inMemory(r.Reader)
		return b, ok && r.length == int64(len(b))
	}
	switch reflect.TypeOf(r) {
	case nopCloser, nopCloserWriterTo:
		if inner, ok := reflect.ValueOf(r).Field(0).Interface().(io.Reader); ok {
			return inMemory(inner)
		}
	}
	return nil, false
}

var errRefused = errors.New("not in one piece")

// catcher takes the one piece that the standard library's readers write.
type catcher struct {
	b    []byte
	done bool
}

func (c *catcher) Write(p []byte) (int, error) {
	if c.done {
		return 0, errRefused
	}
	c.b, c.done = p, true
	return len(p), nil
}

func (c *catcher) WriteString(s string) (int, error) { return c.Write(bytesOf(s)) }

func bytesIn(w io.WriterTo) ([]byte, bool) {
	var c catcher
	_, err := w.WriteTo(&c)
	return c.b, err == nil
}

// bytesOf returns the memory of s. Nothing in this package writes to it.
func bytesOf(s string) []byte { return unsafe.Slice(unsafe.StringData(s), len(s)) }
