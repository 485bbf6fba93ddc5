package server

import (
	"bytes"
	"io"
	"net/http"
)

// chunked undoes the chunked coding as RFC 9112, section 7.1, writes it and in no other way: CRLF and
// nothing else ends a line and a chunk, no white space stands beside a size.
type chunked struct {
	in     *input
	limits *Limits

	left    int64 // of the chunk
	begun   bool  // a chunk's data must be ended by CRLF before the next size
	extra   int   // bytes spent on sizes and extensions beyond what is usual
	trailer http.Header
	err     error // sticky; io.EOF when all has been read
}

const (
	chunkLineBytes  = 1 << 10  // with extensions, which nobody uses
	chunkExtraBytes = 16 << 10 // of all chunks together
)

var (
	errChunkSize    = bad("malformed chunk size")
	errChunkEnd     = bad("a chunk does not end where its size says")
	errChunkExtra   = bad("the chunks have more extensions than data")
	errTrailer      = bad("malformed trailer section")
	errTrailerField = bad("a field that has no place in a trailer section")
)

var bodyEnd = []byte("\r\n0\r\n\r\n")

func (c *chunked) Read(p []byte) (int, error) {
	if c.err == nil && c.left == 0 {
		c.err = c.nextChunk()
	}
	if c.err != nil {
		return 0, c.err
	}
	if int64(len(p)) > c.left {
		p = p[:c.left]
	}
	n, err := c.in.read(p)
	c.left -= int64(n)
	if err != nil {
		c.err = unexpected(err)
	}
	if c.left == 0 && c.err == nil && bytes.HasPrefix(c.in.pending(), bodyEnd) {
		// The end of the body comes with its last bytes, if it is here already: to find out more could
		// mean to wait, with data at hand that somebody wants.
		c.err = c.nextChunk()
	}
	if n > 0 {
		return n, nil
	}
	return n, c.err
}

func unexpected(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// line gives the next line without its CRLF; it is valid until more is read.
func (c *chunked) line(most int, malformed error) ([]byte, error) {
	tried := 0
	for {
		b := c.in.pending()
		if n := bytes.IndexByte(b[tried:], '\n'); n >= 0 {
			n += tried
			if n == 0 || b[n-1] != '\r' || n > most {
				return nil, malformed
			}
			c.in.skip(n + 1)
			return b[:n-1], nil
		}
		if tried = len(b); tried > most {
			return nil, malformed
		}
		if err := c.in.fill(); err != nil {
			return nil, unexpected(err)
		}
	}
}

// nextChunk reads up to the next chunk's data, or to the end.
func (c *chunked) nextChunk() error {
	if c.begun {
		end, err := c.line(1, errChunkEnd)
		if err != nil {
			return err
		}
		if len(end) > 0 {
			return errChunkEnd
		}
	}
	line, err := c.line(chunkLineBytes, errChunkSize)
	if err != nil {
		return err
	}
	size, digits := int64(0), 0
	for digits < len(line) && hex(line[digits]) >= 0 {
		if digits == 15 {
			return errChunkSize
		}
		size = size<<4 | int64(hex(line[digits]))
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
	return len(b) == 0 || b[0] == ';' && all(b, &isValue)
}

func (c *chunked) readTrailer() error {
	total := 0
	for number := 0; ; number++ {
		line, err := c.line(c.limits.HeadBytes-total, errTrailer)
		if err != nil {
			return err
		}
		if len(line) == 0 {
			return io.EOF
		}
		if total += len(line) + 2; number >= c.limits.HeadLines {
			return errTrailer
		}
		name, value, err := splitField(line)
		if err != nil {
			return errTrailer
		}
		key := http.CanonicalHeaderKey(string(name))
		if !mayTrail(key) {
			return errTrailerField
		}
		if c.trailer == nil {
			c.trailer = http.Header{}
		}
		c.trailer[key] = append(c.trailer[key], string(value))
	}
}

// mayTrail tells the fields that decide framing, routing or access and so come too late in a trailer
// section (RFC 9110, section 6.5.1).
func mayTrail(key string) bool {
	switch key {
	case "Authorization", "Connection", "Content-Encoding", "Content-Length", "Content-Range", "Content-Type", "Cookie",
		"Expect", "Host", "Keep-Alive", "Max-Forwards", "Proxy-Authorization", "Proxy-Connection", "Range", "Te",
		"Trailer", "Transfer-Encoding", "Upgrade":
		return false
	}
	return true
}
