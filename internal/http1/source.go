package http1

import (
	"bufio"
	"bytes"
	"io"
)

// Malformed is the fault of who has sent what was read.
type Malformed struct{ why string }

// Error says what is wrong, and nothing of what was sent.
func (e *Malformed) Error() string { return e.why }

func malformed(why string) error { return &Malformed{why} }

// Source is what has been read of a connection and not been used yet, and what comes behind it.
type Source interface {
	io.Reader
	Pending() []byte // valid until the next Fill or Read
	Skip(n int)      // drops the first n bytes of what is pending
	Fill() error     // reads at least one byte behind what is pending
}

// Limits bound a head, or a trailer section.
type Limits struct {
	Bytes int // with its blank line
	Lines int // of fields
}

var errTooLong = malformed("a line is too long")

// readLine gives the next line without its CRLF; it is valid until more is read. One that is longer
// than most, or ends otherwise, is wrong.
func readLine(in Source, most int, wrong error) ([]byte, error) {
	tried := 0
	for {
		b := in.Pending()
		if n := bytes.IndexByte(b[tried:], '\n'); n >= 0 {
			n += tried
			if n == 0 || b[n-1] != '\r' || n > most {
				return nil, wrong
			}
			in.Skip(n + 1)
			return b[:n-1], nil
		}
		if tried = len(b); tried > most {
			return nil, wrong
		}
		if err := in.Fill(); err != nil {
			return nil, Unexpected(err)
		}
	}
}

// Unexpected is io.ErrUnexpectedEOF for io.EOF.
func Unexpected(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// Buffered is a Source over a bufio.Reader, whose size bounds a line.
type Buffered struct{ *bufio.Reader }

// Pending implements Source.
func (b Buffered) Pending() []byte {
	p, _ := b.Peek(b.Buffered())
	return p
}

// Skip implements Source.
func (b Buffered) Skip(n int) { _, _ = b.Discard(n) }

// Fill implements Source.
func (b Buffered) Fill() error {
	n := b.Buffered()
	if _, err := b.Peek(n + 1); b.Buffered() == n {
		if err == bufio.ErrBufferFull {
			return errTooLong
		}
		return err
	}
	return nil
}
