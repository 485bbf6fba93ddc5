package body

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/ratmom/ratmom/internal/failure"
)

// layer undoes one encoding of a body.
type layer struct {
	name  string
	src   tap
	in    *bufio.Reader // nil until the first read, and when the layer has ended
	codec codec
	err   error
}

// tap counts what a layer takes in, and keeps how that ended.
type tap struct {
	r   io.Reader
	n   int64
	err error
}

func (t *tap) Read(p []byte) (int, error) {
	if t.err != nil {
		return 0, t.err
	}
	n, err := t.r.Read(p)
	t.n += int64(n)
	t.err = err
	return n, err
}

// bufSize is what a layer reads at once, in bytes. A read returns what is there,
// so it delays nothing.
const bufSize = 16 * 1024

var bufPool = sync.Pool{New: func() any { return bufio.NewReaderSize(nil, bufSize) }}

var errBehindEnd = errors.New("data behind the end")

// emptyReads is how many reads in a row may give nothing.
const emptyReads = 100

func (l *layer) Read(p []byte) (int, error) {
	if l.err != nil {
		return 0, l.err
	}
	n, err := l.guardedRead(p)
	if err != nil {
		l.err = l.explain(err)
		l.free()
	}
	if n > 0 {
		return n, nil
	}
	return 0, l.err
}

// guardedRead turns a panic of a codec into an error: what a server sends must
// not end the program, whatever the state of the libraries that decode it.
func (l *layer) guardedRead(p []byte) (n int, err error) {
	defer func() {
		if r := recover(); r != nil {
			l.codec = nil // in no state to be used again
			n, err = 0, fmt.Errorf("decoder panicked: %v", r)
		}
	}()
	return l.read(p)
}

func (l *layer) read(p []byte) (int, error) {
	if l.in == nil {
		l.in = bufPool.Get().(*bufio.Reader)
		l.in.Reset(&l.src)
		if _, err := l.in.Peek(1); err != nil {
			return 0, err // io.EOF: an empty body
		}
		l.codec = codecs[l.name].Get().(codec)
		if err := l.codec.open(l.in); err != nil {
			return 0, noEOF(err)
		}
	}
	for range emptyReads {
		n, err := l.codec.Read(p)
		if err == io.EOF && n == 0 {
			return 0, l.end()
		}
		if n > 0 && err == io.EOF {
			return n, nil // the end is looked for at the next read
		}
		if n > 0 || err != nil {
			return n, err
		}
	}
	return 0, io.ErrNoProgress
}

// end reports io.EOF if the encoded data has ended too. It reads src to its
// end, so that what depends on that (trailers, the next use of the connection)
// comes about.
func (l *layer) end() error {
	if _, err := l.in.Peek(1); err != nil {
		return err
	}
	return errBehindEnd
}

// explain says whose fault err is.
func (l *layer) explain(err error) error {
	switch {
	case err == io.EOF:
		return err
	case l.src.err != nil && l.src.err != io.EOF:
		return l.src.err
	case l.src.err == io.EOF && errors.Is(err, io.ErrUnexpectedEOF):
		return failure.Newf(failure.Truncated, "%s: %w", l.name, io.ErrUnexpectedEOF)
	}
	return failure.Newf(failure.ContentEncoding, "%s: %w", l.name, err)
}

// free gives buffer and codec back.
func (l *layer) free() {
	if l.codec != nil {
		l.codec.release()
		codecs[l.name].Put(l.codec)
		l.codec = nil
	}
	if l.in != nil {
		l.in.Reset(nil)
		bufPool.Put(l.in)
		l.in = nil
		if l.err == nil {
			l.err = errClosed
		}
	}
}

func noEOF(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}
