package server

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// scanned runs a whole head through scan and parse; 200 means that both let it through.
func scanned(t testing.TB, limits Limits, relax Relax, text string) int {
	t.Helper()
	limits = limits.withDefaults()
	s := newScanner(&limits, relax)
	done, err := s.scan([]byte(text))
	if err == nil {
		require.True(t, done, "the head is not whole")
		_, err = s.parse([]byte(text))
	}
	if err == nil {
		return 200
	}
	return err.(*refusal).status
}

const host = "Host: a.example\r\n"

var headCases = []struct {
	name   string
	text   string
	status int
}{
	{"plain", "GET / HTTP/1.1\r\n" + host + "\r\n", 200},
	{"HTTP/1.0 without Host", "GET / HTTP/1.0\r\n\r\n", 200},
	{"HTTP/1.2 is 1.1", "GET / HTTP/1.2\r\n" + host + "\r\n", 200},
	{"one empty line before", "\r\nGET / HTTP/1.1\r\n" + host + "\r\n", 200},
	{"unknown method", "BREW / HTTP/1.1\r\n" + host + "\r\n", 200},
	{"CONNECT, Host without the port", "CONNECT a.example:443 HTTP/1.1\r\n" + host + "\r\n", 200},
	{"CONNECT", "CONNECT a.example:443 HTTP/1.1\r\nHost: a.example:443\r\n\r\n", 200},
	{"OPTIONS *", "OPTIONS * HTTP/1.1\r\n" + host + "\r\n", 200},
	{"absolute form", "GET http://a.example/x HTTP/1.1\r\n" + host + "\r\n", 200},
	{"absolute form, port of the scheme", "GET http://A.example:80/x HTTP/1.1\r\n" + host + "\r\n", 200},
	{"empty Host", "GET / HTTP/1.1\r\nHost:\r\n\r\n", 200},
	{"IPv6 Host", "GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", 200},
	{"obs-text in a value", "GET / HTTP/1.1\r\n" + host + "X: \xe4\r\n\r\n", 200},
	{"Expect: 100-continue", "POST / HTTP/1.1\r\n" + host + "Expect: 100-Continue\r\nContent-Length: 1\r\n\r\n", 200},
	{"Expect in HTTP/1.0 is ignored", "GET / HTTP/1.0\r\nExpect: tea\r\n\r\n", 200},
	{"chunked", "POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: Chunked\r\n\r\n", 200},

	{"CL and TE", "POST / HTTP/1.1\r\n" + host + "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
	{"two equal CL", "POST / HTTP/1.1\r\n" + host + "Content-Length: 2\r\nContent-Length: 2\r\n\r\n", 400},
	{"list of CL", "POST / HTTP/1.1\r\n" + host + "Content-Length: 2, 2\r\n\r\n", 400},
	{"signed CL", "POST / HTTP/1.1\r\n" + host + "Content-Length: +2\r\n\r\n", 400},
	{"empty CL", "POST / HTTP/1.1\r\n" + host + "Content-Length:\r\n\r\n", 400},
	{"hex CL", "POST / HTTP/1.1\r\n" + host + "Content-Length: 0x2\r\n\r\n", 400},
	{"endless CL", "POST / HTTP/1.1\r\n" + host + "Content-Length: 99999999999999999999999\r\n\r\n", 413},
	{"space before the colon", "POST / HTTP/1.1\r\n" + host + "Content-Length : 2\r\n\r\n", 400},
	{"TE in HTTP/1.0", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
	{"TE \\vchunked", "POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: \vchunked\r\n\r\n", 400},
	{"TE twice", "POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
	{"TE chunked, chunked", "POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked, chunked\r\n\r\n", 400},
	{"TE empty", "POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: \r\n\r\n", 400},
	{"TE gzip, chunked", "POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: gzip, chunked\r\n\r\n", 501},
	{"TE identity", "POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: identity\r\n\r\n", 501},
	{"obs-fold", "GET / HTTP/1.1\r\n" + host + "X: a\r\n b\r\n\r\n", 400},
	{"bare LF after a field", "GET / HTTP/1.1\r\nHost: a.example\n\r\n", 400},
	{"bare LF after the request line", "GET / HTTP/1.1\n" + host + "\r\n", 400},
	{"bare LF as the blank line", "GET / HTTP/1.1\r\n" + host + "\n", 400},
	{"bare CR in a value", "GET / HTTP/1.1\r\n" + host + "X: a\rb\r\n\r\n", 400},
	{"NUL in a value", "GET / HTTP/1.1\r\n" + host + "X: a\x00b\r\n\r\n", 400},
	{"two Hosts", "GET / HTTP/1.1\r\n" + host + host + "\r\n", 400},
	{"no Host", "GET / HTTP/1.1\r\n\r\n", 400},
	{"no Host with CONNECT", "CONNECT a.example:443 HTTP/1.1\r\n\r\n", 400},
	{"Host with a space", "GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400},
	{"Host with userinfo", "GET / HTTP/1.1\r\nHost: a@b\r\n\r\n", 400},
	{"Host with a port that is none", "GET / HTTP/1.1\r\nHost: a:65536\r\n\r\n", 400},
	{"Host with the last port", "GET / HTTP/1.1\r\nHost: a:65535\r\n\r\n", 200},
	{"Host with a path", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400},
	{"Host with two ports", "GET / HTTP/1.1\r\nHost: a:1:2\r\n\r\n", 400},
	{"Host with a bad port", "GET / HTTP/1.1\r\nHost: a:1x\r\n\r\n", 400},
	{"leading-space header", "GET / HTTP/1.1\r\n Host: a.example\r\n\r\n", 400},
	{"header line without colon", "GET / HTTP/1.1\r\n" + host + "X\r\n\r\n", 400},
	{"empty field name", "GET / HTTP/1.1\r\n" + host + ": x\r\n\r\n", 400},
	{"absolute form and another Host", "GET http://b.example/ HTTP/1.1\r\n" + host + "\r\n", 400},
	{"absolute form and another port", "GET http://a.example:8080/ HTTP/1.1\r\n" + host + "\r\n", 400},
	{"absolute form with userinfo", "GET http://u@a.example/ HTTP/1.1\r\n" + host + "\r\n", 400},
	{"CONNECT and another Host", "CONNECT b.example:443 HTTP/1.1\r\nHost: a.example:443\r\n\r\n", 400},
	{"CONNECT and another port, Host without", "CONNECT a.example:8443 HTTP/1.1\r\n" + host + "\r\n", 400},
	{"CONNECT without port", "CONNECT a.example HTTP/1.1\r\n" + host + "\r\n", 400},
	{"CONNECT with a path", "CONNECT /x HTTP/1.1\r\n" + host + "\r\n", 400},
	{"GET *", "GET * HTTP/1.1\r\n" + host + "\r\n", 400},
	{"relative target", "GET x HTTP/1.1\r\n" + host + "\r\n", 400},
	{"raw UTF-8 in the URI", "GET /\xc3\xa4 HTTP/1.1\r\n" + host + "\r\n", 400},
	{"fragment in the URI", "GET /#x HTTP/1.1\r\n" + host + "\r\n", 400},
	{"bad escape in the URI", "GET /%zz HTTP/1.1\r\n" + host + "\r\n", 400},
	{"two spaces in the request line", "GET  / HTTP/1.1\r\n" + host + "\r\n", 400},
	{"two spaces before the version", "GET /  HTTP/1.1\r\n" + host + "\r\n", 400},
	{"tab separator", "GET\t/ HTTP/1.1\r\n" + host + "\r\n", 400},
	{"space behind the version", "GET / HTTP/1.1 \r\n" + host + "\r\n", 400},
	{"leading space", " GET / HTTP/1.1\r\n" + host + "\r\n", 400},
	{"two empty lines before", "\r\n\r\nGET / HTTP/1.1\r\n" + host + "\r\n", 400},
	{"no version (HTTP/0.9)", "GET /\r\n" + host + "\r\n", 400},
	{"lower case version", "GET / http/1.1\r\n" + host + "\r\n", 400},
	{"HTTP/1.10", "GET / HTTP/1.10\r\n" + host + "\r\n", 400},
	{"HTTP/2.0 text", "GET / HTTP/2.0\r\n" + host + "\r\n", 505},
	{"HTTP/0.9 text", "GET / HTTP/0.9\r\n" + host + "\r\n", 505},
	{"method with a colon", "GE:T / HTTP/1.1\r\n" + host + "\r\n", 400},
	{"other Expect", "POST / HTTP/1.1\r\n" + host + "Expect: tea\r\n\r\n", 417},
	{"Trailer: Content-Length", "POST / HTTP/1.1\r\n" + host + "Trailer: Content-Length\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
}

func TestHead_is_accepted_or_refused_by_the_strict_profile(t *testing.T) {
	for _, c := range headCases {
		t.Run(c.name, func(t *testing.T) {
			assert.Equal(t, c.status, scanned(t, Limits{}, Relax{}, c.text))
		})
	}
}

func TestHead_is_judged_alike_however_it_is_cut(t *testing.T) {
	limits := Limits{}.withDefaults()
	for _, c := range headCases {
		s := newScanner(&limits, Relax{})
		var err error
		for n := 1; n <= len(c.text) && err == nil; n++ {
			// A new array each time: the scanner keeps no bytes.
			b := []byte(c.text[:n])
			var done bool
			if done, err = s.scan(b); done && err == nil {
				require.Equal(t, len(c.text), n, c.name)
				_, err = s.parse(b)
			}
		}
		status := 200
		if err != nil {
			status = err.(*refusal).status
		}
		assert.Equal(t, c.status, status, c.name)
	}
}

func TestHead_is_let_through_by_the_name_of_what_it_does(t *testing.T) {
	for text, relax := range map[string]Relax{
		"GET / HTTP/1.1\nHost: a\n\n":                             {BareLF: true},
		"GET /\xc3\xa4#x HTTP/1.1\r\nHost: a\r\n\r\n":             {RawTarget: true},
		"CONNECT /_goRPC_ HTTP/1.1\r\nHost: a\r\n\r\n":            {ConnectPath: true},
		"CONNECT /_goRPC_ HTTP/1.0\r\n\r\n":                       {ConnectPath: true},
		"GET http://a/\xc3\xa4#x HTTP/1.1\r\nHost: a\r\n\r\n":     {RawTarget: true},
		"GET / HTTP/1.1\r\nHost: a\nX: y\r\nContent-Length:0\n\n": {BareLF: true},
	} {
		assert.Equal(t, 400, scanned(t, Limits{}, Relax{}, text), "%q", text)
		assert.Equal(t, 200, scanned(t, Limits{}, relax, text), "%q", text)
	}
}

func TestHead_is_bounded(t *testing.T) {
	limits := Limits{HeadBytes: 1000, HeadLines: 10, URIBytes: 100, BodyBytes: 5}
	for text, status := range map[string]int{
		"GET /" + strings.Repeat("a", 99) + " HTTP/1.1\r\n" + host + "\r\n":                   200,
		"GET /" + strings.Repeat("a", 100) + " HTTP/1.1\r\n" + host + "\r\n":                  414,
		"GET / HTTP/1.1\r\n" + host + strings.Repeat("a: b\r\n", 9) + "\r\n":                  200,
		"GET / HTTP/1.1\r\n" + host + strings.Repeat("a: b\r\n", 10) + "\r\n":                 431,
		"GET / HTTP/1.1\r\n" + host + "X: " + strings.Repeat("a", 1000) + "\r\n\r\n":          431,
		"POST / HTTP/1.1\r\n" + host + "Content-Length: 5\r\n\r\n":                            200,
		"POST / HTTP/1.1\r\n" + host + "Content-Length: 6\r\n\r\n":                            413,
		"POST / HTTP/1.1\r\n" + host + "Content-Length: 0000000000000000000000000005\r\n\r\n": 200,
	} {
		assert.Equal(t, status, scanned(t, limits, Relax{}, text), "%.40q", text)
	}
}

// A client that never ends a line must not fill the memory meanwhile.
func TestHead_is_refused_before_its_end_when_it_grows_too_long(t *testing.T) {
	limits := Limits{HeadBytes: 1000, URIBytes: 100}.withDefaults()
	for begin, status := range map[string]int{
		"GET /":                           414,
		"GET / HTTP/1.1\r\nX: ":           431,
		strings.Repeat("A", 10):           414,
		"GET / HTTP/1.1\r\n" + host + "A": 431,
	} {
		s := newScanner(&limits, Relax{})
		b := []byte(begin)
		var err error
		for err == nil && len(b) < 2000 {
			b = append(b, 'a')
			_, err = s.scan(b)
		}
		require.Error(t, err)
		assert.Equal(t, status, err.(*refusal).status)
		assert.LessOrEqual(t, len(b), 1001)
	}
}

func BenchmarkHead(b *testing.B) {
	text := []byte("GET /index.html?a=b HTTP/1.1\r\nHost: www.example.com\r\nUser-Agent: curl/7.88.1\r\nAccept: */*\r\nAccept-Encoding: gzip\r\n\r\n")
	limits := Limits{}.withDefaults()
	b.Run("scan", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			s := newScanner(&limits, Relax{})
			_, _ = s.scan(text)
		}
	})
	b.Run("scan and parse", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			s := newScanner(&limits, Relax{})
			_, _ = s.scan(text)
			_, _ = s.parse(text)
		}
	})
}
