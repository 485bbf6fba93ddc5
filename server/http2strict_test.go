package server

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// streamHead is a HEADERS frame's fields, in their order.
type streamHead [][2]string

func plainHead(method, path, authority string, more ...[2]string) streamHead {
	return append(streamHead{{":method", method}, {":scheme", "http"}, {":authority", authority}, {":path", path}}, more...)
}

// status is what a server answers to requests of HTTP/2 on one connection; "reset" for a stream that it resets.
func (c *client) streams(heads []streamHead) []string {
	c.t.Helper()
	c.send(preface)
	f := http2.NewFramer(c, c.r)
	require.NoError(c.t, f.WriteSettings())
	f.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	var block bytes.Buffer
	encoder := hpack.NewEncoder(&block)
	answers := make([]string, len(heads))
	for i, head := range heads {
		block.Reset()
		for _, field := range head {
			require.NoError(c.t, encoder.WriteField(hpack.HeaderField{Name: field[0], Value: field[1]}))
		}
		id := uint32(2*i + 1) //nolint:gosec // it is small
		require.NoError(c.t, f.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: block.Bytes(), EndStream: true, EndHeaders: true}))
		for answers[i] == "" {
			frame, err := f.ReadFrame()
			require.NoError(c.t, err, "%v", head)
			switch frame := frame.(type) {
			case *http2.MetaHeadersFrame:
				answers[i] = frame.PseudoValue("status")
			case *http2.RSTStreamFrame:
				answers[i] = "reset"
			case *http2.GoAwayFrame:
				require.Fail(c.t, "the connection ends", "%v: %v", head, frame)
			}
		}
	}
	return answers
}

func TestServer_is_as_strict_over_HTTP_2(t *testing.T) {
	addr := start(t, &Server{Protocols: bothProtocols(), Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		assert.NotContains(t, r.Header, "Host")
		w.WriteHeader(299)
		_, _ = io.WriteString(w, r.Host)
	})})
	cases := []struct {
		name   string
		head   streamHead
		status string
	}{
		{"plain", plainHead("GET", "/a?b=c", "a"), "299"},
		{"a Host beside the authority", plainHead("GET", "/", "a:80", [2]string{"host", "A:80"}), "299"},
		{"a Host with the port of the scheme", plainHead("GET", "/", "a", [2]string{"host", "a:80"}), "299"},
		{"an authority with the port of the scheme", plainHead("GET", "/", "[::1]:80", [2]string{"host", "[::1]"}), "299"},
		{"a Host in place of the authority", streamHead{{":method", "GET"}, {":scheme", "http"}, {":path", "/"}, {"host", "b"}}, "299"},
		{"an unknown method", plainHead("BREW", "/", "a"), "299"},
		{"OPTIONS *", plainHead("OPTIONS", "*", "a"), "200"},
		{"CONNECT", streamHead{{":method", "CONNECT"}, {":authority", "a:80"}}, "299"},
		{"no length", plainHead("POST", "/", "a", [2]string{"content-length", "0"}), "299"},
		{"a path like an authority", plainHead("GET", "//b/x", "a"), "299"},

		{"a method that is a request line", plainHead("GET /admin HTTP/1.1", "/", "a"), "400"},
		{"a method with a colon", plainHead("GE:T", "/", "a"), "400"},
		{"a path with a version behind it", plainHead("GET", "/ HTTP/1.1 x", "a"), "400"},
		{"a path with a fragment", plainHead("GET", "/#x", "a"), "400"},
		{"a path of raw UTF-8", plainHead("GET", "/\xc3\xa4", "a"), "400"},
		{"a path in absolute form", plainHead("GET", "http://b/x", "a"), "400"},
		{"a path in absolute form, of the same host", plainHead("GET", "http://a/x", "a"), "400"},
		{"a path that is an authority", plainHead("GET", "a:80", "a"), "400"},
		{"GET *", plainHead("GET", "*", "a"), "400"},
		{"CONNECT without port", streamHead{{":method", "CONNECT"}, {":authority", "a"}}, "400"},
		{"no host", streamHead{{":method", "GET"}, {":scheme", "http"}, {":path", "/"}}, "400"},
		{"two Hosts", streamHead{{":method", "GET"}, {":scheme", "http"}, {":path", "/"}, {"host", "a"}, {"host", "a"}}, "400"},
		{"another Host", plainHead("GET", "/", "a", [2]string{"host", "b"}), "400"},
		{"a Host with another port", plainHead("GET", "/", "a", [2]string{"host", "a:443"}), "400"},
		{"a Host with a port that is none", plainHead("GET", "/", "a", [2]string{"host", "a:x"}), "400"},
		{"an authority with a space", plainHead("GET", "/", "a b"), "400"},
		{"an authority with a path", plainHead("GET", "/", "a/b"), "400"},
		{"an authority with a port that is none", plainHead("GET", "/", "a:x"), "400"},
		{"a length without a body", plainHead("GET", "/", "a", [2]string{"content-length", "5"}), "400"},
		{"two lengths", plainHead("GET", "/", "a", [2]string{"content-length", "0"}, [2]string{"content-length", "0"}), "400"},
		{"a list of lengths", plainHead("GET", "/", "a", [2]string{"content-length", "0, 0"}), "400"},
		{"a signed length", plainHead("GET", "/", "a", [2]string{"content-length", "+0"}), "400"},
		{"another expectation", plainHead("GET", "/", "a", [2]string{"expect", "tea"}), "417"},
		{"a transfer coding", plainHead("GET", "/", "a", [2]string{"transfer-encoding", "chunked"}), "400"},
		{"userinfo", plainHead("GET", "/", "u@a"), "reset"},
	}
	var heads []streamHead
	for _, c := range cases {
		heads = append(heads, c.head)
	}
	for i, answer := range dial(t, addr).streams(heads) {
		assert.Equal(t, cases[i].status, answer, cases[i].name)
	}
}

func TestServer_lets_through_over_HTTP_2_what_is_relaxed_by_name(t *testing.T) {
	addr := start(t, &Server{Protocols: bothProtocols(), Handler: echo, Relax: Relax{RawTarget: true}})
	got := dial(t, addr).streams([]streamHead{plainHead("GET", "/\xc3\xa4#x", "a"), plainHead("GET", "/ x", "a")})
	assert.Equal(t, "[200 400]", fmt.Sprint(got))
}

func TestServer_knows_the_port_of_the_scheme_over_HTTP_2(t *testing.T) {
	secure := &tls.ConnectionState{}
	for _, c := range []struct {
		method, authority, host string
		tls                     *tls.ConnectionState
		same                    bool
	}{
		{"GET", "a", "A:443", secure, true},
		{"GET", "a:443", "a", secure, true},
		{"GET", "a:80", "a", secure, false},
		{"GET", "a", "b", secure, false},
		{"GET", "a:80", "a", nil, true},
		{"GET", "a:443", "a", nil, false},
		{"GET", "a:8080", "a", nil, false},
		{"CONNECT", "a:443", "a", nil, true},
		{"CONNECT", "a:8080", "a", secure, false},
	} {
		assert.Equal(t, c.same, sameHost(&http.Request{Method: c.method, Host: c.authority, TLS: c.tls}, c.host), "%+v", c)
	}
}
