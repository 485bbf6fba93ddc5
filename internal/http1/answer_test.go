package http1

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var answerCases = []struct {
	name, method, text string
	status             int
	body               string
	close              bool
	err                error // of the head
	bodyErr            error
}{
	{"a length", "GET", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", 200, "hello", false, nil, nil},
	{"no body", "GET", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 200, "", false, nil, nil},
	{"no reason", "GET", "HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", 200, "", false, nil, nil},
	{"an empty reason", "GET", "HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n", 200, "", false, nil, nil},
	{"chunks", "GET", "HTTP/1.1 200 OK\r\ntransfer-encoding: Chunked\r\n\r\n5\r\nhello\r\n0\r\nX: y\r\n\r\n", 200, "hello", false, nil, nil},
	{"up to the end", "GET", "HTTP/1.1 200 OK\r\n\r\nhello", 200, "hello", true, nil, nil},
	{"HEAD", "HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", 200, "", false, nil, nil},
	{"HEAD of chunks", "HEAD", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", 200, "", false, nil, nil},
	{"204", "GET", "HTTP/1.1 204 No Content\r\n\r\n", 204, "", false, nil, nil},
	{"204 with a length of 0", "GET", "HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n", 204, "", false, nil, nil},
	{"304", "GET", "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", 304, "", false, nil, nil},
	{"informational ones before it", "GET", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\nHTTP/1.1 204 X\r\n\r\n", 204, "", false, nil, nil},
	{"the last one", "GET", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nConnection: x, Close\r\n\r\na", 200, "a", true, nil, nil},
	{"version 1.0", "GET", "HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\na", 200, "a", true, nil, nil},
	{"version 1.0 that stays", "GET", "HTTP/1.0 200 OK\r\nContent-Length: 1\r\nConnection: keep-alive\r\n\r\na", 200, "a", false, nil, nil},

	{"nothing", "GET", "", 0, "", false, io.EOF, nil},
	{"a part of a status line", "GET", "HTTP/1.1 2", 0, "", false, io.ErrUnexpectedEOF, nil},
	{"a part of a head", "GET", "HTTP/1.1 200 OK\r\nA: b\r\n", 0, "", false, io.ErrUnexpectedEOF, nil},
	{"a part of a body", "GET", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello", 200, "hello", false, nil, io.ErrUnexpectedEOF},
	{"a part of the chunks", "GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", 200, "hello", false, nil, io.ErrUnexpectedEOF},
	{"LF alone", "GET", "HTTP/1.1 200 OK\nContent-Length: 0\n\n", 0, "", false, errStatusLine, nil},
	{"LF alone behind a field", "GET", "HTTP/1.1 200 OK\r\nContent-Length: 0\n\r\n", 0, "", false, errHeadBytes, nil},
	{"an empty line before it", "GET", "\r\nHTTP/1.1 200 OK\r\n\r\n", 0, "", false, errStatusLine, nil},
	{"HTTP/2", "GET", "HTTP/2.0 200 OK\r\n\r\n", 0, "", false, errVersion, nil},
	{"another protocol", "GET", "SSH-2.0-OpenSSH_9.2 and more\r\n", 0, "", false, errStatusLine, nil},
	{"two spaces", "GET", "HTTP/1.1  200 OK\r\n\r\n", 0, "", false, errStatusLine, nil},
	{"a status of four digits", "GET", "HTTP/1.1 2000 OK\r\n\r\n", 0, "", false, errStatusLine, nil},
	{"a status of 600", "GET", "HTTP/1.1 600 OK\r\n\r\n", 0, "", false, errStatusLine, nil},
	{"a status of 099", "GET", "HTTP/1.1 099 OK\r\n\r\n", 0, "", false, errStatusLine, nil},
	{"CR in the reason", "GET", "HTTP/1.1 200 O\rK\r\n\r\n", 0, "", false, errStatusLine, nil},
	{"a folded line", "GET", "HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n", 0, "", false, errFolded, nil},
	{"a space before the colon", "GET", "HTTP/1.1 200 OK\r\nContent-Length : 0\r\n\r\n", 0, "", false, errName, nil},
	{"no colon", "GET", "HTTP/1.1 200 OK\r\nHello\r\n\r\n", 0, "", false, errName, nil},
	{"NUL in a value", "GET", "HTTP/1.1 200 OK\r\nA: \x00\r\n\r\n", 0, "", false, errValue, nil},
	{"two lengths", "GET", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello", 0, "", false, errLengths, nil},
	{"a list of lengths", "GET", "HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\n\r\nhello", 0, "", false, errLength, nil},
	{"a length with a sign", "GET", "HTTP/1.1 200 OK\r\nContent-Length: +5\r\n\r\nhello", 0, "", false, errLength, nil},
	{"a length without digits", "GET", "HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\n", 0, "", false, errLength, nil},
	{"a length that is too long", "GET", "HTTP/1.1 200 OK\r\nContent-Length: 9999999999999999999\r\n\r\n", 0, "", false, errLength, nil},
	{"a length and chunks", "GET", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", 0, "", false, errBoth, nil},
	{"a length and chunks to HEAD", "HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", 0, "", false, errBoth, nil},
	{"another coding", "GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", 0, "", false, errCoding, nil},
	{"identity", "GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\n\r\n", 0, "", false, errCoding, nil},
	{"chunked twice", "GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", 0, "", false, errCoding, nil},
	{"chunks of version 1.0", "GET", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", 0, "", false, errCodingOld, nil},
	{"204 with a body", "GET", "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\nhello", 0, "", false, errBodyless, nil},
	{"204 with chunks", "GET", "HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n", 0, "", false, errBodyless, nil},
	{"100 with a body", "GET", "HTTP/1.1 100 Continue\r\nContent-Length: 5\r\n\r\nhello", 0, "", false, errBodyless, nil},
	{"101", "GET", "HTTP/1.1 101 Switching Protocols\r\n\r\n", 0, "", false, errSwitched, nil},
	{"informational ones without end", "GET", strings.Repeat("HTTP/1.1 103 Early Hints\r\n\r\n", 100), 0, "", false, errInformation, nil},
	{"too many fields", "GET", "HTTP/1.1 200 OK\r\n" + strings.Repeat("a: b\r\n", 200), 0, "", false, errHeadLines, nil},
	{"a head that is too large", "GET", "HTTP/1.1 200 OK\r\n" + strings.Repeat("a: "+strings.Repeat("b", 1000)+"\r\n", 100), 0, "", false, errHeadBytes, nil},
	{"a line that is too long", "GET", "HTTP/1.1 200 OK\r\na: " + strings.Repeat("b", 20<<10), 0, "", false, errTooLong, nil},
	{"a status line without end", "GET", "HTTP/1.1 200 " + strings.Repeat("b", 20<<10), 0, "", false, errTooLong, nil},
}

func answerSource(r io.Reader) Source { return Buffered{bufio.NewReaderSize(r, 16<<10)} }

func TestReadAnswer_reads_what_the_standard_says_and_refuses_the_rest(t *testing.T) {
	for _, c := range answerCases {
		for _, how := range []struct {
			name string
			r    io.Reader
		}{{"at once", strings.NewReader(c.text)}, {"byte by byte", iotest.OneByteReader(strings.NewReader(c.text))}} {
			t.Run(c.name+"/"+how.name, func(t *testing.T) {
				in := answerSource(how.r)
				a, err := ReadAnswer(in, c.method, someLimits)
				if c.err != nil {
					require.Equal(t, c.err, err)
					return
				}
				require.NoError(t, err)
				assert.Equal(t, c.status, a.Status)
				assert.Equal(t, c.close, a.Close)
				body, err := io.ReadAll(a.Body(in, someLimits))
				assert.Equal(t, c.bodyErr, err)
				assert.Equal(t, c.body, string(body))
				assert.Empty(t, in.Pending())
			})
		}
	}
}

func TestReadAnswer_tells_what_came(t *testing.T) {
	in := answerSource(strings.NewReader("HTTP/1.1 200 All is well\r\nA: 1\r\na:2 \r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nX: y\r\n\r\nrest"))
	a, err := ReadAnswer(in, "GET", someLimits)
	require.NoError(t, err)
	b := a.Body(in, someLimits)
	assert.EqualValues(t, -1, b.Left())
	assert.False(t, b.Over())
	_, err = io.ReadAll(b)
	require.NoError(t, err)
	assert.True(t, b.Over())
	assert.Equal(t, "All is well", a.Reason)
	assert.Equal(t, http.Header{"A": {"1", "2"}, "Transfer-Encoding": {"chunked"}}, a.Header)
	assert.Equal(t, http.Header{"X": {"y"}}, b.Trailer())
	assert.Equal(t, "rest", string(in.Pending()))
}

// What is let through, net/http reads in the same way, and the next answer begins at the same byte.
func FuzzAnswer_agrees_with_net_http_or_refuses(f *testing.F) {
	for _, c := range answerCases {
		f.Add(c.method == http.MethodHead, []byte(c.text))
	}
	f.Fuzz(func(t *testing.T, head bool, b []byte) {
		method := http.MethodGet
		if head {
			method = http.MethodHead
		}
		in := answerSource(bytes.NewReader(b))
		a, err := ReadAnswer(in, method, someLimits)
		slowIn := answerSource(iotest.OneByteReader(bytes.NewReader(b)))
		slow, errSlow := ReadAnswer(slowIn, method, someLimits)
		require.Equal(t, err, errSlow)
		require.Equal(t, a, slow)
		if err != nil {
			return
		}
		r := bufio.NewReader(bytes.NewReader(b))
		var theirs *http.Response
		for theirs == nil || theirs.StatusCode < 200 {
			theirs, err = http.ReadResponse(r, &http.Request{Method: method}) //nolint:bodyclose // of memory
			require.NoError(t, err)
		}
		require.Equal(t, theirs.StatusCode, a.Status)
		require.Equal(t, theirs.Proto, fmt.Sprint("HTTP/1.", a.Minor))
		if theirs.ContentLength >= 0 && !head && a.Status != http.StatusNotModified {
			require.Equal(t, theirs.ContentLength, a.Length)
		}
		ours, err := io.ReadAll(a.Body(in, someLimits))
		oursSlow, errSlow := io.ReadAll(slow.Body(slowIn, someLimits))
		require.Equal(t, err, errSlow)
		require.Equal(t, ours, oursSlow)
		if err != nil {
			return
		}
		body, err := io.ReadAll(theirs.Body)
		require.NoError(t, err)
		require.Equal(t, body, ours)
		rest, _ := io.ReadAll(r)
		after, _ := io.ReadAll(in)
		require.Equal(t, string(rest), string(after))
	})
}
