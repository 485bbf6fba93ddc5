package config_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom"
	"github.com/ratmom/ratmom/cgo"
	"github.com/ratmom/ratmom/config"
	"github.com/ratmom/ratmom/internal/testserver"
)

func send(t *testing.T, c *ratmom.Client, req *http.Request, opts ...config.RequestOption) string {
	t.Helper()
	resp, err := c.Send(req, opts...)
	require.NoError(t, err)
	text, err := resp.Text()
	require.NoError(t, err)
	return text
}

func newRequest(t *testing.T, method, url, body string) *http.Request {
	t.Helper()
	var r io.Reader
	if body != "" {
		r = strings.NewReader(body)
	}
	req, err := http.NewRequest(method, url, r)
	require.NoError(t, err)
	return req
}

func last(m *testserver.Mock) *testserver.Request {
	all := m.Requests()
	return all[len(all)-1]
}

func TestEffect_RequestTarget_stands_in_the_request_line(t *testing.T) {
	m := testserver.NewMock(t, testserver.ByPath(map[string]testserver.Reply{
		"/from": testserver.Redirect(302, "/to"), "/to": testserver.Text(200, "to"),
		"*": {}, "/a/../b": {}, "?x": {}, "/ü": {}, "/a#b": {}, "http://other.test/x": {}, "/plain": testserver.Text(200, "plain"),
	}))
	c := newClient(t)
	for _, target := range []string{"*", "/a/../b", "?x", "/ü", "/a#b", "http://other.test/x", "/plain?"} {
		send(t, c, newRequest(t, "OPTIONS", m.URL+"/elsewhere?q", ""), config.RequestTarget(target))
		assert.Equal(t, target, last(m).Target)
		assert.Equal(t, m.Addr, last(m).Get("Host"))
	}
	assert.Equal(t, "to", get(t, c, m.URL+"/x", config.RequestTarget("/from")), "a redirect leads away from it")
	assert.Equal(t, "plain", get(t, c, m.URL+"/x", config.RequestTarget("/plain")))
	assert.Equal(t, "/x", func() string { get(t, c, m.URL+"/x"); return last(m).Target }(), "the next request has its own")

	p := testserver.NewMock(t, func(*testserver.Request) testserver.Reply { return testserver.Reply{} })
	get(t, c, m.URL+"/x", config.RequestTarget("/as-it-is"), config.Proxy(p.URL))
	assert.Equal(t, "/as-it-is", p.Requests()[0].Target)

	h2 := testserver.Start(t, testserver.H2C, tell(func(r *http.Request) any { return r.RequestURI }))
	two := newClient(t, config.HTTPVersion(config.HTTP2PriorKnowledge))
	assert.Equal(t, "/a/../b?c", get(t, two, h2.URL, config.RequestTarget("/a/../b?c")))
}

func TestEffect_HeaderOrder_is_kept(t *testing.T) {
	m := testserver.MockReply(t, testserver.Reply{})
	c := newClient(t, config.HeaderOrder("x-last-of-a", "Accept", "user-agent", "Content-Length", "X-Two", "Content-Type", "Accept-Encoding", "cookie"))
	for range 5 { // maps have another order each time
		req := newRequest(t, "POST", m.URL, "body")
		req.Header = http.Header{
			"Z": {"1"}, "Cookie": {"a=b"}, "X-Two": {"1", ""}, "X-Last-Of-A": {"1"}, "Content-Type": {"t/x"}, "B": {"1"}, "M": {"1"},
		}
		send(t, c, req)
		assert.Equal(t, []string{
			"Host", "X-Last-Of-A", "Accept", "User-Agent", "Content-Length", "X-Two", "X-Two", "Content-Type", "Accept-Encoding", "Cookie", "B", "M", "Z",
		}, last(m).Names())
		assert.Equal(t, []string{"1", ""}, last(m).Values("X-Two"), "the order of values stays, an empty one is sent")
		assert.Equal(t, "body", string(last(m).Body))
		assert.Equal(t, []string{"4"}, last(m).Values("Content-Length"))
	}
	for _, body := range []io.Reader{nil, struct{ io.Reader }{strings.NewReader("of unknown length")}} {
		req, err := http.NewRequest("POST", m.URL, body)
		require.NoError(t, err)
		send(t, c, req)
		assert.Equal(t, body != nil, last(m).Chunked)
		assert.Equal(t, body == nil, last(m).Has("Content-Length"))
	}
	get(t, c, m.URL)
	assert.Equal(t, []string{"Host", "Accept", "User-Agent", "Accept-Encoding"}, last(m).Names())
	get(t, c, m.URL, config.HeaderOrder("Accept-Encoding", "User-Agent", "Accept"))
	assert.Equal(t, []string{"Host", "Accept-Encoding", "User-Agent", "Accept"}, last(m).Names())
}

func TestEffect_HeaderOrder_beside_a_round_of_authentication(t *testing.T) {
	s := testserver.Start(t, testserver.H1, testserver.Digest{}.Handler(tell(func(r *http.Request) any {
		b, _ := io.ReadAll(r.Body)
		return string(b)
	})))
	c := newClient(t, config.DigestAuth(testserver.User, testserver.Password), config.HeaderOrder("Content-Length", "User-Agent"))
	assert.Equal(t, "body", send(t, c, newRequest(t, "POST", s.URL, "body")))
}

func TestEffect_RawHeaders_are_sent_as_written(t *testing.T) {
	m := testserver.MockReply(t, testserver.Reply{})
	c := newClient(t, config.RawHeaders(true), config.DefaultHeader("X-Default", "1"), config.DefaultHeader("Accept", "a/b"), config.HeaderOrder("accept", "x-fOO", "user-agent"))
	req := newRequest(t, "POST", m.URL, "body")
	req.Header = http.Header{"x-fOO": {"1"}, "user-agent": {"me"}, "aCCept": {"x/y"}, "content-length": {"99"}, "X-EMPTY": {""}}
	send(t, c, req)
	assert.Equal(t, []string{"Host: " + m.Addr, "aCCept: x/y", "x-fOO: 1", "user-agent: me", "X-EMPTY:", "Content-Length: 4"}, last(m).Header)
	get(t, c, m.URL)
	assert.Equal(t, []string{"Host"}, last(m).Names())
	get(t, c, m.URL, config.RawHeaders(false), config.HeaderOrder())
	assert.ElementsMatch(t, []string{"Host", "Accept", "User-Agent", "Accept-Encoding", "X-Default"}, last(m).Names())
}

func TestEffect_empty_header_fields_are_sent(t *testing.T) {
	seen := func(r *http.Request) any { return fmt.Sprintf("%q", r.Header.Values("X-Empty")) }
	for _, mode := range []testserver.Mode{testserver.H1, testserver.H2C} {
		s := testserver.Start(t, mode, tell(seen))
		c := newClient(t)
		if mode == testserver.H2C {
			c = newClient(t, config.HTTPVersion(config.HTTP2PriorKnowledge))
		}
		req := newRequest(t, "GET", s.URL, "")
		req.Header["X-Empty"] = []string{"", "a", " "}
		assert.Equal(t, `["" "a" ""]`, send(t, c, req))
	}
}

func gzipped(t *testing.T, b []byte) string {
	t.Helper()
	var buf bytes.Buffer
	w := gzip.NewWriter(&buf)
	_, err := w.Write(b)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return buf.String()
}

func TestEffect_MaxBodyBytes(t *testing.T) {
	small := gzipped(t, make([]byte, 100_000))
	for _, mode := range []testserver.Mode{testserver.H1, testserver.H2C} {
		s := testserver.StartFunc(t, mode, func(w http.ResponseWriter, r *http.Request) {
			switch r.URL.Path {
			case "/announced":
				w.Header().Set("Content-Length", "2000")
			case "/gzip":
				w.Header().Set("Content-Encoding", "gzip")
				_, _ = io.WriteString(w, small)
				return
			case "/head":
				w.Header().Set("Content-Length", "2000")
				return
			}
			for range 20 {
				_, _ = w.Write(make([]byte, 100))
				_ = http.NewResponseController(w).Flush()
			}
		})
		c := newClient(t, config.MaxBodyBytes(1000))
		if mode == testserver.H2C {
			c = newClient(t, config.MaxBodyBytes(1000), config.HTTPVersion(config.HTTP2PriorKnowledge))
		}
		refused(t, ratmom.ErrBodyTooLarge, c, s.URL+"/announced")
		resp, err := c.Head(s.URL + "/head")
		require.NoError(t, err, "a HEAD has no body")
		require.NoError(t, resp.Discard())

		resp, err = c.Get(s.URL + "/")
		require.NoError(t, err)
		b, err := resp.Bytes()
		require.ErrorIs(t, err, ratmom.ErrBodyTooLarge)
		var e *ratmom.Error
		require.ErrorAs(t, err, &e)
		assert.Contains(t, e.URL, s.Addr)
		assert.Len(t, b, 1000)

		resp, err = c.Get(s.URL + "/gzip")
		require.NoError(t, err, "it is small on the wire")
		b, err = resp.Bytes()
		require.ErrorIs(t, err, ratmom.ErrBodyTooLarge)
		assert.Len(t, b, 1000)
		assert.Len(t, get(t, c, s.URL+"/gzip", config.MaxBodyBytes(100_000)), 100_000)
		refused2(t, ratmom.ErrBodyTooLarge, c, s.URL+"/gzip", config.MaxBodyBytes(0), config.MaxDecompressedBytes(99_999))
		assert.Len(t, get(t, c, s.URL+"/", config.MaxBodyBytes(2000)), 2000)
		assert.Len(t, get(t, c, s.URL+"/announced", config.MaxBodyBytes(0)), 2000)
		assert.Len(t, get(t, c, s.URL+"/gzip", config.MaxBodyBytes(0), config.MaxDecompressedBytes(100_000)), 100_000)
	}
}

// refused2 is refused by reading the body.
func refused2(t *testing.T, kind error, c *ratmom.Client, url string, opts ...config.RequestOption) {
	t.Helper()
	resp, err := c.Get(url, opts...)
	require.NoError(t, err)
	require.ErrorIs(t, resp.Discard(), kind)
}

func TestEffect_Range_and_TimeCondition(t *testing.T) {
	modified := time.Date(2020, 1, 2, 3, 4, 5, 0, time.UTC)
	for _, mode := range []testserver.Mode{testserver.H1, testserver.H2C} {
		s := testserver.StartFunc(t, mode, func(w http.ResponseWriter, r *http.Request) {
			http.ServeContent(w, r, "a.txt", modified, strings.NewReader("0123456789"))
		})
		c := newClient(t)
		if mode == testserver.H2C {
			c = newClient(t, config.HTTPVersion(config.HTTP2PriorKnowledge))
		}
		for want, o := range map[string]config.RequestOption{
			"234": config.Range(2, 4), "789": config.Range(-3, -1), "56789": config.Range(5, -1), "0": config.Range(0, 0),
		} {
			resp, err := c.Get(s.URL, o)
			require.NoError(t, err)
			assert.Equal(t, http.StatusPartialContent, resp.StatusCode)
			text, err := resp.Text()
			require.NoError(t, err)
			assert.Equal(t, want, text)
		}
		req := newRequest(t, "GET", s.URL, "")
		req.Header.Set("Range", "bytes=1-1")
		assert.Equal(t, "1", send(t, c, req, config.Range(2, 4)), "the request's own field wins")

		status := func(o config.RequestOption) int {
			resp, err := c.Get(s.URL, o)
			require.NoError(t, err)
			require.NoError(t, resp.Discard())
			return resp.StatusCode
		}
		assert.Equal(t, 304, status(config.TimeCondition(config.IfModifiedSince, modified)))
		assert.Equal(t, 200, status(config.TimeCondition(config.IfModifiedSince, modified.Add(-time.Second))))
		assert.Equal(t, 200, status(config.TimeCondition(config.IfUnmodifiedSince, modified)))
		assert.Equal(t, 412, status(config.TimeCondition(config.IfUnmodifiedSince, modified.Add(-time.Second).In(time.FixedZone("", 3600)))))
	}
}

func raw(t *testing.T, response string) *testserver.RawServer {
	t.Helper()
	return testserver.Raw(t, func(c *testserver.Conn) {
		if _, err := c.ReadHead(); err == nil {
			_ = c.Send(response)
		}
	})
}

func TestEffect_StatusAliases(t *testing.T) {
	for _, line := range []string{"ICY 200 OK", "icy 404 whatever", "ICY 100", "ICY 200"} {
		s := raw(t, line+"\r\nicy-name: x\r\n\r\nmusic")
		c := newClient(t)
		if _, err := c.Get(s.URL); assert.Error(t, err, line) {
			assert.NotErrorIs(t, err, ratmom.ErrTimeout)
		}
		resp, err := c.Get(s.URL, config.StatusAliases("other", "ICY 2", "icy 404", "ICY 100"))
		require.NoError(t, err, line)
		assert.Equal(t, []any{200, "HTTP/1.0", "x"}, []any{resp.StatusCode, resp.Proto, resp.Header.Get("Icy-Name")})
		text, err := resp.Text()
		require.NoError(t, err)
		assert.Equal(t, "music", text)
	}
	s := testserver.MockReply(t, testserver.Text(404, "as ever"))
	resp, err := newClient(t).Get(s.URL, config.StatusAliases("ICY 200"))
	require.NoError(t, err)
	assert.Equal(t, 404, resp.StatusCode)
	require.NoError(t, resp.Discard())
}

func TestEffect_AllowHTTP09(t *testing.T) {
	big := strings.Repeat("line\n", 50_000)
	for _, text := range []string{"no head at all", "a line\r\nand another\r\n", "<p>\n", big} {
		s := raw(t, text)
		c := newClient(t)
		if _, err := c.Get(s.URL); assert.Error(t, err) {
			assert.NotErrorIs(t, err, ratmom.ErrTimeout)
		}
		resp, err := c.Get(s.URL, config.AllowHTTP09(true))
		require.NoError(t, err)
		assert.Equal(t, []any{200, "HTTP/0.9", 0}, []any{resp.StatusCode, resp.Proto, len(resp.Header)})
		got, err := resp.Text()
		require.NoError(t, err)
		assert.Equal(t, text, got)
	}
}

func TestEffect_IgnoreContentLength(t *testing.T) {
	for _, length := range []string{"3", "0", "500", "nonsense"} {
		s := raw(t, "HTTP/1.1 200 OK\r\nContent-Length: "+length+"\r\n\r\nlonger than three")
		c := newClient(t, config.IgnoreContentLength(true))
		resp, err := c.Get(s.URL)
		require.NoError(t, err, length)
		assert.EqualValues(t, -1, resp.ContentLength)
		text, err := resp.Text()
		require.NoError(t, err, length)
		assert.Equal(t, "longer than three", text)
	}
	s := raw(t, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nlonger than three")
	assert.Equal(t, "lon", get(t, newClient(t), s.URL))
}

// endless gives a piece, and then nothing until it is closed.
type endless struct {
	piece  string
	closed chan struct{}
}

func (e *endless) Read(p []byte) (int, error) {
	if e.piece != "" {
		n := copy(p, e.piece)
		e.piece = e.piece[n:]
		return n, nil
	}
	<-e.closed
	return 0, io.ErrClosedPipe
}

func (e *endless) Close() error {
	close(e.closed)
	return nil
}

func TestEffect_StopUploadOnError_gives_the_body_up(t *testing.T) {
	for _, head := range []string{
		"Content-Length: 2\r\n\r\nno",
		"Content-Length: 2\r\nConnection: close\r\n\r\nno",
		"Transfer-Encoding: chunked\r\n\r\n2\r\nno\r\n0\r\n\r\n",
		"Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nno\r\n0\r\n\r\n",
	} {
		gone := make(chan struct{})
		s := testserver.Raw(t, func(c *testserver.Conn) {
			if _, err := c.ReadHead(); err != nil {
				return
			}
			_ = c.Send("HTTP/1.1 413 Too Large\r\n" + head)
			_, _ = io.Copy(io.Discard, c) // until the client goes
			close(gone)
		})
		body := &endless{piece: "body", closed: make(chan struct{})}
		req, err := http.NewRequest("POST", s.URL, body)
		require.NoError(t, err)
		resp, err := newClient(t, config.StopUploadOnError(true)).Send(req)
		require.NoError(t, err)
		text, err := resp.Text()
		require.NoError(t, err, head)
		assert.Equal(t, []any{413, "no"}, []any{resp.StatusCode, text})
		for _, c := range []chan struct{}{body.closed, gone} {
			select {
			case <-c:
			case <-time.After(5 * time.Second):
				t.Fatalf("the body is still being sent: %q", head)
			}
		}
	}
}

func TestEffect_StopUploadOnError_over_HTTP2(t *testing.T) {
	s := testserver.StartFunc(t, testserver.H2, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == "GET" {
			return
		}
		w.Header().Set("Content-Length", "2")
		w.WriteHeader(413)
		_, _ = io.WriteString(w, "no")
		_ = http.NewResponseController(w).Flush()
		_, _ = io.Copy(io.Discard, r.Body)
	})
	c := newClient(t, config.StopUploadOnError(true), config.CAFile(s.CAFile))
	get(t, c, s.URL)
	body := &endless{closed: make(chan struct{})}
	if cgo.Features().Version < 0x080000 {
		body.piece = "body" // before, an upload that waits holds the response back
	}
	req, err := http.NewRequest("POST", s.URL, body)
	require.NoError(t, err)
	resp, err := c.Send(req)
	require.NoError(t, err)
	assert.Equal(t, "no", func() string { text, _ := resp.Text(); return text }())
	select {
	case <-body.closed:
	case <-time.After(5 * time.Second):
		t.Fatal("the body is still being sent")
	}
}

func TestEffect_uploads_go_on_after_an_error_by_default(t *testing.T) {
	got := make(chan string, 1)
	s := testserver.Raw(t, func(c *testserver.Conn) {
		if _, err := c.ReadHead(); err != nil {
			return
		}
		_ = c.Send("HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno")
		b := make([]byte, 500_000)
		n, _ := io.ReadFull(c, b)
		got <- string(b[:n])
	})
	r, w := io.Pipe()
	req, err := http.NewRequest("POST", s.URL, r)
	require.NoError(t, err)
	req.ContentLength = 500_000
	f := newClient(t).SendAsync(req)
	<-f.Done()
	_, err = w.Write(bytes.Repeat([]byte("x"), 500_000))
	require.NoError(t, err)
	require.NoError(t, w.Close())
	resp, err := f.Result()
	require.NoError(t, err)
	require.NoError(t, resp.Discard())
	assert.Len(t, <-got, 500_000)
}

func TestEffect_DisallowUserinfo(t *testing.T) {
	m := testserver.NewMock(t, testserver.ByPath(map[string]testserver.Reply{
		"/": {}, "/away": testserver.Redirect(302, "http://u:p@127.0.0.1:1/"),
	}))
	c := newClient(t, config.DisallowUserinfo(true))
	get(t, c, m.URL+"/")
	for _, u := range []string{strings.Replace(m.URL, "//", "//user:"+"pass"+"@", 1), strings.Replace(m.URL, "//", "//user@", 1), m.URL + "/away"} {
		_, err := c.Get(u)
		require.ErrorIs(t, err, ratmom.ErrInvalidRequest)
		require.ErrorContains(t, err, "DisallowUserinfo")
		assert.NotContains(t, err.Error(), "pass")
	}
	assert.Len(t, m.Requests(), 2, "no byte was sent to there")
}

func TestEffect_TransferDecoding_off_leaves_the_body_as_it_came(t *testing.T) {
	chunks := "5;x=1\r\nhello\r\n3\r\n 2\n\r\n0\r\nTrail: er\r\n\r\n"
	for _, c := range []struct {
		head, body, want string
		codings          []string
	}{
		{"Transfer-Encoding: chunked", chunks, chunks, []string{"chunked"}},
		{"Transfer-Encoding: chunked\r\nContent-Encoding: gzip", chunks, chunks, []string{"chunked"}},
		{"Transfer-Encoding: chunked", "0\r\n\r\n", "0\r\n\r\n", []string{"chunked"}},
		{"Transfer-Encoding: chunked", chunks + "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil", chunks, []string{"chunked"}},
		{"Transfer-Encoding: gzip, chunked", chunks, chunks, []string{"gzip", "chunked"}},
		{"Content-Length: 3", "abc", "abc", nil},
	} {
		hold := make(chan struct{})
		s := testserver.Raw(t, func(conn *testserver.Conn) {
			if _, err := conn.ReadHead(); err == nil {
				_ = conn.Send("HTTP/1.1 200 OK\r\n" + c.head + "\r\n\r\n" + c.body)
				<-hold // the end of the coding is the end of the body
			}
		})
		resp, err := newClient(t, config.TransferDecoding(false)).Get(s.URL)
		require.NoError(t, err, c.head)
		assert.Equal(t, c.codings, resp.TransferEncoding)
		assert.Equal(t, c.codings != nil, resp.Header.Get("Transfer-Encoding") != "")
		b, err := resp.Bytes()
		require.NoError(t, err, c.head)
		assert.Equal(t, c.want, string(b))
		close(hold)
	}
	cut := raw(t, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel")
	refused2(t, ratmom.ErrTruncated, newClient(t), cut.URL, config.TransferDecoding(false))

	big := strings.Repeat("0123456789", 100_000)
	s := testserver.StartFunc(t, testserver.H1, func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i < len(big); i += 50_000 {
			_, _ = io.WriteString(w, big[i:i+50_000])
			_ = http.NewResponseController(w).Flush()
		}
	})
	c := newClient(t, config.TransferDecoding(false), config.Decompression(false))
	for range 2 {
		resp, err := c.Get(s.URL)
		require.NoError(t, err)
		b, err := resp.Bytes()
		require.NoError(t, err)
		assert.Greater(t, len(b), len(big))
		assert.True(t, bytes.HasSuffix(b, []byte("\r\n0\r\n\r\n")))
	}
	assert.Equal(t, 1, s.Accepted(), "the connection is used again")
	assert.Equal(t, big, get(t, newClient(t), s.URL))
}

// chunked is s in chunks of n bytes, without the last one.
func chunked(s string, n int) string {
	var b strings.Builder
	for ; s != ""; s = s[min(n, len(s)):] {
		piece := s[:min(n, len(s))]
		fmt.Fprintf(&b, "%x\r\n%s\r\n", len(piece), piece)
	}
	return b.String()
}

func TestEffect_TransferCompression(t *testing.T) {
	text := strings.Repeat("0123456789", 50_000)
	packed := gzipped(t, []byte(text))
	const end = "0\r\nTrail: er\r\n\r\n"
	var body atomic.Value
	m := testserver.NewMock(t, func(*testserver.Request) testserver.Reply {
		return testserver.Reply{Raw: "HTTP/1.1 200 OK\r\n" + body.Load().(string), Drop: true}
	})
	c := newClient(t, config.TransferCompression(true))
	for _, b := range []string{
		"Transfer-Encoding: gzip, chunked\r\n\r\n" + chunked(packed, 100) + end,
		"Transfer-Encoding: GZip\r\nTransfer-Encoding: Chunked\r\n\r\n" + chunked(packed, 1000) + end,
		"Transfer-Encoding: gzip\r\n\r\n" + packed,
		"Transfer-Encoding: chunked\r\n\r\n" + chunked(text, 7000) + end,
		"Transfer-Encoding: chunked\r\nContent-Encoding: gzip\r\n\r\n" + chunked(packed, 1000) + end,
		"Transfer-Encoding: gzip, chunked\r\nContent-Encoding: gzip\r\n\r\n" + chunked(gzipped(t, []byte(packed)), 1000) + end,
		fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(text), text),
	} {
		body.Store(b)
		head, _, _ := strings.Cut(b, "\r\n\r\n")
		resp, err := c.Get(m.URL)
		require.NoError(t, err, head)
		assert.Empty(t, resp.Header.Get("Transfer-Encoding"))
		got, err := resp.Text()
		require.NoError(t, err, head)
		assert.Equal(t, text, got, head)
		if strings.HasSuffix(b, end) {
			assert.Equal(t, []string{"chunked"}, resp.TransferEncoding)
			assert.Equal(t, "er", resp.Trailers().Get("Trail"), head)
		}
		assert.Equal(t, "gzip", last(m).Get("TE"))
		assert.Equal(t, "TE", last(m).Get("Connection"))
	}
	for b, kind := range map[string]error{
		"Transfer-Encoding: gzip, chunked\r\n\r\n" + chunked(packed[:len(packed)-9], 1000) + end: ratmom.ErrTruncated, // libcurl sees nothing wrong there
		"Transfer-Encoding: gzip, chunked\r\n\r\n" + chunked(packed, 1000):                       ratmom.ErrTruncated,
		"Transfer-Encoding: gzip\r\n\r\n" + packed[:len(packed)-9]:                               ratmom.ErrTruncated,
		"Transfer-Encoding: gzip, chunked\r\n\r\n" + chunked("no gzip", 1000) + end:              ratmom.ErrContentEncoding,
	} {
		body.Store(b)
		refused2(t, kind, c, m.URL)
	}
	body.Store("Transfer-Encoding: gzip, chunked\r\n\r\n" + chunked(packed, 100) + end)
	refused2(t, ratmom.ErrBodyTooLarge, c, m.URL, config.MaxDecompressedBytes(int64(len(text))-1))
	body.Store("Transfer-Encoding: nonsense, chunked\r\n\r\n" + chunked(packed, 100) + end)
	refused(t, ratmom.ErrProtocol, c, m.URL)
	body.Store("Transfer-Encoding: gzip, chunked\r\n\r\n" + chunked(packed, 100) + end)
	_, err := newClient(t).Get(m.URL)
	require.Error(t, err, "nobody asked for it")

	s := testserver.Start(t, testserver.H2C, tell(func(r *http.Request) any { return r.Header.Get("TE") + r.Header.Get("Connection") }))
	assert.Empty(t, get(t, newClient(t, config.TransferCompression(true), config.HTTPVersion(config.HTTP2PriorKnowledge)), s.URL))
}

func TestEffect_TransferCompression_leaves_connections_usable(t *testing.T) {
	packed := gzipped(t, []byte("hello"))
	m := testserver.NewMock(t, testserver.ByPath(map[string]testserver.Reply{
		"/plain":  {Raw: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked("hello", 3) + "0\r\n\r\n"},
		"/packed": {Raw: "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n" + chunked(packed, 10) + "0\r\n\r\n"},
	}))
	c := newClient(t, config.TransferCompression(true))
	for range 3 {
		assert.Equal(t, "hello", get(t, c, m.URL+"/plain"))
	}
	assert.Equal(t, 1, m.Accepted())
	for range 3 {
		assert.Equal(t, "hello", get(t, c, m.URL+"/packed"))
	}
	if cgo.Features().Version < 0x080000 {
		assert.Equal(t, 1, m.Accepted())
	}
}
