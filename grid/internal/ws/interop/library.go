package interop

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/coder/websocket"
	gobwas "github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"

	"github.com/ratmom/ratmom/grid/internal/ws"
)

const (
	// Protocol is the subprotocol of all connections.
	Protocol = "ratmom.grid.1"

	patience = 30 * time.Second
	limit    = 2 << 20
)

// Conn is a WebSocket of any library, used in the way that is quickest with it.
type Conn interface {
	// Send writes one binary message of all parts.
	Send(parts net.Buffers) error
	// Receive reads the next message into memory that is larger than it.
	Receive(into []byte) (int, error)
	Close()
}

// Library is an implementation of WebSocket.
type Library struct {
	Name    string
	Dial    func(ctx context.Context, addr string) (Conn, error)
	Upgrade func(w http.ResponseWriter, r *http.Request) (Conn, error)
}

// Libraries are ours and the others.
func Libraries() []Library {
	return []Library{
		{"grid/internal/ws", dialOurs(false), upgradeOurs},
		{"coder/websocket", dialCoder, upgradeCoder},
		{"gobwas/ws, wsutil", dialUtil, upgradeUtil},
		{"gobwas/ws, frames by hand", dialGobwas, upgradeGobwas},
	}
}

// ZeroMask is ours with a mask of zeros, as it may be under TLS.
func ZeroMask() Library {
	return Library{"grid/internal/ws, zero mask", dialOurs(true), upgradeOurs}
}

type ours struct{ *ws.Conn }

func dialOurs(zero bool) func(context.Context, string) (Conn, error) {
	return func(ctx context.Context, addr string) (Conn, error) {
		nc, err := new(net.Dialer).DialContext(ctx, "tcp", addr)
		if err != nil {
			return nil, err
		}
		c, err := ws.Client(ctx, nc, ws.Handshake{Host: addr, Subprotocol: Protocol, ZeroMask: zero})
		if err != nil {
			_ = nc.Close()
			return nil, err
		}
		c.SetLimit(limit)
		return ours{c}, nil
	}
}

func upgradeOurs(w http.ResponseWriter, r *http.Request) (Conn, error) {
	c, err := ws.Upgrade(w, r, Protocol, time.Now().Add(patience))
	if err != nil {
		return nil, err
	}
	c.SetLimit(limit)
	return ours{c}, nil
}

func (c ours) Send(parts net.Buffers) error { return c.WriteMessage(parts) }

func (c ours) Receive(into []byte) (int, error) {
	if _, err := c.Next(); err != nil {
		return 0, err
	}
	return whole(c, into)
}

func (c ours) Close() { _ = c.Conn.Close() }

// whole reads all of a message.
func whole(r io.Reader, into []byte) (n int, err error) {
	for {
		k, err := r.Read(into[n:])
		n += k
		if err == io.EOF {
			return n, nil
		}
		if err != nil {
			return n, err
		}
	}
}

type coder struct {
	*websocket.Conn
	buf []byte
}

func dialCoder(ctx context.Context, addr string) (Conn, error) {
	// The transport keeps nothing of a connection that was upgraded.
	c, _, err := websocket.Dial(ctx, "ws://"+addr, &websocket.DialOptions{ //nolint:bodyclose // an upgraded response has no body
		HTTPClient: &http.Client{Transport: &http.Transport{}}, Subprotocols: []string{Protocol},
	})
	if err != nil {
		return nil, err
	}
	c.SetReadLimit(limit)
	return &coder{Conn: c}, nil
}

func upgradeCoder(w http.ResponseWriter, r *http.Request) (Conn, error) {
	c, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{Protocol}})
	if err != nil {
		return nil, err
	}
	c.SetReadLimit(limit)
	return &coder{Conn: c}, nil
}

func (c *coder) Send(parts net.Buffers) error {
	c.buf = c.buf[:0]
	for _, p := range parts {
		c.buf = append(c.buf, p...)
	}
	return c.Write(context.Background(), websocket.MessageBinary, c.buf)
}

func (c *coder) Receive(into []byte) (int, error) {
	_, r, err := c.Reader(context.Background())
	if err != nil {
		return 0, err
	}
	return whole(r, into)
}

func (c *coder) Close() { _ = c.CloseNow() }

// gob is the frame level of gobwas/ws, which leaves reading and writing to its user.
type gob struct {
	nc     net.Conn
	r      *bufio.Reader
	client bool
	buf    []byte
}

func newGob(nc net.Conn, early io.Reader, client bool) *gob {
	return &gob{nc: nc, r: bufio.NewReaderSize(io.MultiReader(early, nc), 64<<10), client: client}
}

func dialGobwas(ctx context.Context, addr string) (Conn, error) {
	d := gobwas.Dialer{Protocols: []string{Protocol}}
	nc, br, _, err := d.Dial(ctx, "ws://"+addr)
	if err != nil {
		return nil, err
	}
	return newGob(nc, early(br), true), nil
}

func upgradeGobwas(w http.ResponseWriter, r *http.Request) (Conn, error) {
	u := gobwas.HTTPUpgrader{Protocol: func(p string) bool { return p == Protocol }}
	nc, rw, _, err := u.Upgrade(r, w)
	if err != nil {
		return nil, err
	}
	return newGob(nc, early(rw.Reader), false), nil
}

// early is what came with the handshake.
func early(br *bufio.Reader) io.Reader {
	if br == nil {
		return io.LimitReader(nil, 0)
	}
	return io.LimitReader(br, int64(br.Buffered()))
}

type memory struct{ b []byte }

func (m *memory) Write(p []byte) (int, error) {
	m.b = append(m.b, p...)
	return len(p), nil
}

func (c *gob) Send(parts net.Buffers) error {
	n := 0
	for _, p := range parts {
		n += len(p)
	}
	return c.frame(gobwas.OpBinary, true, n, parts)
}

func (c *gob) frame(op gobwas.OpCode, fin bool, n int, parts net.Buffers) error {
	h := gobwas.Header{Fin: fin, OpCode: op, Length: int64(n), Masked: c.client}
	if c.client {
		h.Mask = gobwas.NewMask()
	}
	m := memory{c.buf[:0]}
	if err := gobwas.WriteHeader(&m, h); err != nil {
		return err
	}
	at := len(m.b)
	for _, p := range parts {
		m.b = append(m.b, p...)
	}
	if c.client {
		gobwas.Cipher(m.b[at:], h.Mask, 0)
	}
	c.buf = m.b
	_, err := c.nc.Write(m.b)
	return err
}

func (c *gob) Receive(into []byte) (n int, err error) {
	for {
		h, err := gobwas.ReadHeader(c.r)
		if err != nil {
			return n, err
		}
		p := into[n : n+int(h.Length)]
		if _, err := io.ReadFull(c.r, p); err != nil {
			return n, err
		}
		if h.Masked {
			gobwas.Cipher(p, h.Mask, 0)
		}
		n += len(p)
		if h.Fin {
			return n, nil
		}
	}
}

func (c *gob) Close() { _ = c.nc.Close() }

// util is gobwas/ws with the messages of its wsutil.
type util struct {
	nc net.Conn
	r  *wsutil.Reader
	w  *wsutil.Writer
}

func newUtil(g *gob) *util {
	state := gobwas.StateServerSide
	if g.client {
		state = gobwas.StateClientSide
	}
	u := &util{nc: g.nc}
	u.r = &wsutil.Reader{Source: g.r, State: state, MaxFrameSize: limit}
	u.w = wsutil.NewWriterSize(g.nc, state, gobwas.OpBinary, 256<<10)
	return u
}

func dialUtil(ctx context.Context, addr string) (Conn, error) {
	c, err := dialGobwas(ctx, addr)
	if err != nil {
		return nil, err
	}
	return newUtil(c.(*gob)), nil
}

func upgradeUtil(w http.ResponseWriter, r *http.Request) (Conn, error) {
	c, err := upgradeGobwas(w, r)
	if err != nil {
		return nil, err
	}
	return newUtil(c.(*gob)), nil
}

func (u *util) Send(parts net.Buffers) error {
	for _, p := range parts {
		if _, err := u.w.Write(p); err != nil {
			return err
		}
	}
	return u.w.Flush()
}

func (u *util) Receive(into []byte) (int, error) {
	if _, err := u.r.NextFrame(); err != nil {
		return 0, err
	}
	return whole(u.r, into)
}

func (u *util) Close() { _ = u.nc.Close() }
