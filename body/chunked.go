package body

import (
	"errors"
	"io"

	"github.com/ratmom/ratmom/internal/failure"
)

// Chunked passes on a body in the chunked coding as it is, chunk sizes and trailers
// among it, and ends where the coding ends: what a server sends behind that belongs to
// nothing (RFC 9112, section 7.1).
func Chunked(r io.ReadCloser) io.ReadCloser { return &chunked{ReadCloser: r} }

type chunked struct {
	io.ReadCloser
	state chunkState
	size  uint64 // what is left of the chunk; while its size is read, so far
	err   error
}

type chunkState uint8

const (
	inSize      chunkState = iota // digits
	inExtension                   // up to the line's end
	inData
	behindData // up to the line's end
	atTrailer  // the beginning of a line
	inTrailer  // within a line
	atEnd
)

var errChunk = errors.New("malformed chunk")

func (c *chunked) Read(p []byte) (int, error) {
	if c.err != nil {
		return 0, c.err
	}
	if c.state == atEnd {
		// The transfer ends here too, unless libcurl does not know the coding.
		c.err = io.EOF
		return 0, io.EOF
	}
	n, err := c.ReadCloser.Read(p)
	used, bad := c.follow(p[:n])
	switch {
	case bad != nil:
		err = failure.Wrap(failure.Protocol, bad)
	case err == io.EOF && c.state != atEnd:
		err = failure.Wrap(failure.Truncated, io.ErrUnexpectedEOF)
	}
	c.err = err
	return used, err
}

// follow tells how many bytes of p belong to the body.
func (c *chunked) follow(p []byte) (int, error) {
	for i := 0; i < len(p); i++ {
		b := p[i]
		switch c.state {
		case inSize:
			d, ok := hexDigit(b)
			switch {
			case ok && c.size>>60 != 0:
				return i, errChunk
			case ok:
				c.size = c.size<<4 | d
			default:
				c.state = inExtension
				i-- // it may be the line's end
			}
		case inExtension:
			if b == '\n' {
				c.state = inData
				if c.size == 0 {
					c.state = atTrailer
				}
			}
		case inData:
			n := min(uint64(len(p)-i), c.size)
			c.size -= n
			i += int(n) - 1
			if c.size == 0 {
				c.state = behindData
			}
		case behindData:
			switch b {
			case '\r':
			case '\n':
				c.state = inSize
			default:
				return i, errChunk
			}
		case atTrailer:
			switch b {
			case '\r':
			case '\n':
				c.state = atEnd
				return i + 1, nil
			default:
				c.state = inTrailer
			}
		case inTrailer:
			if b == '\n' {
				c.state = atTrailer
			}
		}
	}
	return len(p), nil
}

func hexDigit(b byte) (uint64, bool) {
	switch {
	case '0' <= b && b <= '9':
		return uint64(b - '0'), true
	case 'a' <= b && b <= 'f':
		return uint64(b-'a') + 10, true
	case 'A' <= b && b <= 'F':
		return uint64(b-'A') + 10, true
	}
	return 0, false
}
