package http1

import (
	"bytes"
	"io"
	"net/http"
)

// Chunked undoes the chunked coding as RFC 9112, section 7.1, writes it and in no other way: CRLF and
// nothing else ends a line and a chunk, no white space stands beside a size.
type Chunked struct {
	Trailer http.Header // once all has been read; nil if there was none

	in     Source
	limits Limits // of the trailer section

	left  int64 // of the chunk
	begun bool  // a chunk's data must be ended by CRLF before the next size
	extra int   // bytes spent on sizes and extensions beyond what is usual
	err   error // sticky; io.EOF when all has been read
}

const (
	chunkLineBytes  = 1 << 10  // with extensions, which nobody uses
	chunkExtraBytes = 16 << 10 // of all chunks together
)

var (
	errChunkSize    = malformed("malformed chunk size")
	errChunkEnd     = malformed("a chunk does not end where its size says")
	errChunkExtra   = malformed("the chunks have more extensions than data")
	errTrailer      = malformed("malformed trailer section")
	errTrailerField = malformed("a field that has no place in a trailer section")
)

var bodyEnd = []byte("\r\n0\r\n\r\n")

// NewChunked undoes the coding of what in gives from here on.
func NewChunked(in Source, limits Limits) *Chunked { return &Chunked{in: in, limits: limits} }

// Read is io.Reader. The error at the end is io.EOF, and then in is behind the trailer section.
func (c *Chunked) Read(p []byte) (int, error) {
	if c.err == nil && c.left == 0 {
		c.err = c.nextChunk()
	}
	if c.err != nil {
		return 0, c.err
	}
	if int64(len(p)) > c.left {
		p = p[:c.left]
	}
	n, err := c.in.Read(p)
	c.left -= int64(n)
	if err != nil {
		c.err = Unexpected(err)
	}
	if c.left == 0 && c.err == nil && bytes.HasPrefix(c.in.Pending(), bodyEnd) {
		// The end of the body comes with its last bytes, if it is here already: to find out more could
		// mean to wait, with data at hand that somebody wants.
		c.err = c.nextChunk()
	}
	if n > 0 {
		return n, nil
	}
	return n, c.err
}

// nextChunk reads up to the next chunk's data, or to the end.
func (c *Chunked) nextChunk() error {
	if c.begun {
		end, err := readLine(c.in, 1, errChunkEnd)
		if err != nil {
			return err
		}
		if len(end) > 0 {
			return errChunkEnd
		}
	}
	line, err := readLine(c.in, chunkLineBytes, errChunkSize)
	if err != nil {
		return err
	}
	size, digits := int64(0), 0
	for digits < len(line) && Hex(line[digits]) >= 0 {
		if digits == 15 {
			return errChunkSize
		}
		size = size<<4 | int64(Hex(line[digits]))
		digits++
	}
	if digits == 0 || !validExtension(line[digits:]) {
		return errChunkSize
	}
	// One byte of data in each chunk is a client's right; a thousand bytes around it are an attack.
	c.extra = max(0, c.extra+len(line)-16-int(min(size, chunkExtraBytes)))
	if c.extra > chunkExtraBytes {
		return errChunkExtra
	}
	c.left, c.begun = size, true
	if size > 0 {
		return nil
	}
	return c.readTrailer()
}

func validExtension(b []byte) bool {
	return len(b) == 0 || b[0] == ';' && All(b, &Value)
}

func (c *Chunked) readTrailer() error {
	total := 0
	for number := 0; ; number++ {
		line, err := readLine(c.in, c.limits.Bytes-total, errTrailer)
		if err != nil {
			return err
		}
		if len(line) == 0 {
			return io.EOF
		}
		if total += len(line) + 2; number >= c.limits.Lines {
			return errTrailer
		}
		name, value, err := SplitField(line)
		if err != nil {
			return errTrailer
		}
		key := http.CanonicalHeaderKey(string(name))
		if !MayTrail(key) {
			return errTrailerField
		}
		if c.Trailer == nil {
			c.Trailer = http.Header{}
		}
		c.Trailer[key] = append(c.Trailer[key], string(value))
	}
}
