package server

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// h1spec's cases (github.com/uNetworking/h1spec), where the server's handler echoes the body.

var echoBody = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(w, r.Body) })

func TestServer_answers_h1spec_s_requests_as_it_should(t *testing.T) {
	addr := start(t, &Server{Handler: echoBody, Pipeline: 3})
	const host = "Host: example.com\r\n"
	for _, c := range []struct {
		name, text, status string
	}{
		{"no version", "GET / \r\n\r\n", "4"},
		{"Expect without a body", "GET / HTTP/1.1\r\n" + host + "Expect: 100-continue\r\n\r\n", "2"},
		{"plain", "GET / HTTP/1.1\r\n" + host + "\r\n", "2"},
		{"case, a tab, and an empty value", "GET / HTTP/1.1\r\nhoSt:\texample.com\r\nempty:\r\n\r\n", "2"},
		{"brackets in a name", "GET / HTTP/1.1\r\n" + host + "X-Invalid[]: test\r\n\r\n", "4"},
		{"no Host", "GET / HTTP/1.1\r\nContent-Length: 5\r\n\r\n", "4"},
		{"two Hosts", "GET / HTTP/1.1\r\n" + host + "Host: example.org\r\n\r\n", "4"},
		{"a long negative length", "GET / HTTP/1.1\r\n" + host + "Content-Length: -123456789123456789123456789\r\n\r\n", "4"},
		{"a negative length", "GET / HTTP/1.1\r\n" + host + "Content-Length: -1234\r\n\r\n", "4"},
		{"a length of letters", "GET / HTTP/1.1\r\n" + host + "Content-Length: abc\r\n\r\n", "4"},
		{"an empty value behind a space", "GET / HTTP/1.1\r\n" + host + "X-Empty-Header: \r\n\r\n", "2"},
		{"a control in a value", "GET / HTTP/1.1\r\n" + host + "X-Bad-Control-Char: test\x07\r\n\r\n", "4"},
		{"HTTP/9.9", "GET / HTTP/9.9\r\n" + host + "\r\n", "5"},
		{"words before the request", "Extra lineGET / HTTP/1.1\r\n" + host + "\r\n", "4"},
		{"CR in place of a line's end", "GET / HTTP/1.1\r\n" + host + "\rSome-Header: Test\r\n\r\n", "4"},
		{"a body", "POST / HTTP/1.1\r\n" + host + "Content-Length: 5\r\n\r\nhello", "2"},
		{"both framings", "GET / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n", "4"},
	} {
		t.Run(c.name, func(t *testing.T) {
			nc := dial(t, addr)
			nc.send(c.text)
			line, err := nc.r.ReadString('\n')
			require.NoError(t, err)
			assert.Equal(t, "HTTP/1.1 "+c.status, line[:len("HTTP/1.1 4")], "%q", line)
		})
	}
}

// A request may come in any two pieces: the first one must not be answered, or taken for broken.
func TestServer_waits_for_the_rest_of_h1spec_s_fragments(t *testing.T) {
	const whole = "GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n"
	addr := start(t, &Server{Handler: echo})
	c := dial(t, addr)
	for n := 1; n < len(whole); n++ {
		// The answer to the request before, on the same connection, shows when the piece has been read:
		// then nothing but that answer may have come.
		c.send(whole + whole[:n])
		assert.Equal(t, "/hello", c.body("GET"))
		assert.Zero(t, c.r.Buffered(), "%q is answered", whole[:n])
		c.send(whole[n:])
		assert.Equal(t, "/hello", c.body("GET"))
	}
	assert.Equal(t, 1, strings.Count(talk(t, addr, bye("/")), "HTTP/1.1"))
}
