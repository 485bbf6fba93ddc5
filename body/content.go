package body

import (
	"errors"
	"io"
	"net/http"
	"sync/atomic"

	"github.com/ratmom/ratmom/internal/failure"
)

// Content is the body of a request together with what the head says of it: its
// type and its length. [Content.Attach] gives it to a request. What could not be
// made is told there, so that constructors can stand in the call.
//
// A Content is not changed by its use. Unless it is [FromReader]'s, any number of
// requests may have it, at the same time too, and each can send it again: after a
// redirect, in a round of authentication, over another connection.
type Content struct {
	kind   string // the Content-Type
	length int64  // in bytes, -1 if it is not known
	bytes  []byte // of a body in memory
	open   func() (io.ReadCloser, error)
	once   *atomic.Bool // set when opened; nil: it can be opened again
	err    error
}

// Data is the bytes of b, which must not be changed while a request has them. An
// empty contentType sends none.
func Data(contentType string, b []byte) *Content {
	return &Content{kind: contentType, length: int64(len(b)), bytes: b}
}

// FromReader is what r gives: length bytes, or any number if length is negative. It
// can be sent one time only. If r is an io.Closer, it is closed when the body is no
// longer needed.
func FromReader(contentType string, r io.Reader, length int64) *Content {
	c := FromFunc(contentType, length, func() (io.ReadCloser, error) {
		if rc, ok := r.(io.ReadCloser); ok {
			return rc, nil
		}
		return io.NopCloser(r), nil
	})
	c.once = new(atomic.Bool)
	return c
}

// FromFunc is what the reader gives that open returns: length bytes, or any number
// if length is negative. open is called once for each time that the body is sent,
// when its first byte is asked for.
func FromFunc(contentType string, length int64, open func() (io.ReadCloser, error)) *Content {
	return &Content{kind: contentType, length: max(length, -1), open: open}
}

// failed is a content that could not be made.
func failed(err error) *Content { return &Content{err: err} }

// Type is the content's Content-Type.
func (c *Content) Type() string { return c.kind }

// Length is the number of bytes, -1 if it is not known.
func (c *Content) Length() int64 { return c.length }

// Rewindable reports whether the content can be sent more than once.
func (c *Content) Rewindable() bool { return c.once == nil }

// Attach makes c the body of req: it sets Body, ContentLength and GetBody, and the
// Content-Type unless req has one. It returns what went wrong when c was made, with
// kind ratmom.ErrRequestBody.
func (c *Content) Attach(req *http.Request) error {
	if c.err != nil {
		return failure.Wrap(failure.RequestBody, c.err)
	}
	if !c.take() {
		return failure.Wrap(failure.BodyNotRewindable, errTaken)
	}
	req.Body, req.ContentLength, req.GetBody = c.reader(), c.length, nil
	req.TransferEncoding = nil
	if c.Rewindable() {
		req.GetBody = func() (io.ReadCloser, error) { return c.reader(), nil }
	}
	if _, ok := req.Header["Content-Type"]; !ok && c.kind != "" {
		if req.Header == nil {
			req.Header = http.Header{}
		}
		req.Header.Set("Content-Type", c.kind)
	}
	return nil
}

var errTaken = errors.New("its reader has been given away already")

// take reports whether c may be sent; a reader may be one time only.
func (c *Content) take() bool {
	return c.once == nil || c.once.CompareAndSwap(false, true)
}

// reader opens c when it is first read.
func (c *Content) reader() io.ReadCloser {
	if c.open == nil {
		return Bytes(c.bytes)
	}
	return &sized{Reader: &lazy{open: c.open, length: c.length}, length: c.length}
}
