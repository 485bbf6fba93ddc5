package parity

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha1" //nolint:gosec // RFC 6455
	"encoding/base64"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	xws "golang.org/x/net/websocket"

	"github.com/ratmom/ratmom"
	"github.com/ratmom/ratmom/cgo"
	"github.com/ratmom/ratmom/config"
	"github.com/ratmom/ratmom/internal/testserver"
)

// needWebSocket skips where libcurl cannot, and checks that it is said so.
func needWebSocket(t testing.TB, c *ratmom.Client) {
	t.Helper()
	if f := cgo.Features(); f.WebSocket && f.AtLeast(8, 14, 0) {
		return
	}
	_, err := c.WebSocket(t.Context(), "ws://127.0.0.1:9/")
	require.ErrorIs(t, err, ratmom.ErrUnsupported)
	t.Skip("this libcurl has no WebSocket that can be used")
}

// peer is the other side of a WebSocket, frame by frame.
type peer struct {
	net.Conn
	r *bufio.Reader
}

// frame sends one; first is its first byte.
func (p *peer) frame(first byte, payload string) {
	b := []byte{first}
	switch n := len(payload); {
	case n < 126:
		b = append(b, byte(n))
	case n < 1<<16:
		b = binary.BigEndian.AppendUint16(append(b, 126), uint16(n))
	default:
		b = binary.BigEndian.AppendUint64(append(b, 127), uint64(n))
	}
	_, _ = p.Write(append(b, payload...))
}

// next reads one; it must be masked.
func (p *peer) next() (first byte, payload string, err error) {
	var head [2]byte
	if _, err := io.ReadFull(p.r, head[:]); err != nil {
		return 0, "", err
	}
	if head[1]&0x80 == 0 {
		return 0, "", errors.New("not masked")
	}
	n := uint64(head[1] & 0x7f)
	if n >= 126 {
		size := make([]byte, map[uint64]int{126: 2, 127: 8}[n])
		if _, err := io.ReadFull(p.r, size); err != nil {
			return 0, "", err
		}
		n = 0
		for _, b := range size {
			n = n<<8 | uint64(b)
		}
	}
	b := make([]byte, n+4)
	if _, err := io.ReadFull(p.r, b); err != nil {
		return 0, "", err
	}
	for i := range b[4:] {
		b[4+i] ^= b[i%4]
	}
	return head[0], string(b[4:]), nil
}

const fin, cont, text, bin, closing, ping, pong = 0x80, 0, 1, 2, 8, 9, 10

// webSocketServer runs serve for each WebSocket, after sending early with the answer's
// head.
func webSocketServer(t testing.TB, early func(*peer), serve func(*peer), options ...testserver.Option) *testserver.Server {
	t.Helper()
	mode := testserver.H1
	if len(options) > 0 {
		mode = testserver.HTTPS1
	}
	return testserver.StartFunc(t, mode, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/refused" {
			http.Error(w, "no", http.StatusForbidden)
			return
		}
		accept := acceptOf(r.Header.Get("Sec-Websocket-Key"))
		if r.URL.Path == "/liar" {
			accept = acceptOf("another")
		}
		conn, rw, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		defer func() { _ = conn.Close() }()
		var head bytes.Buffer
		head.WriteString("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " + accept + "\r\n")
		if p := r.Header.Get("Sec-Websocket-Protocol"); p != "" {
			head.WriteString("Sec-WebSocket-Protocol: " + strings.TrimSpace(strings.Split(p, ",")[0]) + "\r\n")
		}
		head.WriteString("\r\n")
		if early != nil {
			early(&peer{Conn: writerConn{conn, &head}})
		}
		_, _ = conn.Write(head.Bytes())
		serve(&peer{conn, rw.Reader})
	}, options...)
}

type writerConn struct {
	net.Conn
	w io.Writer
}

func (c writerConn) Write(p []byte) (int, error) { return c.w.Write(p) }

// webSocket opens one to a server that runs serve.
func webSocket(t testing.TB, serve func(*peer), opts ...config.RequestOption) *ratmom.WebSocket {
	t.Helper()
	c := newClient(t)
	needWebSocket(t, c)
	s := webSocketServer(t, nil, serve)
	w, err := c.WebSocket(t.Context(), "ws"+strings.TrimPrefix(s.URL, "http"), opts...)
	require.NoError(t, err)
	t.Cleanup(w.CloseNow)
	require.NoError(t, w.SetReadDeadline(time.Now().Add(2*soon)))
	return w
}

func mustRead(t testing.TB, w *ratmom.WebSocket, kind ratmom.MessageType, want string) {
	t.Helper()
	k, p, err := w.Read()
	require.NoError(t, err)
	assert.Equal(t, kind, k)
	if !assert.True(t, want == string(p)) {
		t.Logf("%d bytes, wanted %d", len(p), len(want))
	}
}

// drop reads until the end.
func drop(p *peer) {
	for {
		if _, _, err := p.next(); err != nil {
			return
		}
	}
}

func TestWebSocket_talks_to_a_server_of_another_make(t *testing.T) {
	c := newClient(t)
	needWebSocket(t, c)
	for _, options := range [][]testserver.Option{nil, {testserver.WithTLS()}} {
		mode, opts := testserver.H1, []config.RequestOption(nil)
		if options != nil {
			mode = testserver.HTTPS1
		}
		s := testserver.StartFunc(t, mode, xws.Handler(func(c *xws.Conn) {
			for {
				var p []byte
				if xws.Message.Receive(c, &p) != nil {
					return
				}
				if xws.Message.Send(c, p) != nil {
					return
				}
			}
		}).ServeHTTP, options...)
		req := newRequest(t, "GET", s.URL, nil)
		req.Header.Set("Origin", s.URL)
		if options != nil {
			opts = append(opts, trusting(t, s.CAPEM))
		}
		w, err := c.OpenWebSocket(req, opts...)
		require.NoError(t, err)
		require.NoError(t, w.SetReadDeadline(time.Now().Add(2*soon)))
		for _, n := range []int{0, 1, 125, 126, 65535, 65536, 1 << 20} {
			p := strings.Repeat("x", n)
			require.NoError(t, w.Write(ratmom.TextMessage, []byte(p)))
			mustRead(t, w, ratmom.BinaryMessage, p)
		}
		require.NoError(t, w.Close(ratmom.CloseNormal, "done"))
		require.Eventually(t, func() bool { return c.Stats().Requests == 0 }, 2*soon, time.Millisecond)
	}
}

func TestWebSocket_goes_through_proxies(t *testing.T) {
	c := newClient(t)
	needWebSocket(t, c)
	s := webSocketServer(t, nil, func(p *peer) {
		_, got, _ := p.next()
		p.frame(fin|text, got)
		drop(p)
	})
	eachWay(t, func(t *testing.T, w way) {
		ws, err := w.client(t).WebSocket(t.Context(), s.URL)
		require.NoError(t, err)
		defer ws.CloseNow()
		require.NoError(t, ws.Write(ratmom.TextMessage, []byte("through")))
		mustRead(t, ws, ratmom.TextMessage, "through")
	})
}

func TestWebSocket_joins_fragments_around_control_frames(t *testing.T) {
	long := strings.Repeat("ä", 100_000)
	w := webSocket(t, func(p *peer) {
		p.frame(text, "one, ")
		p.frame(fin|ping, "are you there")
		p.frame(cont, "\xc3") // half of a character
		p.frame(fin|pong, "unasked")
		p.frame(fin|cont, "\xa4")
		p.frame(fin|bin, "")
		p.frame(fin|text, long)
		drop(p)
	})
	mustRead(t, w, ratmom.TextMessage, "one, ä")
	mustRead(t, w, ratmom.BinaryMessage, "")
	mustRead(t, w, ratmom.TextMessage, long)
}

func TestWebSocket_keeps_what_came_with_the_head(t *testing.T) {
	c := newClient(t)
	needWebSocket(t, c)
	s := webSocketServer(t, func(p *peer) {
		p.frame(fin|text, "early")
		p.frame(fin|bin, "bird")
	}, drop)
	w, err := c.WebSocket(t.Context(), s.URL)
	require.NoError(t, err)
	defer w.CloseNow()
	mustRead(t, w, ratmom.TextMessage, "early")
	mustRead(t, w, ratmom.BinaryMessage, "bird")
}

func TestWebSocket_answers_pings_though_nobody_reads_and_amid_a_long_message(t *testing.T) {
	long := strings.Repeat("y", 8<<20)
	got := make(chan string, 64)
	w := webSocket(t, func(p *peer) {
		for i := range 3 {
			p.frame(fin|ping, strings.Repeat("p", i*60))
		}
		for range 20 {
			first, payload, err := p.next()
			if err != nil {
				break
			}
			if first == fin|pong {
				got <- "pong " + payload
			} else {
				got <- payload
				break
			}
			if len(payload) == 120 {
				_, _ = p.r.Peek(2) // the message has begun
				p.frame(fin|ping, "amid")
			}
		}
		for {
			_, payload, err := p.next()
			if err != nil {
				return
			}
			got <- "pong " + payload
		}
	})
	until := func(what string) {
		for s := done(t, got, what); s != what; s = done(t, got, what[:min(len(what), 20)]) {
			require.True(t, strings.HasPrefix(s, "pong p") || s == "pong ", "%d other bytes", len(s))
		}
	}
	until("pong " + strings.Repeat("p", 120))
	require.NoError(t, w.Write(ratmom.BinaryMessage, []byte(long)))
	until(long)
	until("pong amid")
}

func TestWebSocket_Ping_waits_for_its_answer(t *testing.T) {
	answer := make(chan struct{})
	w := webSocket(t, func(p *peer) {
		_, nonce, _ := p.next()
		<-answer
		p.frame(fin|pong, nonce)
		drop(p)
	})
	reading := make(chan struct{})
	go func() {
		_, _, _ = w.Read()
		close(reading)
	}()
	ctx, cancel := context.WithTimeout(t.Context(), soon)
	defer cancel()
	close(answer)
	require.NoError(t, w.Ping(ctx))
	short, stop := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer stop()
	require.ErrorIs(t, w.Ping(short), context.DeadlineExceeded)
	w.CloseNow()
	done(t, reading, "the read ends")
	require.ErrorIs(t, w.Ping(ctx), net.ErrClosed)
}

func TestWebSocket_Ping_ends_with_the_connection(t *testing.T) {
	w := webSocket(t, func(p *peer) { _, _, _ = p.next() }) // and hangs up
	reading := make(chan error, 1)
	go func() {
		_, _, err := w.Read()
		reading <- err
	}()
	ctx, cancel := context.WithTimeout(t.Context(), soon)
	defer cancel()
	require.ErrorIs(t, w.Ping(ctx), io.ErrUnexpectedEOF)
	require.ErrorIs(t, done(t, reading, "the read ends"), io.ErrUnexpectedEOF)
}

// The first half is read, and nothing of it told, before the second is sent.
func TestWebSocket_takes_control_frames_in_pieces(t *testing.T) {
	half := make(chan struct{})
	w := webSocket(t, func(p *peer) {
		payload := "\x03\xe8a long good-bye"
		_, _ = p.Write([]byte{fin | closing, byte(len(payload))})
		_, _ = p.Write([]byte(payload[:5]))
		<-half
		_, _ = p.Write([]byte(payload[5:]))
		drop(p)
	})
	require.NoError(t, w.SetReadDeadline(time.Now().Add(200*time.Millisecond)))
	_, _, err := w.Read()
	require.ErrorIs(t, err, os.ErrDeadlineExceeded)
	close(half)
	require.NoError(t, w.SetReadDeadline(time.Now().Add(soon)))
	_, _, err = w.Read()
	var e *ratmom.CloseError
	require.ErrorAs(t, err, &e)
	assert.Equal(t, ratmom.CloseError{Code: 1000, Reason: "a long good-bye"}, *e)
}

func TestWebSocket_close_handshake_from_here(t *testing.T) {
	got := make(chan string, 1)
	w := webSocket(t, func(p *peer) {
		p.frame(fin|text, "not read by anybody")
		first, payload, _ := p.next()
		got <- string(first) + payload
		p.frame(fin|closing, payload)
		_, _ = io.Copy(io.Discard, p.r)
	})
	require.NoError(t, w.Close(ratmom.CloseGoingAway, "bye"))
	assert.Equal(t, string(rune(fin|closing))+"\x03\xe9bye", done(t, got, "the close frame came"))
	require.ErrorIs(t, w.Write(ratmom.TextMessage, nil), net.ErrClosed)
	_, _, err := w.Read()
	require.ErrorIs(t, err, net.ErrClosed)
}

func TestWebSocket_close_handshake_from_there(t *testing.T) {
	got := make(chan string, 1)
	w := webSocket(t, func(p *peer) {
		p.frame(fin|closing, "\x0f\xa1reason")
		first, payload, _ := p.next()
		got <- string(rune(first)) + payload
	})
	_, _, err := w.Read()
	var e *ratmom.CloseError
	require.ErrorAs(t, err, &e)
	assert.Equal(t, ratmom.CloseError{Code: 4001, Reason: "reason"}, *e)
	assert.Equal(t, string(rune(fin|closing))+"\x0f\xa1", done(t, got, "it was answered"))
	_, _, err = w.Read()
	require.ErrorAs(t, err, &e)
}

func TestWebSocket_refuses_what_is_wrong(t *testing.T) {
	for _, f := range []struct {
		name string
		send func(*peer)
		is   error
		code uint16 // of the close frame that is sent back; 0: none
	}{
		{"text that is not UTF-8", func(p *peer) { p.frame(fin|text, "\xff") }, ratmom.ErrProtocol, 1007},
		{"too big", func(p *peer) { p.frame(fin|bin, strings.Repeat("z", 1001)) }, ratmom.ErrBodyTooLarge, 1009},
		{"too big in parts", func(p *peer) { p.frame(bin, strings.Repeat("z", 600)); p.frame(fin|cont, strings.Repeat("z", 600)) }, ratmom.ErrBodyTooLarge, 1009},
		{"a close frame of one byte", func(p *peer) { p.frame(fin|closing, "x") }, ratmom.ErrProtocol, 1002},
		{"no close frame", func(p *peer) {}, io.ErrUnexpectedEOF, 0},
		{"a reserved opcode", func(p *peer) { p.frame(fin|3, "x") }, ratmom.ErrReceive, 0},
		{"a continuation of nothing", func(p *peer) { p.frame(fin|cont, "x") }, ratmom.ErrReceive, 0},
		{"a long ping", func(p *peer) { p.frame(fin|ping, strings.Repeat("x", 126)) }, ratmom.ErrReceive, 0},
	} {
		t.Run(f.name, func(t *testing.T) {
			got := make(chan string, 1)
			w := webSocket(t, func(p *peer) {
				f.send(p)
				if f.code != 0 {
					_, payload, _ := p.next()
					got <- payload
				}
			})
			w.SetReadLimit(1000)
			_, _, err := w.Read()
			require.ErrorIs(t, err, f.is)
			if f.code != 0 {
				payload := done(t, got, "a close frame came")
				require.GreaterOrEqual(t, len(payload), 2)
				assert.Equal(t, f.code, binary.BigEndian.Uint16([]byte(payload)))
			}
		})
	}
	w := webSocket(t, drop)
	require.ErrorIs(t, w.Write(ratmom.TextMessage, []byte("\xff")), ratmom.ErrInvalidRequest)
	require.ErrorIs(t, w.Write(0, nil), ratmom.ErrInvalidRequest)
	for _, code := range []int{0, 999, 1004, 1005, 1006, 1015, 2999, 5000} {
		require.ErrorIs(t, w.Close(code, ""), ratmom.ErrInvalidRequest)
	}
	require.ErrorIs(t, w.Close(1000, strings.Repeat("x", 124)), ratmom.ErrInvalidRequest)
}

func TestWebSocket_is_not_opened(t *testing.T) {
	c := newClient(t)
	needWebSocket(t, c)
	_, err := c.WebSocket(t.Context(), "wss://u:s3cret@bad host/")
	require.ErrorIs(t, err, ratmom.ErrInvalidRequest)
	assert.NotContains(t, err.Error(), "s3cret")
	_, err = c.WebSocket(t.Context(), "ws://localhost/", config.NegotiateAuth())
	require.ErrorIs(t, err, ratmom.ErrUnsupported)
	s := webSocketServer(t, nil, drop)
	_, err = c.WebSocket(t.Context(), s.URL+"/refused")
	require.ErrorIs(t, err, ratmom.ErrProtocol)
	require.ErrorContains(t, err, "403")
	_, err = c.WebSocket(t.Context(), s.URL+"/liar")
	require.ErrorIs(t, err, ratmom.ErrProtocol)
	_, err = c.WebSocket(t.Context(), "ws://"+deadProxy(t))
	require.ErrorIs(t, err, ratmom.ErrConnect)
	_, err = c.WebSocket(t.Context(), "ftp://localhost/")
	require.ErrorIs(t, err, ratmom.ErrInvalidRequest)
	silent := testserver.Raw(t, testserver.AnswerAndHang(""))
	_, err = c.WebSocket(t.Context(), silent.URL, config.Timeout(50*time.Millisecond))
	require.ErrorIs(t, err, ratmom.ErrTimeout)
	req := newRequest(t, "GET", s.URL, nil)
	req.Header.Set("Upgrade", "mine")
	_, err = c.OpenWebSocket(req)
	require.ErrorIs(t, err, ratmom.ErrInvalidRequest)

	req = newRequest(t, "GET", s.URL, nil)
	req.Header.Set("Sec-Websocket-Protocol", "chat, other")
	w, err := c.OpenWebSocket(req)
	require.NoError(t, err)
	defer w.CloseNow()
	assert.Equal(t, "chat", w.Subprotocol())
	require.NoError(t, c.Close())
	_, _, err = w.Read()
	require.ErrorIs(t, err, ratmom.ErrClosed)
}

func TestWebSocket_deadlines(t *testing.T) {
	more := make(chan struct{})
	w := webSocket(t, func(p *peer) {
		_, _ = p.Write([]byte{fin | text, 4, 'h', 'a'})
		<-more
		_, _ = p.Write([]byte("lf"))
		<-p.context(t)
	})
	require.NoError(t, w.SetReadDeadline(time.Now().Add(100*time.Millisecond)))
	_, _, err := w.Read()
	require.ErrorIs(t, err, os.ErrDeadlineExceeded)
	close(more)
	require.NoError(t, w.SetReadDeadline(time.Now().Add(soon)))
	mustRead(t, w, ratmom.TextMessage, "half")

	require.NoError(t, w.SetWriteDeadline(time.Now().Add(200*time.Millisecond)))
	require.ErrorIs(t, w.Write(ratmom.BinaryMessage, make([]byte, 64<<20)), os.ErrDeadlineExceeded)
	require.NoError(t, w.SetWriteDeadline(time.Time{}))
	require.ErrorIs(t, w.Write(ratmom.BinaryMessage, nil), os.ErrDeadlineExceeded, "a part of a message was sent")
}

// context ends with the test.
func (p *peer) context(t testing.TB) <-chan struct{} { return t.Context().Done() }

func TestWebSocket_many_at_once_both_ways(t *testing.T) {
	c := newClient(t)
	needWebSocket(t, c)
	s := webSocketServer(t, nil, func(p *peer) {
		for {
			first, payload, err := p.next()
			if err != nil {
				return
			}
			p.frame(first, payload)
			if first == fin|closing {
				return
			}
		}
	})
	var all sync.WaitGroup
	for i := range 50 {
		all.Go(func() {
			w, err := c.WebSocket(t.Context(), s.URL)
			if !assert.NoError(t, err) {
				return
			}
			assert.NoError(t, w.SetReadDeadline(time.Now().Add(4*soon)))
			message := func(n int) string { return strings.Repeat(string(rune('a'+i%26)), n*997) }
			var writing sync.WaitGroup
			writing.Go(func() {
				for n := range 40 {
					assert.NoError(t, w.Write(ratmom.TextMessage, []byte(message(n))))
				}
			})
			for n := range 40 {
				_, p, err := w.Read()
				if !assert.NoError(t, err) || !assert.True(t, message(n) == string(p)) {
					break
				}
			}
			writing.Wait()
			assert.NoError(t, w.Close(ratmom.CloseNormal, ""))
		})
	}
	all.Wait()
	require.Eventually(t, func() bool { return c.Stats().Requests == 0 }, 2*soon, time.Millisecond)
}

// acceptOf is the answer to a key (RFC 6455, section 1.3).
func acceptOf(key string) string {
	sum := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11")) //nolint:gosec // RFC 6455
	return base64.StdEncoding.EncodeToString(sum[:])
}
