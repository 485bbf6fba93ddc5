package grid_test

import (
	"bufio"
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// foreign is another implementation of the wire format. It is made from docs/grid.md alone, out of
// bytes, and shares no code with the grid: that it is understood shows that the specification suffices.
type foreign struct {
	t      testing.TB
	nc     net.Conn
	in     *bufio.Reader
	dialer bool
	sums   bool // in force
	asks   bool // for sums

	bulk, told uint64 // payload with BULK that was read, and what was said of it

	frames []wireFrame // read and not taken
}

type wireFrame struct {
	kind, flags byte
	code        uint16
	id          uint32
	ext         []byte
	payload     []byte
}

// Types and flags of the specification.
const (
	wireHello, wireWelcome, wirePing, wirePong, wireGoaway, wireConnCredit       = 1, 2, 3, 4, 5, 6
	wireCall, wireReply, wireOpen, wireData, wireEnd, wireReset, wireCredit      = 7, 8, 9, 10, 11, 12, 13
	wireMore, wireFirst, wireExt, wireErr, wireBulk                         byte = 1, 2, 4, 8, 16
)

const wirePatience = 30 * time.Second

func (f *foreign) must(err error) {
	f.t.Helper()
	require.NoError(f.t, err)
}

// dialForeign opens the WebSocket of a server.
func dialForeign(t testing.TB, addr string) *foreign {
	t.Helper()
	nc, err := net.Dial("tcp", addr)
	require.NoError(t, err)
	t.Cleanup(func() { _ = nc.Close() })
	f := &foreign{t: t, nc: nc, in: bufio.NewReader(nc), dialer: true}
	f.must(nc.SetDeadline(time.Now().Add(wirePatience)))
	_, err = io.WriteString(nc, "GET /ratmom/grid/v1 HTTP/1.1\r\nHost: "+addr+"\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: ratmom.grid.1\r\n\r\n")
	f.must(err)
	r, err := http.ReadResponse(f.in, nil)
	f.must(err)
	_ = r.Body.Close()
	require.Equal(t, 101, r.StatusCode)
	require.Equal(t, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", r.Header.Get("Sec-WebSocket-Accept"))
	require.Equal(t, "ratmom.grid.1", r.Header.Get("Sec-WebSocket-Protocol"))
	return f
}

// acceptForeign answers the next connection of l.
func acceptForeign(t testing.TB, l net.Listener) *foreign {
	t.Helper()
	nc, err := l.Accept()
	require.NoError(t, err)
	t.Cleanup(func() { _ = nc.Close() })
	f := &foreign{t: t, nc: nc, in: bufio.NewReader(nc)}
	f.must(nc.SetDeadline(time.Now().Add(wirePatience)))
	r, err := http.ReadRequest(f.in)
	f.must(err)
	sum := sha1.Sum([]byte(r.Header.Get("Sec-WebSocket-Key") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	_, err = io.WriteString(nc, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
		"Sec-WebSocket-Accept: "+base64.StdEncoding.EncodeToString(sum[:])+"\r\nSec-WebSocket-Protocol: ratmom.grid.1\r\n\r\n")
	f.must(err)
	return f
}

// raw writes a frame of the WebSocket.
func (f *foreign) raw(op byte, payload []byte) {
	f.t.Helper()
	b := []byte{0x80 | op}
	var bit byte
	if f.dialer {
		bit = 0x80
	}
	switch n := len(payload); {
	case n < 126:
		b = append(b, bit|byte(n))
	case n < 1<<16:
		b = binary.BigEndian.AppendUint16(append(b, bit|126), uint16(n))
	default:
		b = binary.BigEndian.AppendUint64(append(b, bit|127), uint64(n))
	}
	if f.dialer {
		key := []byte{1, 2, 3, 4}
		b = append(b, key...)
		for i, x := range payload {
			b = append(b, x^key[i%4])
		}
	} else {
		b = append(b, payload...)
	}
	_, err := f.nc.Write(b)
	f.must(err)
}

// readRaw reads a frame of the WebSocket.
func (f *foreign) readRaw() (op byte, payload []byte, err error) {
	var head [14]byte
	if _, err := io.ReadFull(f.in, head[:2]); err != nil {
		return 0, nil, err
	}
	n := uint64(head[1] & 0x7f)
	switch n {
	case 126:
		_, err = io.ReadFull(f.in, head[2:4])
		n = uint64(binary.BigEndian.Uint16(head[2:]))
	case 127:
		_, err = io.ReadFull(f.in, head[2:10])
		n = binary.BigEndian.Uint64(head[2:])
	}
	f.must(err)
	require.LessOrEqual(f.t, n, uint64(1<<20))
	require.Equal(f.t, !f.dialer, head[1]&0x80 != 0, "the dialer masks, and the acceptor does not")
	var key [4]byte
	if !f.dialer {
		_, err = io.ReadFull(f.in, key[:])
		f.must(err)
	}
	payload = make([]byte, n)
	_, err = io.ReadFull(f.in, payload)
	for i := range payload {
		payload[i] ^= key[i%4]
	}
	return head[0], payload, err
}

// send writes a batch.
func (f *foreign) send(frames ...wireFrame) {
	f.t.Helper()
	var b []byte
	for _, x := range frames {
		n := len(x.ext) + len(x.payload)
		if len(x.ext) > 0 {
			x.flags |= wireExt
		}
		b = append(b, x.kind, x.flags, byte(x.code>>8), byte(x.code))
		b = binary.BigEndian.AppendUint32(b, x.id)
		b = append(b, byte(n>>16), byte(n>>8), byte(n), byte(len(x.ext)))
		b = append(append(b, x.ext...), x.payload...)
	}
	if f.sums {
		b = binary.BigEndian.AppendUint32(b, crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli)))
	}
	f.raw(2, b)
}

// next is the next frame that says something about requests. PING and CONNCREDIT are seen to.
func (f *foreign) next() wireFrame {
	f.t.Helper()
	for {
		for len(f.frames) == 0 {
			op, b, err := f.readRaw()
			f.must(err)
			require.EqualValues(f.t, 0x82, op, "a binary message: %x", b)
			f.parse(b)
		}
		x := f.frames[0]
		f.frames = f.frames[1:]
		switch x.kind {
		case 0, wirePong, wireConnCredit:
		case wirePing:
			require.Len(f.t, x.payload, 8)
			f.send(wireFrame{kind: wirePong, payload: x.payload})
		default:
			return x
		}
	}
}

func (f *foreign) parse(b []byte) {
	f.t.Helper()
	if f.sums {
		at := len(b) - 4
		require.Equal(f.t, crc32.Checksum(b[:at], crc32.MakeTable(crc32.Castagnoli)), binary.BigEndian.Uint32(b[at:]))
		b = b[:at]
	}
	for len(b) > 0 {
		require.GreaterOrEqual(f.t, len(b), 12)
		n, ext := int(b[8])<<16|int(b[9])<<8|int(b[10]), int(b[11])
		require.LessOrEqual(f.t, n, 65791)
		require.LessOrEqual(f.t, ext, n)
		require.Equal(f.t, ext > 0, b[1]&wireExt != 0)
		require.GreaterOrEqual(f.t, len(b), 12+n)
		f.frames = append(f.frames, wireFrame{
			b[0], b[1], binary.BigEndian.Uint16(b[2:]), binary.BigEndian.Uint32(b[4:]), b[12 : 12+ext], b[12+ext : 12+n],
		})
		if b[1]&wireBulk != 0 {
			f.bulk += uint64(n - ext)
		}
		b = b[12+n:]
	}
	if f.bulk-f.told >= 64<<10 {
		f.told = f.bulk
		f.send(wireFrame{kind: wireConnCredit, payload: binary.BigEndian.AppendUint64(nil, f.told)})
	}
}

// fields makes a payload of the handshake, by tag.
func fields(values ...[]byte) (b []byte) {
	for i, v := range values {
		if v != nil {
			b = append(b, byte(i+1), byte(len(v)>>8), byte(len(v)))
			b = append(b, v...)
		}
	}
	return b
}

func (f *foreign) readFields(kind byte) map[byte][]byte {
	f.t.Helper()
	x := f.next()
	require.Equal(f.t, kind, x.kind, "%q", x.payload)
	out := map[byte][]byte{}
	for b := x.payload; len(b) > 0; {
		n := int(b[1])<<8 | int(b[2])
		out[b[0]] = b[3 : 3+n]
		b = b[3+n:]
	}
	return out
}

func wireProof(secret, role string, dialerNonce, acceptorNonce []byte, dialer, acceptor string) []byte {
	if secret == "" {
		return nil
	}
	mac := hmac.New(sha256.New, []byte(secret))
	for _, v := range [][]byte{
		[]byte("ratmom.grid.1 proof"), []byte(role), dialerNonce, acceptorNonce, []byte(dialer), []byte(acceptor), nil,
	} {
		_, _ = mac.Write(binary.BigEndian.AppendUint32(nil, uint32(len(v))))
		_, _ = mac.Write(v)
	}
	return mac.Sum(nil)
}

func (f *foreign) params() []byte {
	b := binary.BigEndian.AppendUint64(nil, uint64(time.Now().UnixNano()))
	b = binary.BigEndian.AppendUint32(b, 100)
	b = binary.BigEndian.AppendUint32(b, 10)
	b = binary.BigEndian.AppendUint64(b, 1<<20)
	if f.asks {
		return append(b, 1)
	}
	return append(b, 0)
}

var wireVersions = []byte{1, 1}

func random(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b)
	return b
}

// hello is the dialer's part of the handshake.
func (f *foreign) hello(self, peer, secret string) {
	f.t.Helper()
	theirs := f.readFields(wireHello)
	require.Equal(f.t, peer, string(theirs[2]))
	nonce := random(32)
	f.send(wireFrame{kind: wireHello, payload: fields(
		wireVersions, []byte(self), random(16), nonce, wireProof(secret, "D", nonce, theirs[4], self, peer), f.params(),
	)})
	welcome := f.readFields(wireWelcome)
	require.Equal(f.t, wireProof(secret, "A", nonce, theirs[4], self, peer), welcome[5])
	f.sums = f.asks && welcome[6][24]&1 != 0
}

// welcome is the acceptor's part of the handshake.
func (f *foreign) welcome(self, peer, secret string) {
	f.t.Helper()
	nonce := random(32)
	f.send(wireFrame{kind: wireHello, payload: fields(wireVersions, []byte(self), random(16), nonce)})
	theirs := f.readFields(wireHello)
	require.Equal(f.t, peer, string(theirs[2]))
	require.Equal(f.t, wireProof(secret, "D", theirs[4], nonce, peer, self), theirs[5])
	f.send(wireFrame{kind: wireWelcome, payload: fields(
		nil, nil, nil, nil, wireProof(secret, "A", theirs[4], nonce, peer, self), f.params(),
	)})
	f.sums = f.asks && theirs[6][24]&1 != 0
}

// wireID is the id of a request of this side.
func (f *foreign) wireID(slot, generation uint32) uint32 {
	id := generation<<16 | slot<<1
	if !f.dialer {
		id |= 1
	}
	return id
}

// failure takes an error apart.
func (f *foreign) failure(x wireFrame) (never bool, words string) {
	f.t.Helper()
	require.NotZero(f.t, x.flags&wireErr, "an error")
	n := int(binary.BigEndian.Uint16(x.payload[3:]))
	return x.payload[2] == 1, string(x.payload[5 : 5+n])
}

// message reads a message that may come in fragments.
func (f *foreign) message(kind byte, id uint32) []byte {
	f.t.Helper()
	x := f.next()
	require.Equal(f.t, kind, x.kind)
	require.Equal(f.t, id, x.id)
	require.NotZero(f.t, x.flags&wireFirst)
	require.Zero(f.t, x.flags&wireErr, "%q", x.payload)
	whole := bytes.Clone(x.payload)
	if x.flags&wireMore == 0 {
		return whole
	}
	require.Equal(f.t, []byte{2, 8}, x.ext[:2], "TOTAL")
	total := binary.BigEndian.Uint64(x.ext[2:])
	for x.flags&wireMore != 0 {
		x = f.next()
		require.Equal(f.t, kind, x.kind)
		require.Zero(f.t, x.flags&wireFirst)
		whole = append(whole, x.payload...)
	}
	require.EqualValues(f.t, total, len(whole))
	return whole
}

// fragments cuts a message.
func fragments(first wireFrame, whole []byte) (all []wireFrame) {
	first.flags |= wireFirst
	if len(whole) <= 1<<16 {
		first.payload = whole
		return []wireFrame{first}
	}
	first.ext = append(first.ext, binary.BigEndian.AppendUint64([]byte{2, 8}, uint64(len(whole)))...)
	for rest := whole; len(rest) > 0; {
		x := first
		if len(rest) < len(whole) {
			x.ext, x.flags = nil, x.flags&^wireFirst
		}
		n := min(len(rest), 1<<16)
		x.payload, rest = rest[:n], rest[n:]
		if len(rest) > 0 {
			x.flags |= wireMore
		}
		all = append(all, x)
	}
	return all
}

func (x wireFrame) String() string {
	return fmt.Sprintf("type %d, flags %x, code %d, id %x, %d bytes", x.kind, x.flags, x.code, x.id, len(x.payload))
}

// goaway is the status and the words of a refusal, and checks that the connection ends with it.
func (f *foreign) goaway() (uint16, string) {
	f.t.Helper()
	x := f.next()
	require.EqualValues(f.t, wireGoaway, x.kind, "%v", x)
	_, words := f.failure(x)
	for {
		if _, _, err := f.readRaw(); err != nil {
			require.ErrorIs(f.t, err, io.EOF, "the socket is closed at once")
			return x.code, words
		}
	}
}

func assertWords(t *testing.T, words, want string) {
	t.Helper()
	assert.True(t, strings.Contains(words, want), "%q is not in %q", want, words)
}
