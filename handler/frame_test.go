package handler

import (
	"bufio"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom/internal/failure"
)

// frames are responses, each with the method of its request.
var frames = []struct{ method, head string }{
	{"GET", "HTTP/1.1 200 OK\r\nContent-Length: 5"},
	{"GET", "HTTP/1.1 200 OK\r\nContent-Length: 0"},
	{"GET", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5"},
	{"GET", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6"},
	{"GET", "HTTP/1.1 200 OK\r\nContent-Length: +3"},
	{"GET", "HTTP/1.1 200 OK\r\nContent-Length: 3, 3"},
	{"GET", "HTTP/1.1 200 OK\r\nContent-Length:"},
	{"HEAD", "HTTP/1.1 200 OK\r\nContent-Length: -1"},
	{"HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 123"},
	{"HEAD", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked"},
	{"HEAD", "HTTP/1.1 200 OK"},
	{"HEAD", "HTTP/1.1 304 Not Modified\r\nContent-Length: 123"},
	{"GET", "HTTP/1.1 304 Not Modified\r\nContent-Length: 123"},
	{"GET", "HTTP/1.1 204 No Content\r\nContent-Length: 123"},
	{"GET", "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x"},
	{"GET", "HTTP/1.1 200 OK"},
	{"GET", "HTTP/1.1 200 OK\r\nConnection: close"},
	{"GET", "HTTP/1.1 200 OK\r\nConnection: Foo, Close\r\nContent-Length: 3"},
	{"GET", "HTTP/1.0 200 OK\r\nContent-Length: 3"},
	{"GET", "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 3"},
	{"GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\nContent-Length: 3"},
	{"GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: a, B\r\nTrailer: ,c,"},
	{"GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: Content-Length"},
	{"GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer:"},
	{"GET", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTrailer: A"},
	{"GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked"},
	{"GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked"},
	{"GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\nContent-Length: 3"},
}

func TestFrame_is_that_of_net_http(t *testing.T) {
	for _, c := range frames {
		t.Run(c.method+" "+c.head, func(t *testing.T) {
			raw := c.head + "\r\n\r\n"
			want, wantErr := http.ReadResponse(bufio.NewReader(strings.NewReader(raw)), &http.Request{Method: c.method})
			h, err := ParseHead([]byte(raw))
			require.NoError(t, err)
			f, err := h.Frame(c.method)
			if wantErr != nil {
				require.ErrorIs(t, err, failure.Protocol, "net/http: %v", wantErr)
				return
			}
			require.NoError(t, err)
			defer want.Body.Close()
			assert.Equal(t, want.ContentLength, f.ContentLength)
			assert.Equal(t, want.TransferEncoding, f.TransferEncoding)
			assert.Equal(t, want.Close, f.Close)
			assert.Equal(t, want.Trailer, f.Trailer)
			assert.Equal(t, want.Header, h.Header)
			assert.Equal(t, want.Body == http.NoBody, f.NoBody)
		})
	}
}

// net/http ignores Transfer-Encoding there, libcurl does what it says.
func TestFrame_of_HTTP10_with_a_transfer_encoding_is_what_libcurl_makes_of_it(t *testing.T) {
	frame := func(lines string) (Frame, error) {
		h, err := ParseHead([]byte("HTTP/1.0 200 OK\r\n" + lines + "\r\n\r\n"))
		require.NoError(t, err)
		return h.Frame("GET")
	}
	f, err := frame("Transfer-Encoding: chunked\r\nContent-Length: 3")
	require.NoError(t, err)
	assert.Equal(t, Frame{ContentLength: -1, TransferEncoding: []string{"chunked"}, Close: true}, f)
	f, err = frame("Transfer-Encoding: identity\r\nContent-Length: 3")
	require.NoError(t, err)
	assert.Equal(t, Frame{ContentLength: -1, Close: true}, f)
	_, err = frame("Transfer-Encoding: 0\r\nContent-Length: 1")
	require.ErrorIs(t, err, failure.Protocol)
}

func TestFrame_of_HTTP2_has_no_say_in_where_the_body_ends(t *testing.T) {
	for _, c := range []struct {
		method, head string
		want         Frame
	}{
		{"GET", "content-length: 5", Frame{ContentLength: 5}},
		{"GET", "content-length: +5", Frame{ContentLength: -1}},
		{"GET", "content-length: 5\r\ncontent-length: 6", Frame{ContentLength: -1}},
		{"GET", "content-length: 0", Frame{NoBody: true}},
		{"GET", "", Frame{ContentLength: -1}},
		{"HEAD", "content-length: 5", Frame{ContentLength: 5, NoBody: true}},
		{"GET", "trailer: a", Frame{ContentLength: -1, Trailer: http.Header{"A": nil}}},
		{"GET", "connection: close", Frame{ContentLength: -1}},
	} {
		h, err := ParseHead([]byte("HTTP/2 200 \r\n" + c.head + "\r\n\r\n"))
		require.NoError(t, err)
		f, err := h.Frame(c.method)
		require.NoError(t, err)
		assert.Equal(t, c.want, f, c.head)
	}
}
