package main

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestServer_answers_pipelined_requests_in_order(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	r, w := io.Pipe()
	ended := make(chan error, 1)
	go func() { ended <- run(ctx, "127.0.0.1:0", w) }()
	line, err := bufio.NewReader(r).ReadString('\n')
	require.NoError(t, err)

	c, err := net.Dial("tcp", strings.TrimSpace(strings.TrimPrefix(line, "listening on ")))
	require.NoError(t, err)
	defer func() { _ = c.Close() }()
	request := func(path, more string) string { return "GET " + path + " HTTP/1.1\r\nHost: a\r\n" + more + "\r\n" }
	_, err = io.WriteString(c, request("/slow", "")+request("/fast", "")+request("/slow", "Connection: close\r\n"))
	require.NoError(t, err)
	require.NoError(t, c.(*net.TCPConn).CloseWrite())

	answers := bufio.NewReader(c)
	for _, want := range []string{"slow", "fast", "slow"} {
		resp, err := http.ReadResponse(answers, nil)
		require.NoError(t, err)
		body, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		assert.Contains(t, string(body), want+", begun as number ")
	}
	stop()
	assert.NoError(t, <-ended)
}
