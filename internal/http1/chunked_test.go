package http1

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var someLimits = Limits{Bytes: 64 << 10, Lines: 128}

func sourceOf(r io.Reader) Source { return Buffered{bufio.NewReader(r)} }

func unchunk(r io.Reader) (string, http.Header, string, error) {
	in := sourceOf(r)
	c := NewChunked(in, someLimits)
	b, err := io.ReadAll(c)
	return string(b), c.Trailer, string(in.Pending()), err
}

func TestChunked_gives_the_data_and_leaves_what_follows(t *testing.T) {
	text := "5\r\nhello\r\n00A;a=b;c\r\n, world 12\r\n0\r\nX-Sum: 1\r\nx-sum: 2\r\n\r\nGET"
	for _, r := range []io.Reader{strings.NewReader(text), iotest.OneByteReader(strings.NewReader(text))} {
		body, trailer, rest, err := unchunk(r)
		require.NoError(t, err)
		assert.Equal(t, "hello, world 12", body)
		assert.Equal(t, http.Header{"X-Sum": {"1", "2"}}, trailer)
		if rest != "" { // byte by byte nothing is read ahead
			assert.Equal(t, "GET", rest)
		}
	}
}

func TestChunked_refuses_what_others_read_otherwise(t *testing.T) {
	for text, want := range map[string]error{
		"5\nhello\r\n0\r\n\r\n":                            errChunkSize,
		"5;a\nhello\r\n0\r\n\r\n":                          errChunkSize,
		"5;a\rb\r\nhello\r\n0\r\n\r\n":                     errChunkSize,
		"5 \r\nhello\r\n0\r\n\r\n":                         errChunkSize,
		" 5\r\nhello\r\n0\r\n\r\n":                         errChunkSize,
		"5 ;a\r\nhello\r\n0\r\n\r\n":                       errChunkSize,
		"+5\r\nhello\r\n0\r\n\r\n":                         errChunkSize,
		"0x5\r\nhello\r\n0\r\n\r\n":                        errChunkSize,
		"\r\nhello":                                        errChunkSize,
		"-1\r\n":                                           errChunkSize,
		"10000000000000005\r\nhello\r\n0\r\n\r\n":          errChunkSize,
		"5;" + strings.Repeat("a", 2000) + "\r\n":          errChunkSize,
		"5\r\nhello\n0\r\n\r\n":                            errChunkEnd,
		"5\r\nhelloX\r\n0\r\n\r\n":                         errChunkEnd,
		"5\r\nhello0\r\n\r\n":                              errChunkEnd,
		"0\r\n\n":                                          errTrailer,
		"0\r\nX: y\n\r\n":                                  errTrailer,
		"0\r\nX : y\r\n\r\n":                               errTrailer,
		"0\r\n X: y\r\n\r\n":                               errTrailer,
		"0\r\nGET / HTTP/1.1\r\n\r\n":                      errTrailer,
		"0\r\nContent-Length: 5\r\n\r\n":                   errTrailerField,
		"0\r\ntransfer-encoding: chunked\r\n\r\n":          errTrailerField,
		"0\r\n" + strings.Repeat("a: b\r\n", 200) + "\r\n": errTrailer,
		"5\r\nhel":                                         io.ErrUnexpectedEOF,
		"5\r\nhello\r\n":                                   io.ErrUnexpectedEOF,
		"0\r\n":                                            io.ErrUnexpectedEOF,
	} {
		_, _, _, err := unchunk(strings.NewReader(text))
		assert.Equal(t, want, err, "%.40q", text)
		_, _, _, err = unchunk(iotest.OneByteReader(strings.NewReader(text)))
		assert.Equal(t, want, err, "%.40q, byte by byte", text)
	}
}

func TestChunked_ends_what_is_made_of_extensions(t *testing.T) {
	one := "1;" + strings.Repeat("e", 900) + "\r\na\r\n"
	_, _, _, err := unchunk(strings.NewReader(strings.Repeat(one, 100)))
	assert.Equal(t, errChunkExtra, err)
	body, _, _, err := unchunk(strings.NewReader(strings.Repeat("1\r\na\r\n", 100000) + "0\r\n\r\n"))
	require.NoError(t, err)
	assert.Len(t, body, 100000)
}

func TestChunked_gives_what_is_there_before_it_waits_for_more(t *testing.T) {
	for _, more := range []string{"\r\n1000\r", "\r\n5;name", "\r\n0\r\nX: y", "\r\n0\r\nX: y\r\n"} {
		r, w := io.Pipe()
		c := NewChunked(sourceOf(r), someLimits)
		go func() { _, _ = io.WriteString(w, "5\r\nhello"+more) }()
		b := make([]byte, 10)
		n, err := c.Read(b) // would wait for ever
		require.NoError(t, err)
		assert.Equal(t, "hello", string(b[:n]), more)
	}
}

func TestChunked_stays_at_its_error(t *testing.T) {
	c := NewChunked(sourceOf(strings.NewReader("x\r\n5\r\nhello\r\n0\r\n\r\n")), someLimits)
	for range 3 {
		_, err := c.Read(make([]byte, 10))
		assert.Equal(t, errChunkSize, err)
	}
}

// encode writes data as chunks of the size given.
func encode(data string, size int) string {
	var b strings.Builder
	for len(data) > 0 {
		n := min(size, len(data))
		fmt.Fprintf(&b, "%x\r\n%s\r\n", n, data[:n])
		data = data[n:]
	}
	return b.String() + "0\r\n\r\n"
}
