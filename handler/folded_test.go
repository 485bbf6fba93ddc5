package handler

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestFoldedFraming_finds_lengths_that_are_spread_over_lines(t *testing.T) {
	for head, want := range map[string]bool{
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n":           false,
		"HTTP/1.1 200 OK\r\nTransfer-Encoding:\r\n chunked\r\n\r\n":       true,
		"HTTP/1.1 200 OK\nTrAnsfer-EnCoding:\n\tChunked\n\n":              true,
		"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n 2\r\n\r\n":              true,
		"HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 1\r\n\r\n":      false,
		"HTTP/1.1 200 OK\r\n first\r\nContent-Length: 1\r\n\r\n":          false,
		"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nX:\r\n Content-Length\n": false,
	} {
		assert.Equal(t, want, foldedFraming([]byte(head)), "%q", head)
	}
}
