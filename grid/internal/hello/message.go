package hello

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"unicode/utf8"

	"github.com/ratmom/ratmom/grid/internal/auth"
	"github.com/ratmom/ratmom/grid/internal/frame"
	"github.com/ratmom/ratmom/grid/internal/ws"
)

// Version is that of the protocol within the WebSocket subprotocol.
const Version = 1

const (
	// MaxName is how many bytes a name may have.
	MaxName = 255
	// MaxParams is how many bytes of parameters there may be.
	MaxParams = 1024

	maxMessage = 2048 // bytes of any message before the session
)

// Instance is a number that a process draws at its start: the name stays, the instance does not.
type Instance [16]byte

// message is what HELLO and WELCOME may say. A tag that is not known is passed over, so that there may be more.
type message struct {
	has      uint16 // bits of tags
	min, max byte   // versions
	name     string
	instance Instance
	nonce    auth.Nonce
	proof    []byte
	params   []byte
}

const (
	tagVersions = 1 + iota
	tagName
	tagInstance
	tagNonce
	tagProof
	tagParams
)

func has(tags ...int) (bits uint16) {
	for _, t := range tags {
		bits |= 1 << t
	}
	return bits
}

// append appends the fields that m has, each a tag, a length of two bytes and a value.
func (m *message) append(b []byte) []byte {
	field := func(tag int, value []byte) {
		if m.has&has(tag) != 0 {
			b = append(b, byte(tag), byte(len(value)>>8), byte(len(value)))
			b = append(b, value...)
		}
	}
	field(tagVersions, []byte{m.min, m.max})
	field(tagName, []byte(m.name))
	field(tagInstance, m.instance[:])
	field(tagNonce, m.nonce[:])
	field(tagProof, m.proof)
	field(tagParams, m.params)
	return b
}

var errMalformed = errors.New("a malformed message")

func (m *message) parse(b []byte) error {
	*m = message{}
	for len(b) > 0 {
		if len(b) < 3 || len(b)-3 < int(binary.BigEndian.Uint16(b[1:])) {
			return errMalformed
		}
		tag, v := int(b[0]), b[3:3+int(binary.BigEndian.Uint16(b[1:]))]
		b = b[3+len(v):]
		if tag < 1 || tag > tagParams {
			continue
		}
		if m.has&has(tag) != 0 {
			return errMalformed
		}
		m.has |= has(tag)
		fits := true
		switch tag {
		case tagVersions:
			if fits = len(v) == 2 && v[0] <= v[1]; fits {
				m.min, m.max = v[0], v[1]
			}
		case tagName:
			m.name = string(v)
			fits = CheckName(m.name) == nil
		case tagInstance:
			fits = copy(m.instance[:], v) == len(m.instance) && len(v) == len(m.instance)
		case tagNonce:
			fits = copy(m.nonce[:], v) == len(m.nonce) && len(v) == len(m.nonce)
		case tagProof:
			m.proof = append([]byte(nil), v...)
			fits = len(v) == auth.ProofLen
		case tagParams:
			m.params = append([]byte(nil), v...)
			fits = len(v) <= MaxParams
		}
		if !fits {
			return errMalformed
		}
	}
	return nil
}

// CheckName says whether name may be that of a server: 1 to 255 bytes of UTF-8 without control characters.
func CheckName(name string) error {
	if name == "" || len(name) > MaxName || !utf8.ValidString(name) {
		return fmt.Errorf("a name has 1 to %d bytes of UTF-8", MaxName)
	}
	for _, r := range name {
		if r < ' ' || r >= 0x7f && r < 0xa0 {
			return errors.New("a name has no control characters")
		}
	}
	return nil
}

func send(c *ws.Conn, h frame.Header, payload []byte) error {
	h.Length = len(payload)
	return c.WriteMessage(net.Buffers{h.Append(nil), payload})
}

func (m *message) send(c *ws.Conn, t frame.Type) error {
	return send(c, frame.Header{Type: t}, m.append(nil))
}

// receive reads a message of type t with the fields it must have. GOAWAY in its place is a *Refusal.
func (m *message) receive(c *ws.Conn, t frame.Type, must uint16) error {
	n, err := c.Next()
	if err != nil {
		return err
	}
	if n > maxMessage {
		return ws.ErrTooBig
	}
	b, err := io.ReadAll(c)
	if err != nil {
		return err
	}
	h, ext, payload, rest, err := frame.Parse(b)
	switch {
	case err != nil:
		return refused(Malformed, "%v", err)
	case h.Type == frame.Goaway:
		return parseRefusal(h, payload)
	case h.Type != t || h.Flags != 0 || h.Code != 0 || h.ID != 0 || len(ext) > 0 || len(rest) > 0:
		return refused(Malformed, "%v was expected, and not %v", t, h.Type)
	}
	if err := m.parse(payload); err != nil || m.has&must != must {
		return refused(Malformed, "a malformed %v", t)
	}
	return nil
}
