package ws

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"golang.org/x/net/http/httpguts"
)

// maxResponse is how many bytes the head of a server's answer may have.
const maxResponse = 16 << 10

// Handshake is what a client says to open a WebSocket.
type Handshake struct {
	Host        string // of the field Host
	Path        string // with its query; empty is "/"
	Subprotocol string // the only one that is offered, and that the server must choose
	Header      http.Header

	// ZeroMask masks with zeros, which costs nothing. It is for connections that are encrypted: the
	// mask is there against intermediaries that look for HTTP in what passes (RFC 6455, section 10.3).
	ZeroMask bool
}

// Client opens a WebSocket over nc. When ctx ends before the server has answered, Client does too, and
// nc has a deadline in the past; after success it has none. It is the caller who closes nc, always.
// An answer that is no WebSocket is a *HandshakeError.
func Client(ctx context.Context, nc net.Conn, h Handshake) (*Conn, error) {
	var nonce [16]byte
	_, _ = rand.Read(nonce[:]) // it never fails
	key := base64.StdEncoding.EncodeToString(nonce[:])
	request, err := h.request(key)
	if err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() { _ = nc.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	c, err := h.open(nc, request, key)
	var refused *HandshakeError
	if !stop() && !errors.As(err, &refused) {
		return nil, ctx.Err()
	}
	return c, err
}

func (h *Handshake) request(key string) ([]byte, error) {
	path := h.Path
	if path == "" {
		path = "/"
	}
	if path[0] != '/' || strings.ContainsFunc(path, func(r rune) bool { return r <= ' ' || r >= 0x7f || r == '#' }) {
		return nil, fmt.Errorf("websocket: invalid path %q", h.Path)
	}
	if h.Host == "" || !httpguts.ValidHostHeader(h.Host) {
		return nil, fmt.Errorf("websocket: invalid host %q", h.Host)
	}
	if h.Subprotocol != "" && !httpguts.ValidHeaderFieldName(h.Subprotocol) {
		return nil, fmt.Errorf("websocket: invalid subprotocol %q", h.Subprotocol)
	}
	for name, values := range h.Header {
		if !httpguts.ValidHeaderFieldName(name) {
			return nil, fmt.Errorf("websocket: invalid field name %q", name)
		}
		if ours(name) {
			return nil, fmt.Errorf("websocket: the field %s is the handshake's own", name)
		}
		for _, v := range values {
			if !httpguts.ValidHeaderFieldValue(v) {
				return nil, fmt.Errorf("websocket: the field %s has an invalid value", name)
			}
		}
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "GET %s HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n", path, h.Host)
	fmt.Fprintf(&b, "Sec-WebSocket-Key: %s\r\nSec-WebSocket-Version: %s\r\n", key, version)
	if h.Subprotocol != "" {
		fmt.Fprintf(&b, "Sec-WebSocket-Protocol: %s\r\n", h.Subprotocol)
	}
	_ = h.Header.Write(&b)
	b.WriteString("\r\n")
	return b.Bytes(), nil
}

// ours says whether a field is the handshake's to set.
func ours(name string) bool {
	name = http.CanonicalHeaderKey(name)
	switch name {
	case "Host", "Upgrade", "Connection", "Content-Length", "Transfer-Encoding", "Trailer":
		return true
	}
	return strings.HasPrefix(name, "Sec-Websocket-")
}

func (h *Handshake) open(nc net.Conn, request []byte, key string) (*Conn, error) {
	if _, err := nc.Write(request); err != nil {
		return nil, fmt.Errorf("websocket: writing the handshake: %w", err)
	}
	c := newConn(nc, true)
	c.zeroMask = h.ZeroMask
	head, err := c.readHead()
	if err != nil {
		return nil, fmt.Errorf("websocket: reading the answer to the handshake: %w", err)
	}
	if err := h.check(head, c.body(), key); err != nil {
		return nil, err
	}
	return c, nil
}

var errLongHead = errors.New("its head is too long")

// readHead takes the head of an answer, with its blank line, from the buffer.
func (c *Conn) readHead() ([]byte, error) {
	for seen := 0; ; {
		if i := bytes.Index(c.buf[seen:c.to], []byte("\r\n\r\n")); i >= 0 {
			c.from = seen + i + 4
			return bytes.Clone(c.buf[:c.from]), nil
		}
		if c.to >= maxResponse {
			return nil, errLongHead
		}
		seen = max(0, c.to-3)
		if err := c.fill(c.to + 1); err != nil {
			return nil, err
		}
	}
}

// body is what follows the head: of a refusal, it says why.
func (c *Conn) body() io.Reader {
	return io.MultiReader(bytes.NewReader(c.buf[c.from:c.to]), c.nc)
}

func (h *Handshake) check(head []byte, body io.Reader, key string) error {
	r, err := http.ReadResponse(bufio.NewReaderSize(io.MultiReader(bytes.NewReader(head), body), 512), nil)
	if err != nil {
		return fmt.Errorf("websocket: the answer to the handshake: %w", err)
	}
	if r.StatusCode != http.StatusSwitchingProtocols {
		return &HandshakeError{r.StatusCode, reasonIn(r.Body)}
	}
	fail := func(reason string) error { return &HandshakeError{r.StatusCode, reason} }
	accept, ok := only(r.Header, "Sec-Websocket-Accept")
	protocol, chosen := only(r.Header, "Sec-Websocket-Protocol")
	switch {
	case !upgrades(r.Header):
		return fail("the server upgrades to something else")
	case !ok || accept != acceptFor(key):
		return fail("the server did not take the key")
	case len(r.Header["Sec-Websocket-Extensions"]) > 0:
		return fail("the server uses an extension that was not offered")
	case h.Subprotocol == "" && len(r.Header["Sec-Websocket-Protocol"]) > 0,
		h.Subprotocol != "" && (!chosen || protocol != h.Subprotocol):
		return fail(fmt.Sprintf("the server does not speak %q", h.Subprotocol))
	}
	return nil
}

// reasonIn is the first line of a refusal's body, for the log.
func reasonIn(body io.Reader) string {
	b, _ := io.ReadAll(io.LimitReader(body, 200))
	line, _, _ := strings.Cut(string(b), "\n")
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return -1
		}
		return r
	}, strings.ToValidUTF8(line, ""))
}
