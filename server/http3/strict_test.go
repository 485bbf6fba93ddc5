package http3

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"testing"

	"github.com/quic-go/quic-go"
	h3 "github.com/quic-go/quic-go/http3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestServer_refuses_what_a_head_of_HTTP1_could_not_have_said(t *testing.T) {
	base := start(t, &Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.RequestURI) })})
	addr, err := url.Parse(base)
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	config := clientTLS()
	config.NextProtos = []string{h3.NextProtoH3}
	conn, err := quic.DialAddr(ctx, addr.Host, config, nil)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.CloseWithError(0, "") })
	c := (&h3.Transport{}).NewClientConn(conn)
	for _, test := range []struct {
		name, path, host string
		status           int
	}{
		{"plain", "/a?b=c", "a.example:80", 200},
		{"a name that is another's", "/", "[::1]:80", 200},
		{"a version behind the path", "/ HTTP/1.1 x", "a", 400},
		{"raw UTF-8", "/\xc3\xa4", "a", 400},
		{"a fragment", "/#x", "a", 400},
	} {
		stream, err := c.OpenRequestStream(ctx)
		require.NoError(t, err)
		// The client checks nothing of these two.
		req := (&http.Request{Method: http.MethodGet, Host: test.host, URL: &url.URL{Scheme: "https", Host: test.host, Opaque: test.path}}).WithContext(ctx)
		require.NoError(t, stream.SendRequestHeader(req), test.name)
		_ = stream.Close() // the answer may have been here first
		resp, err := stream.ReadResponse()
		require.NoError(t, err, test.name)
		assert.Equal(t, test.status, resp.StatusCode, test.name)
		_ = resp.Body.Close()
	}
}

// The client sends no such host.
func TestPlain_looks_at_the_host(t *testing.T) {
	for host, want := range map[string]bool{
		"": true, "a": true, "a.example:80": true, "[::1]:80": true,
		"a b": false, "a/b": false, "a#b": false, "u@a": false, `a"b`: false, "a\r\nb": false, "\xe4": false,
	} {
		assert.Equal(t, want, plain(&http.Request{RequestURI: "/", Host: host}), "%q", host)
	}
}
