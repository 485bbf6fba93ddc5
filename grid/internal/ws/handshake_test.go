package ws

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom/server"
)

// RFC 6455, section 1.3.
func TestAcceptFor_is_that_of_the_RFC(t *testing.T) {
	assert.Equal(t, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", acceptFor("dGhlIHNhbXBsZSBub25jZQ=="))
}

const asked = "GET /grid HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n" +
	"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: other, ratmom.grid.1\r\n"

// serveOn is what answers requests on l.
type serveOn func(t *testing.T, l net.Listener, h http.Handler)

var servers = map[string]serveOn{
	"net/http": func(t *testing.T, l net.Listener, h http.Handler) {
		s := &http.Server{Handler: h, ReadHeaderTimeout: patience}
		serve(t, l, s.Serve, s.Close)
	},
	"ratmom's": func(t *testing.T, l net.Listener, h http.Handler) {
		s := &server.Server{Handler: h}
		serve(t, l, s.Serve, s.Close)
	},
}

func serve(t *testing.T, l net.Listener, run func(net.Listener) error, stop func() error) {
	ended := make(chan error, 1)
	go func() { ended <- run(l) }()
	t.Cleanup(func() {
		assert.NoError(t, stop())
		assert.Equal(t, http.ErrServerClosed, <-ended)
	})
}

func TestUpgrade_works_under_every_server(t *testing.T) {
	for name, start := range servers {
		t.Run(name, func(t *testing.T) {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			require.NoError(t, err)
			start(t, l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				c, err := Upgrade(w, r, protocol, time.Now().Add(patience))
				if err != nil {
					return
				}
				defer func() { _ = c.Close() }()
				for {
					if _, err = c.Next(); err != nil {
						break
					}
					b, _ := io.ReadAll(c)
					_ = c.WriteMessage(net.Buffers{[]byte("echo "), b})
				}
				var closed *CloseError
				if errors.As(err, &closed) {
					_ = c.WriteClose(closed.Code, "")
				}
			}))

			t.Run("a client", func(t *testing.T) {
				ctx, cancel := context.WithTimeout(context.Background(), patience)
				defer cancel()
				nc := dial(t, l.Addr().String())
				c, err := Client(ctx, nc, Handshake{
					Host: "a", Path: "/grid?x=1", Subprotocol: protocol, Header: http.Header{"Authorization": {"Bearer x"}},
				})
				require.NoError(t, err)
				require.NoError(t, nc.SetDeadline(time.Now().Add(patience)))
				require.NoError(t, c.WriteMessage(net.Buffers{[]byte("one")}))
				assert.Equal(t, "echo one", string(message(t, c)))
				require.NoError(t, c.WriteClose(CloseNormal, "done"))
				_, err = c.Next()
				assert.Equal(t, &CloseError{Code: CloseNormal}, err)
			})
			t.Run("bytes that come with the request", func(t *testing.T) {
				nc := dial(t, l.Addr().String())
				_, err := nc.Write(append([]byte(asked+"\r\n"), masked(0x82, "early")...))
				require.NoError(t, err)
				br := bufio.NewReader(nc)
				resp, err := http.ReadResponse(br, nil)
				require.NoError(t, err)
				defer func() { _ = resp.Body.Close() }()
				assert.Equal(t, 101, resp.StatusCode)
				assert.Equal(t, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", resp.Header.Get("Sec-WebSocket-Accept"))
				assert.Equal(t, protocol, resp.Header.Get("Sec-WebSocket-Protocol"))
				got := make([]byte, len(bare(0x82, "echo early")))
				_, err = io.ReadFull(br, got)
				require.NoError(t, err)
				assert.Equal(t, bare(0x82, "echo early"), got)
			})
			for _, c := range refusals {
				t.Run(c.name, func(t *testing.T) {
					nc := dial(t, l.Addr().String())
					_, err := io.WriteString(nc, c.request+"\r\n")
					require.NoError(t, err)
					resp, err := http.ReadResponse(bufio.NewReader(nc), nil)
					require.NoError(t, err)
					defer func() { _ = resp.Body.Close() }()
					assert.Equal(t, c.status, resp.StatusCode)
					for name, value := range c.header {
						assert.Equal(t, value, resp.Header.Get(name), name)
					}
					why, err := io.ReadAll(resp.Body)
					require.NoError(t, err)
					assert.Contains(t, string(why), c.why)
				})
			}
		})
	}
}

func without(line string) string {
	i := strings.Index(asked, line)
	return asked[:i] + asked[i+strings.Index(asked[i:], "\n")+1:]
}

var refusals = []struct {
	name, request string
	status        int
	header        map[string]string
	why           string
}{
	{"POST", strings.Replace(asked, "GET", "POST", 1) + "Content-Length: 0\r\n", 405, map[string]string{"Allow": "GET"}, "GET"},
	{"DELETE", strings.Replace(asked, "GET", "DELETE", 1), 405, map[string]string{"Allow": "GET"}, "GET"},
	{"a plain request", "GET / HTTP/1.1\r\nHost: a\r\n", 426, map[string]string{"Upgrade": "websocket", "Sec-WebSocket-Version": "13"}, "WebSocket"},
	{"another upgrade", strings.Replace(asked, "websocket", "h2c", 1), 426, map[string]string{"Upgrade": "websocket"}, "WebSocket"},
	{"no Connection", without("Connection"), 426, nil, "WebSocket"},
	{"HTTP/1.0", strings.Replace(asked, "HTTP/1.1", "HTTP/1.0", 1), 426, nil, "HTTP/1.1"},
	{"no version", without("Sec-WebSocket-Version"), 426, map[string]string{"Sec-WebSocket-Version": "13"}, "version"},
	{"an old version", strings.Replace(asked, "13", "8", 1), 426, map[string]string{"Sec-WebSocket-Version": "13"}, "version"},
	{"no key", without("Sec-WebSocket-Key"), 400, nil, "Sec-WebSocket-Key"},
	{"two keys", asked + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n", 400, nil, "Sec-WebSocket-Key"},
	{"a short key", strings.Replace(asked, "dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZQ==", 1), 400, nil, "Sec-WebSocket-Key"},
	{"a key that is no base64", strings.Replace(asked, "dGhl", "d_hl", 1), 400, nil, "Sec-WebSocket-Key"},
	{"no subprotocol", without("Sec-WebSocket-Protocol"), 400, nil, protocol},
	{"another case of it", strings.Replace(asked, protocol, "Ratmom.Grid.1", 1), 400, nil, protocol},
	{"a web page", asked + "Origin: https://example.org\r\n", 403, nil, "web pages"},
}

func TestUpgrade_refuses_what_cannot_be_taken_over(t *testing.T) {
	r := request(t)
	w := httptest.NewRecorder()
	_, err := Upgrade(w, r, protocol, time.Time{})
	var refused *HandshakeError
	require.ErrorAs(t, err, &refused)
	assert.Equal(t, 501, refused.Status)
	assert.Equal(t, 501, w.Code)
	assert.Contains(t, err.Error(), "501 Not Implemented")

	r.ProtoMajor, r.ProtoMinor = 2, 0
	w = httptest.NewRecorder()
	_, err = Upgrade(w, r, protocol, time.Time{})
	require.ErrorAs(t, err, &refused)
	assert.Equal(t, 426, w.Code)
	assert.Empty(t, w.Header().Get("Connection"), "HTTP/2 knows no such field")
}

func request(t testing.TB) *http.Request {
	t.Helper()
	r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(asked + "\r\n")))
	require.NoError(t, err)
	return r
}

func TestUpgrade_takes_more_early_bytes_than_its_buffer_holds(t *testing.T) {
	whole := masked(0x82, string(octets(3*readSize)))
	ours, theirs := net.Pipe()
	defer func() { _ = theirs.Close() }()
	br := bufio.NewReaderSize(io.MultiReader(bytes.NewReader(whole), theirs), len(whole))
	_, err := br.Peek(len(whole))
	require.NoError(t, err)
	go func() { _, _ = io.Copy(io.Discard, theirs) }()
	c, err := Upgrade(&giver{httptest.NewRecorder(), ours, bufio.NewReadWriter(br, nil)}, request(t), protocol, time.Time{})
	require.NoError(t, err)
	defer func() { _ = c.Close() }()
	assert.Len(t, message(t, c), 3*readSize)
}

// giver is a response that gives its connection away.
type giver struct {
	*httptest.ResponseRecorder
	nc net.Conn
	rw *bufio.ReadWriter
}

func (g *giver) Hijack() (net.Conn, *bufio.ReadWriter, error) { return g.nc, g.rw, nil }

func TestUpgrade_closes_what_it_cannot_answer(t *testing.T) {
	ours, theirs := net.Pipe()
	defer func() { _ = theirs.Close() }()
	rw := bufio.NewReadWriter(bufio.NewReader(ours), bufio.NewWriter(ours))
	_, err := Upgrade(&giver{httptest.NewRecorder(), ours, rw}, request(t), protocol, time.Unix(1, 0))
	assert.ErrorContains(t, err, "answering the handshake")
	_, err = theirs.Read(make([]byte, 1))
	assert.Equal(t, io.EOF, err)
}

func TestClient_refuses_what_no_handshake_may_carry(t *testing.T) {
	for name, h := range map[string]Handshake{
		"no host":                  {},
		"a host with a break":      {Host: "a\r\nb"},
		"a path with a space":      {Host: "a", Path: "/a b"},
		"a path with a break":      {Host: "a", Path: "/\r\nX: y"},
		"a relative path":          {Host: "a", Path: "a"},
		"a fragment":               {Host: "a", Path: "/#a"},
		"a list of subprotocols":   {Host: "a", Subprotocol: "a, b"},
		"a field with a break":     {Host: "a", Header: http.Header{"A": {"b\r\nc: d"}}},
		"a name with a space":      {Host: "a", Header: http.Header{"A b": {"c"}}},
		"a field of ours":          {Host: "a", Header: http.Header{"Sec-Websocket-Key": {"a"}}},
		"a field of ours, spelled": {Host: "a", Header: http.Header{"sec-WebSocket-extensions": {"a"}}},
		"the host as a field":      {Host: "a", Header: http.Header{"host": {"b"}}},
		"a body":                   {Host: "a", Header: http.Header{"Content-Length": {"1"}}},
	} {
		// There is no connection: nothing may be written.
		_, err := Client(context.Background(), nil, h)
		assert.ErrorContains(t, err, "websocket: ", name)
		assert.NotContains(t, err.Error(), "c: d", name)
	}
}

// answer is what a server says to a key.
type answer func(key string) string

func switching(fields string) answer {
	return func(key string) string {
		return "HTTP/1.1 101 Switching Protocols\r\n" + strings.ReplaceAll(fields, "KEY", acceptFor(key)) + "\r\n"
	}
}

func always(s string) answer { return func(string) string { return s } }

const granted = "upgrade: WebSocket\r\nconnection: UPGRADE\r\nsec-websocket-accept: KEY\r\nsec-websocket-protocol: ratmom.grid.1\r\n"

func TestClient_takes_no_other_answer(t *testing.T) {
	for _, c := range []struct {
		name   string
		answer answer
		status int // of the HandshakeError, if it is one
		why    string
	}{
		{"no upgrade", switching(strings.Replace(granted, "WebSocket", "h2c", 1)), 101, "something else"},
		{"no connection", switching(strings.Replace(granted, "UPGRADE", "close", 1)), 101, "something else"},
		{"another key", switching(strings.Replace(granted, "KEY", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", 1)), 101, "key"},
		{"no key", switching(strings.Replace(granted, "sec-websocket-accept: KEY\r\n", "", 1)), 101, "key"},
		{"two keys", switching(granted + "sec-websocket-accept: KEY\r\n"), 101, "key"},
		{"an extension", switching(granted + "sec-websocket-extensions: permessage-deflate\r\n"), 101, "extension"},
		{"another subprotocol", switching(strings.Replace(granted, "grid.1", "grid.2", 1)), 101, protocol},
		{"no subprotocol", switching(strings.Replace(granted, "sec-websocket-protocol: ratmom.grid.1\r\n", "", 1)), 101, protocol},
		{"a refusal", always("HTTP/1.1 403 Forbidden\r\nContent-Length: 12\r\n\r\nnot\x1b you\nmore"), 403, "not you"},
		{"a long refusal", always("HTTP/1.1 500 X\r\nTransfer-Encoding: chunked\r\n\r\n1000\r\n" + strings.Repeat("a", 0x1000) + "\r\n"), 500, strings.Repeat("a", 200)},
		{"a redirect", always("HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n"), 302, ""},
		{"not HTTP", always("SSH-2.0-OpenSSH_9.2\r\n\r\n"), 0, "malformed HTTP"},
		{"an endless head", always("HTTP/1.1 101 X\r\nA: " + strings.Repeat("a", 1<<20)), 0, "too long"},
		{"half a head", always("HTTP/1.1 101 X\r\n"), 0, "unexpected EOF"},
	} {
		t.Run(c.name, func(t *testing.T) {
			conn, err := answered(t, c.answer)
			assert.Nil(t, conn)
			require.ErrorContains(t, err, c.why)
			var refused *HandshakeError
			assert.Equal(t, c.status != 0, errors.As(err, &refused), err)
			if c.status != 0 {
				assert.Equal(t, c.status, refused.Status)
			}
		})
	}
}

func TestClient_keeps_what_comes_with_the_answer(t *testing.T) {
	c, err := answered(t, func(key string) string {
		return switching(granted)(key) + string(bare(0x82, "early"))
	})
	require.NoError(t, err)
	assert.Equal(t, "early", string(message(t, c)))
}

// answered is the client's handshake with a server that says one thing and ends.
func answered(t *testing.T, a answer) (*Conn, error) {
	t.Helper()
	ours, theirs := net.Pipe()
	t.Cleanup(func() { _ = ours.Close() })
	done := make(chan struct{})
	t.Cleanup(func() { <-done })
	go func() {
		defer close(done)
		defer func() { _ = theirs.Close() }()
		r, err := http.ReadRequest(bufio.NewReader(theirs))
		if err != nil {
			return
		}
		_, _ = io.WriteString(theirs, a(r.Header.Get("Sec-WebSocket-Key")))
	}()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	c, err := Client(ctx, ours, Handshake{Host: "a", Subprotocol: protocol})
	if err != nil {
		_ = ours.Close()
	}
	return c, err
}

func FuzzClient_answer(f *testing.F) {
	f.Add("HTTP/1.1 101 X\r\n" + granted + "\r\n")
	f.Add("HTTP/1.1 403 Forbidden\r\nContent-Length: 3\r\n\r\nno!")
	f.Fuzz(func(t *testing.T, answer string) {
		const key = "dGhlIHNhbXBsZSBub25jZQ=="
		answer = strings.ReplaceAll(answer, "KEY", acceptFor(key))
		nc := &spoken{Reader: strings.NewReader(answer)}
		h := Handshake{Host: "a", Subprotocol: protocol}
		c, err := h.open(nc, nil, key)
		if (c == nil) == (err == nil) {
			t.Fatal("neither a connection nor an error, or both")
		}
		if err == nil && !strings.HasPrefix(answer, "HTTP/1.1 101") && !strings.HasPrefix(answer, "HTTP/1.0 101") {
			t.Fatal("taken: " + answer)
		}
	})
}

// spoken is a script that may be written to.
type spoken struct {
	net.Conn
	io.Reader
}

func (s *spoken) Read(p []byte) (int, error)  { return s.Reader.Read(p) }
func (s *spoken) Write(p []byte) (int, error) { return len(p), nil }

func FuzzUpgrade(f *testing.F) {
	f.Add("GET", "Upgrade", "websocket", "dGhlIHNhbXBsZSBub25jZQ==", "13", protocol)
	f.Add("POST", "a,b", "", "x", "8", "a,,b")
	f.Fuzz(func(t *testing.T, method, connection, upgrade, key, version, protocols string) {
		r := &http.Request{Method: method, ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{
			"Connection": {connection}, "Upgrade": {upgrade}, "Sec-Websocket-Key": {key},
			"Sec-Websocket-Version": {version}, "Sec-Websocket-Protocol": {protocols},
		}}
		w := httptest.NewRecorder()
		_, err := Upgrade(w, r, protocol, time.Time{})
		var refused *HandshakeError
		if !errors.As(err, &refused) || refused.Status != w.Code {
			t.Fatalf("%v, and %d was answered", err, w.Code)
		}
	})
}
