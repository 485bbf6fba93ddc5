package handler

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/textproto"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom/internal/failure"
)

func TestParseHead_reads_status_lines_as_net_http_presents_them(t *testing.T) {
	for _, c := range []struct {
		line         string
		proto        string
		major, minor int
		code         int
		status       string
	}{
		{"HTTP/1.1 200 OK\r\n", "HTTP/1.1", 1, 1, 200, "200 OK"},
		{"HTTP/1.0 404 Not Found\n", "HTTP/1.0", 1, 0, 404, "404 Not Found"},
		{"HTTP/1.1 303\r\n", "HTTP/1.1", 1, 1, 303, "303"},
		{"HTTP/1.1 303 \r\n", "HTTP/1.1", 1, 1, 303, "303 "},
		{"HTTP/1.1   200 Three Blanks\r\n", "HTTP/1.1", 1, 1, 200, "200 Three Blanks"},
		{"HTTP/1.1 999 \xc3\xa4\r\n", "HTTP/1.1", 1, 1, 999, "999 \xc3\xa4"},
		{"HTTP/2 200 \r\n", "HTTP/2.0", 2, 0, 200, "200 OK"},
		{"HTTP/2 299 \r\n", "HTTP/2.0", 2, 0, 299, "299 "},
		{"HTTP/2 699 \r\n", "HTTP/2.0", 2, 0, 699, "699 "},
		{"HTTP/3 503 \r\n", "HTTP/3.0", 3, 0, 503, "503 Service Unavailable"},
		{"HTTP/3 200", "HTTP/3.0", 3, 0, 200, "200 OK"},
		{"HTTP/2.0 204 No Content\r\n", "HTTP/2.0", 2, 0, 204, "204 No Content"},
	} {
		h, err := ParseHead([]byte(c.line + "\r\n"))
		require.NoError(t, err, "%q", c.line)
		assert.Equal(t, &Head{
			Proto: c.proto, ProtoMajor: c.major, ProtoMinor: c.minor,
			StatusCode: c.code, Status: c.status, Header: http.Header{},
		}, h, "%q", c.line)
	}
}

func TestParseHead_refuses_what_is_no_status_line(t *testing.T) {
	for _, line := range []string{
		"", "\r\n", "garbage\r\n", "HTTP/1.1\r\n", "HTTP/1.1 \r\n", "HTTP/1.1 20\r\n", "HTTP/1.1 2000 OK\r\n",
		"HTTP/1.1 abc OK\r\n", "HTTP/1.1 099 Low\r\n", "HTTP/1.1 +20 OK\r\n", "HTTP/11 200 OK\r\n", "HTTP/1.x 200 OK\r\n",
		"http/1.1 200 OK\r\n", "ICY 200 OK\r\n", " HTTP/1.1 200 OK\r\n", "HTTP/4 200\r\n",
		strings.Repeat("x", 10000) + " \r\n",
	} {
		_, err := ParseHead([]byte(line))
		require.ErrorIs(t, err, failure.Protocol, "%q", line)
		assert.Less(t, len(err.Error()), 300)
	}
}

func TestParseHead_reads_header_lines(t *testing.T) {
	for _, c := range []struct {
		name, lines string
		want        http.Header
	}{
		{"in canonical form", "content-type: a\r\nX-FOO: b\r\nx-a1-b: c\r\n",
			http.Header{"Content-Type": {"a"}, "X-Foo": {"b"}, "X-A1-B": {"c"}}},
		{"without blanks around values", "A:b\r\nC:  \td \t\r\nE:\r\nF: \r\n",
			http.Header{"A": {"b"}, "C": {"d"}, "E": {""}, "F": {""}}},
		{"in order for one name", "Set-Cookie: a=1\r\nVia: x\r\nset-cookie: b=2\r\nSET-COOKIE: c=3\r\n",
			http.Header{"Set-Cookie": {"a=1", "b=2", "c=3"}, "Via": {"x"}}},
		{"with colons in the value", "Location: http://h:1/\r\n", http.Header{"Location": {"http://h:1/"}}},
		{"with bare line feeds", "A: b\nC: d\n", http.Header{"A": {"b"}, "C": {"d"}}},
		{"with bytes beyond ASCII", "A: \xe4\xf6 ü\r\n", http.Header{"A": {"\xe4\xf6 ü"}}},
		{"with every token character", "a!#$%&'*+.^_`|~9: x\r\n", http.Header{"A!#$%&'*+.^_`|~9": {"x"}}},
		{"until the blank line", "A: b\r\n\r\nC: d\r\n", http.Header{"A": {"b"}}},
		{"without a blank line", "A: b", http.Header{"A": {"b"}}},
		{"continued on the next line", "A: b\r\n c\r\n\t d \r\nE: f\r\n", http.Header{"A": {"b c d"}, "E": {"f"}}},
		{"begun on the next line", "A:\r\n b\r\n", http.Header{"A": {"b"}}},
		{"continued by blanks", "A: b\r\n  \r\nC: d\r\n", http.Header{"A": {"b"}, "C": {"d"}}},
		{"continued more than once, tightly", "A: b\n c\n d\n e\n", http.Header{"A": {"b c d e"}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			h, err := ParseHead([]byte("HTTP/1.1 200 OK\r\n" + c.lines + "\r\n"))
			require.NoError(t, err)
			assert.Equal(t, c.want, h.Header)
		})
	}
}

func TestParseHead_keeps_a_name_with_a_blank_before_the_colon_apart(t *testing.T) {
	h, err := ParseHead([]byte("HTTP/1.1 200 OK\r\nFoo : bar\r\n\r\n"))
	require.NoError(t, err)
	require.Equal(t, http.Header{"Foo ": {"bar"}}, h.Header)
}

func TestParseHead_leaves_out_odd_lines_and_keeps_the_others(t *testing.T) {
	for _, odd := range []string{
		"no colon", ": no name", " continues nothing", "bad name: x", "n\xe4me: x", "(x): y", "\x00: y",
		"Nul: a\x00b", "Bell: a\ab", "Cr: a\rb", "Del: a\x7fb",
		"odd line\r\n continued: x", "Nul: a\r\n b\x00",
	} {
		h, err := ParseHead([]byte("HTTP/1.1 200 OK\r\n" + odd + "\r\nA: b\r\n" + odd + "\r\n\r\n"))
		require.NoError(t, err)
		if odd[0] == ' ' {
			assert.Equal(t, http.Header{"A": {"b continues nothing"}}, h.Header)
			continue
		}
		assert.Equal(t, http.Header{"A": {"b"}}, h.Header, "%q", odd)
	}
}

// libcurl 7.88.1 goes by such a line.
func TestParseHead_refuses_framing_with_a_control_character(t *testing.T) {
	for _, line := range []string{"Transfer-Encoding: \x0f", "tRANSFER-eNCODING: chunked\x01", "Content-Length: 1\x7f", "content-length:\x001"} {
		_, err := ParseHead([]byte("HTTP/1.1 200 OK\r\nA: b\r\n" + line + "\r\nC: d\r\n\r\n"))
		assert.ErrorContains(t, err, "control character", "%q", line)
	}
	h, err := ParseHead([]byte("HTTP/1.1 200 OK\r\nA: \x0f\r\nC: d\r\n\r\n"))
	require.NoError(t, err)
	assert.Equal(t, http.Header{"C": {"d"}}, h.Header)
}

func TestParseHead_bounds_the_number_of_lines(t *testing.T) {
	var b bytes.Buffer
	b.WriteString("HTTP/1.1 200 OK\r\n")
	for i := range maxLines + 1 {
		fmt.Fprintf(&b, "h%d:\n", i)
	}
	_, err := ParseHead(b.Bytes())
	assert.ErrorIs(t, err, failure.HeadTooLarge)
}

func TestParseHead_values_do_not_share_room(t *testing.T) {
	h, err := ParseHead([]byte("HTTP/1.1 200 OK\r\nA: 1\r\nB: 2\r\n\r\n"))
	require.NoError(t, err)
	h.Header.Add("A", "3")
	h.Header.Add("B", "4")
	assert.Equal(t, http.Header{"A": {"1", "3"}, "B": {"2", "4"}}, h.Header)
}

func TestParseHead_keeps_nothing_of_its_input(t *testing.T) {
	raw := []byte("HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\n\r\n")
	before := bytes.Clone(raw)
	h, err := ParseHead(raw)
	require.NoError(t, err)
	assert.Equal(t, before, raw)
	clear(raw)
	assert.Equal(t, http.Header{"Content-Type": {"text/plain"}}, h.Header)
}

func TestParseTrailer_reads_header_lines_only(t *testing.T) {
	h, err := ParseTrailer([]byte("grpc-status: 0\r\nA: b\r\n\r\n"))
	require.NoError(t, err)
	assert.Equal(t, http.Header{"Grpc-Status": {"0"}, "A": {"b"}}, h)
	for _, none := range []string{"", "\r\n", "odd\r\n"} {
		h, err = ParseTrailer([]byte(none))
		require.NoError(t, err)
		assert.Nil(t, h)
	}
}

// FuzzParseHead holds the parser to textproto's result wherever that accepts
// the input, and to well-formed results everywhere.
func FuzzParseHead(f *testing.F) {
	for _, s := range []string{
		"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nset-cookie: a\r\nSet-Cookie: b\r\n\r\n",
		"HTTP/2 200 \r\nserver: nginx\r\ndate: x\r\n\r\n",
		"HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\td\r\n\r\n",
		"HTTP/1.0 404\nA:\n \n b\n\n",
		"HTTP/1.1 200 OK\r\nA : b\r\nC\r\n: d\r\nE: \x00\r\n\r\n",
		"A: b",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		before := bytes.Clone(raw)
		head, err := ParseHead(raw)
		require.Equal(t, before, raw)
		if err != nil {
			return
		}
		checkWellFormed(t, head.Header)

		if bytes.Contains(raw, []byte(" :")) || bytes.Contains(raw, []byte("\t:")) {
			return // a blank before the colon: net/http itself is not of one mind
		}
		_, lines, _ := bytes.Cut(raw, []byte("\n"))
		if bytes.Contains(raw, []byte("\r\r")) {
			return // of which textproto strips one at the end of a line, or two
		}
		// A line of blanks means different things to the two parsers.
		block, _, _ := bytes.Cut(bytes.ReplaceAll(lines, []byte("\r\n"), []byte("\n")), []byte("\n\n"))
		want, err := textproto.NewReader(bufio.NewReader(bytes.NewReader(append(block, "\n\n"...)))).ReadMIMEHeader()
		if err != nil && err != io.EOF || bytes.HasPrefix(block, []byte("\n")) {
			return
		}
		for name, vv := range want {
			if strings.Contains(name, " ") { // textproto keeps "Name : value" under an odd name
				delete(want, name)
				continue
			}
			for i := range vv {
				vv[i] = strings.TrimRight(vv[i], " \t")
			}
		}
		require.Equal(t, http.Header(want), head.Header)
	})
}

func checkWellFormed(t *testing.T, h http.Header) {
	for name, vv := range h {
		require.NotEmpty(t, vv)
		require.Equal(t, http.CanonicalHeaderKey(name), name)
		for _, v := range vv {
			require.False(t, strings.ContainsAny(v, "\r\n\x00"))
			require.Equal(t, strings.Trim(v, " \t"), v)
		}
	}
}

const (
	headNginx = "HTTP/1.1 200 OK\r\nServer: nginx/1.22.1\r\nDate: Fri, 20 Nov 2026 14:00:00 GMT\r\nContent-Type: text/plain\r\n" +
		"Content-Length: 34\r\nLast-Modified: Fri, 20 Nov 2026 13:00:00 GMT\r\nConnection: keep-alive\r\n" +
		"ETag: \"66f00000-22\"\r\nAccept-Ranges: bytes\r\n\r\n"
	headBig = "HTTP/2 200 \r\ndate: Fri, 20 Nov 2026 14:00:00 GMT\r\ncontent-type: text/html; charset=utf-8\r\n" +
		"vary: Accept-Encoding, Accept-Language\r\nset-cookie: a=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa; path=/; secure; HttpOnly; SameSite=Lax\r\n" +
		"set-cookie: b=bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb; path=/; secure; HttpOnly; SameSite=Lax\r\n" +
		"strict-transport-security: max-age=31536000; includeSubdomains; preload\r\nx-frame-options: deny\r\n" +
		"x-content-type-options: nosniff\r\nx-xss-protection: 0\r\nreferrer-policy: origin-when-cross-origin\r\n" +
		"content-security-policy: default-src 'none'; base-uri 'self'; connect-src 'self'; font-src fonts.example; img-src 'self' data:\r\n" +
		"cache-control: max-age=0, private, must-revalidate\r\netag: W/\"0123456789abcdef0123456789abcdef\"\r\n" +
		"accept-ranges: bytes\r\nx-request-id: 0000:111111:2222222:3333333:44444444\r\nserver: example\r\ncontent-encoding: gzip\r\n\r\n"
)

func BenchmarkParseHead(b *testing.B) {
	for name, raw := range map[string]string{"nginx": headNginx, "big": headBig} {
		b.Run(name+"/ours", func(b *testing.B) {
			in := []byte(raw)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := ParseHead(in); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(name+"/textproto", func(b *testing.B) {
			in := []byte(raw)
			r := bytes.NewReader(in)
			br := bufio.NewReader(r)
			b.ReportAllocs()
			for b.Loop() {
				r.Reset(in)
				br.Reset(r)
				tp := textproto.NewReader(br)
				if _, err := tp.ReadLine(); err != nil {
					b.Fatal(err)
				}
				if _, err := tp.ReadMIMEHeader(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
