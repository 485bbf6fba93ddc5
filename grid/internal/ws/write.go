package ws

import (
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
)

// pieceSize is how much is copied for one write, where copying cannot be avoided.
const pieceSize = 256 << 10

// overFrom is from how many bytes on it is worth it not to copy a message.
const overFrom = 16 << 10

// pieces are for writing alone, so that an idle connection holds none.
var pieces = sync.Pool{New: func() any { return new([pieceSize]byte) }}

// WriteMessage writes one binary message of all parts, which it leaves alone, with one syscall: to a
// TCP or Unix socket without copying them, if they need no masking; else they are copied, and every
// 256 KiB are one write. After an error nothing more can be written.
func (c *Conn) WriteMessage(parts net.Buffers) error {
	return c.write(opBinary, total(parts), parts, false)
}

// WriteOver is WriteMessage for parts that it may overwrite: long ones are masked where they are, and not copied.
func (c *Conn) WriteOver(parts net.Buffers) error {
	return c.write(opBinary, total(parts), parts, true)
}

// Masks reports whether what is written is masked, so that WriteOver overwrites its parts.
func (c *Conn) Masks() bool { return c.client && !c.zeroMask }

func total(parts net.Buffers) (n int) {
	for _, p := range parts {
		n += len(p)
	}
	return n
}

// WritePing writes a ping with up to 125 bytes.
func (c *Conn) WritePing(payload []byte) error { return c.writeControl(opPing, payload) }

// WritePong answers a ping with its payload. Of many pings only the last needs an answer (RFC 6455,
// section 5.5.3).
func (c *Conn) WritePong(payload []byte) error { return c.writeControl(opPong, payload) }

// WriteClose writes a close frame with code and up to 123 bytes of reason; CloseNoStatus is none of
// either. Nothing can be written after it. The side that gets a close frame without having sent one
// answers it with the same code. Then the server closes the connection, and the client waits for
// that, or for its patience to end (RFC 6455, section 7.1.1).
func (c *Conn) WriteClose(code int, reason string) error {
	var payload []byte
	if code != CloseNoStatus {
		if !validCode(code) {
			return fmt.Errorf("websocket: %d is no code to close with", code)
		}
		payload = append([]byte{byte(code >> 8), byte(code)}, reason...)
	}
	err := c.writeControl(opClose, payload)
	if err == nil {
		c.closeSent = true
	}
	return err
}

func (c *Conn) writeControl(op opcode, payload []byte) error {
	if len(payload) > maxControl {
		return fmt.Errorf("websocket: a control frame of %d bytes: at most %d are allowed", len(payload), maxControl)
	}
	c.parts = append(c.parts[:0], payload)
	err := c.write(op, len(payload), c.parts, false)
	clear(c.parts)
	return err
}

func (c *Conn) write(op opcode, n int, parts net.Buffers, over bool) error {
	if c.failed != nil {
		return c.failed
	}
	if c.closeSent {
		return ErrCloseSent
	}
	var key uint32
	if c.Masks() {
		key = rand.Uint32() // runtime's ChaCha8: no other side can foresee it
	}
	head := appendHeader(c.head[:0], op, n, c.client, key)
	switch {
	case c.vectored && key == 0:
		c.failed = c.writev(head, parts)
	case c.vectored && over && n >= overFrom:
		for _, p := range parts {
			key = mask(p, p, key)
		}
		c.failed = c.writev(head, parts)
	default:
		c.failed = c.copied(head, parts, key)
	}
	return c.failed
}

// writev writes head and parts as they are.
func (c *Conn) writev(head []byte, parts net.Buffers) error {
	all := append(append(c.all[:0], head), parts...)
	c.all, c.vec = all, all
	_, err := c.vec.WriteTo(c.nc)
	clear(all)
	return err
}

// copied writes head and parts in pieces of its own, the parts under key.
func (c *Conn) copied(head []byte, parts net.Buffers, key uint32) error {
	piece := pieces.Get().(*[pieceSize]byte)
	defer pieces.Put(piece)
	used := copy(piece[:], head)
	for _, p := range parts {
		for len(p) > 0 {
			if used == pieceSize {
				if _, err := c.nc.Write(piece[:]); err != nil {
					return err
				}
				used = 0
			}
			n := min(len(p), pieceSize-used)
			key = mask(piece[used:used+n], p[:n], key)
			used += n
			p = p[n:]
		}
	}
	_, err := c.nc.Write(piece[:used])
	return err
}
