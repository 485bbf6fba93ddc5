package body

import (
	"bytes"
	"errors"
	"io"
	"net/http/httputil"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom/internal/failure"
)

func readChunked(s string, by func(io.Reader) io.Reader) (string, error) {
	b, err := io.ReadAll(Chunked(io.NopCloser(by(strings.NewReader(s)))))
	return string(b), err
}

func TestChunked_passes_the_coding_on_and_ends_with_it(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"0\r\n\r\n", "0\r\n\r\n"},
		{"5\r\nhello\r\n0\r\n\r\nHTTP/1.1 200 OK\r\n", "5\r\nhello\r\n0\r\n\r\n"},
		{"A;x=\"y\"\r\n0123456789\r\n1\r\n\n\r\n00\r\nA: b\r\nC: d\r\n\r\nrest", "A;x=\"y\"\r\n0123456789\r\n1\r\n\n\r\n00\r\nA: b\r\nC: d\r\n\r\n"},
		{"1\nx\n0\n\nrest", "1\nx\n0\n\n"},
	} {
		for _, by := range []func(io.Reader) io.Reader{func(r io.Reader) io.Reader { return r }, iotest.OneByteReader, iotest.DataErrReader} {
			got, err := readChunked(c.in, by)
			require.NoError(t, err)
			assert.Equal(t, c.want, got)
		}
	}
}

func TestChunked_tells_what_is_cut_or_malformed(t *testing.T) {
	for _, in := range []string{"", "5", "5\r\nhel", "5\r\nhello\r\n", "0\r\n", "0\r\nA: b\r\n"} {
		_, err := readChunked(in, iotest.OneByteReader)
		require.ErrorIs(t, err, io.ErrUnexpectedEOF, "%q", in)
	}
	for _, in := range []string{"1\r\nxy", "11111111111111111\r\n"} {
		_, err := readChunked(in, iotest.OneByteReader)
		require.ErrorIs(t, err, errChunk, "%q", in)
	}
	broken := errors.New("broken")
	_, err := readChunked("5\r\nhe", func(r io.Reader) io.Reader { return io.MultiReader(r, iotest.ErrReader(broken)) })
	require.ErrorIs(t, err, broken)
}

func FuzzChunked(f *testing.F) {
	for _, s := range []string{"0\r\n\r\n", "5\r\nhello\r\n0\r\nA: b\r\n\r\nrest", "ff", "1\r\nxx", ""} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		got, err := io.ReadAll(Chunked(io.NopCloser(bytes.NewReader(in))))
		require.True(t, bytes.HasPrefix(in, got))
		slow, slowErr := io.ReadAll(Chunked(io.NopCloser(iotest.OneByteReader(bytes.NewReader(in)))))
		require.Equal(t, err == nil, slowErr == nil)
		if err != nil {
			return
		}
		require.Equal(t, got, slow)
		// What the standard library takes for chunked, it reads the same of both.
		want, errAll := io.ReadAll(httputil.NewChunkedReader(bytes.NewReader(in)))
		if errAll == nil {
			have, err := io.ReadAll(httputil.NewChunkedReader(bytes.NewReader(got)))
			require.NoError(t, err)
			require.Equal(t, want, have)
		}
	})
}

func TestMeter_hands_out_no_byte_over_the_limit(t *testing.T) {
	for max, in := range map[int64]string{5: "hello", 6: "hello", 4: "hello", 1: "hello"} {
		var seen []int64
		m := &Meter{ReadCloser: io.NopCloser(iotest.HalfReader(strings.NewReader(in))), Max: max, Total: -1, Progress: func(n, total int64) {
			assert.EqualValues(t, -1, total)
			seen = append(seen, n)
		}}
		got, err := io.ReadAll(m)
		assert.Equal(t, in[:min(max, int64(len(in)))], string(got))
		assert.EqualValues(t, len(got), seen[len(seen)-1])
		if max >= int64(len(in)) {
			require.NoError(t, err)
			continue
		}
		require.ErrorIs(t, err, failure.BodyTooLarge)
		_, err = m.Read(make([]byte, 1))
		require.ErrorIs(t, err, failure.BodyTooLarge)
	}
}
