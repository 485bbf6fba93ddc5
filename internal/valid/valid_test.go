package valid

import (
	"bufio"
	"bytes"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom/internal/failure"
)

// refused asserts that err is about the request and says what is wrong.
func refused(t *testing.T, err error, says ...string) {
	t.Helper()
	require.ErrorIs(t, err, failure.InvalidRequest)
	for _, s := range says {
		assert.Contains(t, err.Error(), s)
	}
	assert.Less(t, len(err.Error()), 400)
	assert.NotContains(t, err.Error(), "\n")
}

func TestMethod_takes_tokens_only(t *testing.T) {
	for _, m := range []string{"", "GET", "get", "FOOBAR", "M-SEARCH", "!#$%&'*+-.^_`|~"} {
		assert.NoError(t, Method(m), m)
	}
	for _, m := range []string{" ", "GET ", "GE T", "G\r\nET", "GET / HTTP/1.1\r\nX: y", "(", "ä", "\x00", strings.Repeat(" ", 5000)} {
		refused(t, Method(m), "method")
	}
}

func TestHeader_refuses_what_would_break_the_message(t *testing.T) {
	assert.NoError(t, Header(nil))
	assert.NoError(t, Header(http.Header{
		"X-A": {"", " a\tb ", "\xe4 ü", "quoted \"x\""}, "lower": nil, "!#$%&'*+-.^_`|~09": {"x"},
	}))
	for _, name := range []string{"", " ", "A:", "A B", "A\r\nB", "A\x00", "ä", ":path", "A\t", strings.Repeat("ä", 5000)} {
		refused(t, Header(http.Header{name: {"x"}}), "header field name")
	}
	for _, value := range []string{"a\r\nX-Evil: b", "a\n", "\r", "\x00", "\x7f", "a\x1bb"} {
		err := Header(http.Header{"Authorization": {"fine", "secret" + value}})
		refused(t, err, `header field value for "Authorization"`, "control character")
		assert.NotContains(t, err.Error(), "secret")
	}
	refused(t, Header(http.Header{"A": {"b\r\nc"}}), `'\r' at byte 1`)
}

func TestTrailer_refuses_framing_too(t *testing.T) {
	assert.NoError(t, Trailer(nil))
	assert.NoError(t, Trailer(http.Header{"Checksum": {"x"}, "Declared": nil}))
	for _, name := range []string{"Content-Length", "content-length", "Trailer", "TRANSFER-ENCODING"} {
		refused(t, Trailer(http.Header{name: nil}), name)
	}
	refused(t, Trailer(http.Header{"A B": nil}), `trailer field name "A B"`)
	refused(t, Trailer(http.Header{"A": {"\n"}}), `trailer field value for "A"`)
}

func TestURL_takes_http_with_a_host(t *testing.T) {
	for _, s := range []string{
		"http://h", "https://h/", "http://h:80/p?q#f", "http://user:pw@h/", "http://h:/", "http://_/", "http://1.2.3.4:65535",
		"http://[::1]", "http://[::1]:80/", "http://[fe80::1%25eth0]:8080/", "http://bücher.example/ä?ü=ß", "http://h/a b", "http://a.b-c.d.",
	} {
		u, err := url.Parse(s)
		require.NoError(t, err)
		assert.NoError(t, URL(u), s)
	}
	assert.NoError(t, URL(&url.URL{Scheme: "http", Host: "h", Opaque: "//other/%2f"}))
	assert.NoError(t, URL(&url.URL{Scheme: "http", Host: "h", Path: "/\r\n x"}), "the path is encoded")
}

func TestURL_refuses_what_libcurl_must_not_see(t *testing.T) {
	refused(t, URL(nil), "nil URL")
	for s, says := range map[string]string{
		"ftp://h/":         `unsupported protocol scheme "ftp"`,
		"file:///etc":      `unsupported protocol scheme "file"`,
		"//h/":             `unsupported protocol scheme ""`,
		"http:///p":        "no Host in request URL",
		"http:h":           "no Host in request URL",
		"http://:80/":      "no host before the port",
		"http://h:65536/":  "invalid port",
		"http://h/?a b":    "query has a space at byte 1",
		"http://user@:1/?": "no host before the port",
	} {
		u, err := url.Parse(s)
		require.NoError(t, err)
		refused(t, URL(u), says)
	}
	for _, host := range []string{
		"h/path", "a@b", "h?q", "h#f", "h\\x", "h x", "h\r\nX: y", "h\x00", "h:80:81", "h:x", "h:-1", "h:+1", "h:0x1", "h%41", "[::1", "::1", "[::1]x", "[::1]:x",
		"[1.2.3.4]", "[h]", "a[b]", "<h>", "h\x80", "\xff", "h\u0085",
	} {
		refused(t, URL(&url.URL{Scheme: "http", Host: host}), "URL host")
	}
	refused(t, URL(&url.URL{Scheme: "http", Host: "h", RawQuery: "a\r\nX: y"}), `query has the control character '\r' at byte 1`)
	refused(t, URL(&url.URL{Scheme: "http", Host: "h", Opaque: "/ HTTP/1.1\r\nX: y"}), "opaque part")
}

func TestHost_takes_what_net_http_does(t *testing.T) {
	for _, h := range []string{"", "h", "h:80", "[::1]:80", "_", "a,b", "bücher.example:80", "%41"} {
		assert.NoError(t, Host(h), h)
	}
	for _, h := range []string{"go.dev\r\nX-Evil:evil", "a b", "/var/run/x.sock", "a@b", "\x00", "\xff", "a\u0085"} {
		refused(t, Host(h), "Host")
	}
}

func TestRequest_checks_every_part(t *testing.T) {
	ok := func() *http.Request {
		r, err := http.NewRequest(http.MethodGet, "http://h/", nil)
		require.NoError(t, err)
		return r
	}
	require.NoError(t, Request(ok()))
	require.NoError(t, Request(&http.Request{URL: ok().URL}))
	for says, spoil := range map[string]func(*http.Request){
		"method":  func(r *http.Request) { r.Method = "a b" },
		"nil URL": func(r *http.Request) { r.URL = nil },
		"header":  func(r *http.Request) { r.Header.Set("A", "\n") },
		"trailer": func(r *http.Request) { r.Trailer = http.Header{"A": {"\n"}} },
		"Host":    func(r *http.Request) { r.Host = "a b" },
	} {
		r := ok()
		spoil(r)
		refused(t, Request(r), says)
	}
	r := ok()
	r.Header.Set("Content-Length", "c")
	assert.NoError(t, Request(r), "net/http ignores it")
}

func TestContentLength_takes_digits_only(t *testing.T) {
	for _, c := range []struct {
		values []string
		want   int64
	}{
		{nil, -1}, {[]string{"0"}, 0}, {[]string{" 12\t"}, 12}, {[]string{"5", " 5", "5 "}, 5}, {[]string{"007"}, 7},
		{[]string{"9223372036854775807"}, 1<<63 - 1},
	} {
		n, err := ContentLength(http.Header{"Content-Length": c.values})
		require.NoError(t, err, c.values)
		assert.Equal(t, c.want, n)
	}
	for _, values := range [][]string{
		{"+3"}, {"-3"}, {""}, {" "}, {"3 4"}, {"3,3"}, {"0x3"}, {"3.0"}, {"1_000"}, {"9223372036854775808"}, {"3", "4"}, {"3", ""}, {"٣"},
	} {
		_, err := ContentLength(http.Header{"Content-Length": values})
		refused(t, err, "Content-Length")
	}
	_, err := ParseContentLength([]string{"+3"})
	assert.EqualError(t, err, `bad Content-Length "+3"`)
}

// FuzzRequest writes every request that passes as a message and reads it back:
// what was one request stays one, with the same header.
func FuzzRequest(f *testing.F) {
	f.Add("GET", "h", "p", "q=1", "X-A", "v", "")
	f.Add("PO ST", "h:80", "/\r\n", "a b", "X:", "a\r\nb: c", "evil\r\nX: y")
	f.Add("", "[::1]:8080", "//x", "", "host", "\t", "other")
	f.Fuzz(func(t *testing.T, method, host, path, query, name, value, hostHeader string) {
		r := &http.Request{
			Method: method, Host: hostHeader,
			URL:    &url.URL{Scheme: "http", Host: host, Path: path, RawQuery: query},
			Header: http.Header{name: {value}},
		}
		if err := Request(r); err != nil {
			refused(t, err)
			return
		}
		switch http.CanonicalHeaderKey(name) {
		case "Content-Length", "Transfer-Encoding", "Host", "User-Agent", "Trailer", "Pragma", "Cache-Control":
			return // net/http makes these itself
		}
		if method == http.MethodConnect || method == "PRI" {
			return // messages of another form
		}
		var wire bytes.Buffer
		if r.Write(&wire) != nil {
			return // a host without an ASCII form
		}
		br := bufio.NewReader(&wire)
		got, err := http.ReadRequest(br)
		if path != "" && path[0] != '/' || strings.HasPrefix(path, "//") {
			return // what a target without a leading slash means is the server's choice
		}
		require.NoError(t, err)
		require.Len(t, got.Header, 2) // and User-Agent
		require.Equal(t, []string{strings.Trim(value, " \t")}, got.Header[http.CanonicalHeaderKey(name)])
		require.Zero(t, br.Buffered())
	})
}
