package testserver

import (
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// talk sends raw bytes and gives all that comes back until the server closes.
func talk(t *testing.T, m *Mock, said string) string {
	t.Helper()
	conn, err := net.Dial("tcp", m.Addr)
	require.NoError(t, err)
	defer func() { _ = conn.Close() }()
	_, err = io.WriteString(conn, said)
	require.NoError(t, err)
	answer, err := io.ReadAll(conn)
	require.NoError(t, err)
	return string(answer)
}

func TestMock_keeps_requests_as_they_stood_on_the_wire(t *testing.T) {
	m := MockReply(t, Reply{Close: true})
	talk(t, m, "FOOBAR /a?b=c HTTP/1.1\r\nhost: x\r\nX-Odd:  two \r\nEmpty:\r\nx-odd: again\r\n"+
		"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;ext=1\r\nde\r\n0\r\nX-Sum: 5\r\n\r\n")
	r := m.Request()
	assert.Equal(t, "FOOBAR", r.Method)
	assert.Equal(t, "/a?b=c", r.Target)
	assert.Equal(t, "/a", r.Path())
	assert.Equal(t, "HTTP/1.1", r.Proto)
	assert.Equal(t, []string{"host: x", "X-Odd:  two ", "Empty:", "x-odd: again", "Transfer-Encoding: chunked"}, r.Header)
	assert.Equal(t, []string{"host", "X-Odd", "Empty", "x-odd", "Transfer-Encoding"}, r.Names())
	assert.Equal(t, []string{"two", "again"}, r.Values("x-odd"))
	assert.Equal(t, "two", r.Get("X-ODD"))
	assert.True(t, r.Has("empty"))
	assert.False(t, r.Has("content-length"))
	assert.Equal(t, "abcde", string(r.Body))
	assert.True(t, r.Chunked)
	assert.Equal(t, "5", r.Trailer("x-sum"))
	assert.Equal(t, m.AddrPort(), r.LocalAddr)
	assert.True(t, r.RemoteAddr.IsValid())
	assert.NoError(t, r.Err)
}

func TestMock_keeps_what_there_was_of_a_body_that_broke_off(t *testing.T) {
	m := MockReply(t)
	conn, err := net.Dial("tcp", m.Addr)
	require.NoError(t, err)
	_, err = io.WriteString(conn, "POST / HTTP/1.1\r\nContent-Length: 10\r\n\r\nhalf")
	require.NoError(t, err)
	require.NoError(t, conn.Close())
	require.True(t, m.WaitRequests(1, soon))
	require.True(t, m.WaitClosed(soon))
	assert.Equal(t, "half", string(m.Request().Body))
	assert.ErrorIs(t, m.Request().Err, io.ErrUnexpectedEOF)
}

func TestMock_answers_to_the_byte(t *testing.T) {
	closed := "Connection: close\r\n"
	for name, c := range map[string]struct {
		method string
		reply  Reply
		want   string
	}{
		"nothing said":      {"GET", Reply{Close: true}, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n" + closed + "\r\n"},
		"a text":            {"GET", Reply{Status: 404, Body: "no", Close: true}, "HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n" + closed + "\r\nno"},
		"HEAD":              {"HEAD", Reply{Body: "no", Close: true}, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n" + closed + "\r\n"},
		"204":               {"GET", Reply{Status: 204, Close: true}, "HTTP/1.1 204 No Content\r\n" + closed + "\r\n"},
		"own length":        {"GET", Reply{Header: []string{"content-length: 2"}, Body: "ab", Drop: true}, "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nab"},
		"chunked":           {"GET", Reply{Body: "ab", Chunked: true, Drop: true}, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n"},
		"trailers":          {"GET", Reply{Body: "ab", Trailers: []string{"foo: bar"}, Drop: true}, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\nfoo: bar\r\n\r\n"},
		"reader":            {"GET", Reply{From: strings.NewReader("ab"), Drop: true}, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n"},
		"reader, length":    {"GET", Reply{Header: []string{"Content-Length: 2"}, From: strings.NewReader("ab"), Drop: true}, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab"},
		"reason, proto":     {"GET", Reply{Proto: "HTTP/1.0", Reason: "Fine", Drop: true}, "HTTP/1.0 200 Fine\r\nContent-Length: 0\r\n\r\n"},
		"informational":     {"GET", Reply{Before: []string{"HTTP/1.1 103 Early Hints\r\n\r\n"}, Raw: "HTTP/1.1 200 OK\n\nx", Drop: true}, "HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\n\nx"},
		"redirect":          {"GET", func() Reply { r := Redirect(302, "/é"); r.Drop = true; return r }(), "HTTP/1.1 302 Found\r\nLocation: /é\r\nContent-Length: 0\r\n\r\n"},
		"after a 1.0 start": {"GET", Reply{}, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"},
	} {
		t.Run(name, func(t *testing.T) {
			proto := "HTTP/1.1"
			if name == "after a 1.0 start" {
				proto = "HTTP/1.0"
			}
			m := MockReply(t, c.reply)
			assert.Equal(t, c.want, talk(t, m, c.method+" / "+proto+"\r\nHost: x\r\n\r\n"))
		})
	}
}

func TestMock_answers_in_turn_and_by_path(t *testing.T) {
	m := MockReply(t, Text(500, "first"), Text(200, "then"))
	client := plainClient(t)
	for _, want := range []string{"first", "then", "then"} {
		_, body := get(t, client, m.URL)
		assert.Equal(t, want, body)
	}
	assert.Equal(t, 1, m.Accepted())
	assert.Len(t, m.Requests(), 3)

	m = NewMock(t, ByPath(map[string]Reply{"/a": Text(200, "a"), "POST /b": Text(200, "b")}), WithTLS(), OnIPv6())
	client = (&Server{Endpoint: m.Endpoint, Mode: HTTPS1, t: t}).Client()
	_, body := get(t, client, m.URL+"/a?x")
	assert.Equal(t, "a", body)
	resp, _ := get(t, client, m.URL+"/b")
	assert.Equal(t, 404, resp.StatusCode)
}

func TestMock_holds_heads_and_bodies_and_sees_clients_go(t *testing.T) {
	head, body := NewGate(), NewGate()
	m := MockReply(t, Reply{Hold: head.Opened(), HoldBody: body.Opened(), Body: "late", Drop: true})
	said := make(chan string, 1)
	go func() { said <- talk(t, m, "GET / HTTP/1.1\r\n\r\n") }()
	require.True(t, m.WaitRequests(1, soon))
	head.Open()
	body.Open()
	assert.Contains(t, <-said, "late")

	m = MockReply(t, Reply{Hold: NewGate().Opened()})
	conn, err := net.Dial("tcp", m.Addr)
	require.NoError(t, err)
	_, err = io.WriteString(conn, "GET / HTTP/1.1\r\n\r\n")
	require.NoError(t, err)
	require.True(t, m.WaitRequests(1, soon))
	require.NoError(t, conn.Close())
	assert.True(t, m.WaitClosed(soon))
}

func TestMock_decides_on_Expect_before_the_body(t *testing.T) {
	said := "POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nab"
	m := MockReply(t, Reply{Drop: true})
	assert.Equal(t, "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", talk(t, m, said))

	m = MockReply(t)
	m.OnExpect = func(*Request) (Reply, bool) { return Reply{Status: http.StatusExpectationFailed, Close: true}, true }
	assert.Contains(t, talk(t, m, said[:len(said)-2]), "HTTP/1.1 417")
	assert.Empty(t, m.Request().Body)
}
