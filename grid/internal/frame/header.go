// Package frame is the wire format of a grid: frames with a header of twelve
// bytes, extension blocks, and which frame is allowed when. It is pure: bytes
// in, values out.
package frame

import (
	"encoding/binary"
	"errors"
	"fmt"
)

const (
	// HeaderLen is the length of a header.
	HeaderLen = 12
	// MaxPayload is how long the payload of one frame may be, its extension block included.
	MaxPayload = 64<<10 + MaxExt
	// MaxFragment is how much of a message one frame carries.
	MaxFragment = 64 << 10
	// MaxExt is how long an extension block may be.
	MaxExt = 255
)

// Type says what a frame is.
type Type uint8

// The types. Nop is a frame that was taken back before it was sent.
const (
	Nop Type = iota
	Hello
	Welcome
	Ping
	Pong
	Goaway
	ConnCredit
	Call
	Reply
	Open
	Data
	End
	Reset
	Credit
	numTypes
)

var typeNames = [numTypes]string{
	"NOP", "HELLO", "WELCOME", "PING", "PONG", "GOAWAY", "CONNCREDIT", "CALL", "REPLY", "OPEN", "DATA", "END", "RESET", "CREDIT",
}

func (t Type) String() string {
	if t < numTypes {
		return typeNames[t]
	}
	return fmt.Sprintf("type %d", uint8(t))
}

// Flags of a frame.
type Flags uint8

// The flags. The other bits are zero.
const (
	More  Flags = 1 << iota // another fragment of the same message follows
	First                   // the first fragment of a message; of Credit: the stream was accepted
	Ext                     // the payload begins with an extension block
	Err                     // the payload is an error
	Bulk                    // counted by ConnCredit

	allFlags = More | First | Ext | Err | Bulk
)

// Header is the head of a frame.
type Header struct {
	Type   Type
	Flags  Flags
	Code   uint16 // the handler of Call and Open, the status of Reply, End, Reset and Goaway
	ID     uint32
	Length int // of the payload with its extension block
	Ext    int // of the extension block
}

// What a header can have wrong.
var (
	ErrShort  = errors.New("grid: a frame that is cut short")
	ErrType   = errors.New("grid: a frame of unknown type")
	ErrFlags  = errors.New("grid: a frame with unknown flags")
	ErrLength = errors.New("grid: a frame that is too long")
	ErrExt    = errors.New("grid: a malformed extension block")
)

// Append appends the header to b.
func (h Header) Append(b []byte) []byte {
	flags := h.Flags
	if h.Ext > 0 {
		flags |= Ext
	}
	return append(b, byte(h.Type), byte(flags), byte(h.Code>>8), byte(h.Code),
		byte(h.ID>>24), byte(h.ID>>16), byte(h.ID>>8), byte(h.ID),
		byte(h.Length>>16), byte(h.Length>>8), byte(h.Length), byte(h.Ext))
}

// Parse reads the frame that b begins with, and returns what follows it.
func Parse(b []byte) (h Header, ext, payload, rest []byte, err error) {
	if len(b) < HeaderLen {
		return h, nil, nil, nil, ErrShort
	}
	h = Header{
		Type:   Type(b[0]),
		Flags:  Flags(b[1]),
		Code:   binary.BigEndian.Uint16(b[2:]),
		ID:     binary.BigEndian.Uint32(b[4:]),
		Length: int(b[8])<<16 | int(b[9])<<8 | int(b[10]),
		Ext:    int(b[11]),
	}
	switch {
	case h.Type >= numTypes:
		return h, nil, nil, nil, ErrType
	case h.Flags&^allFlags != 0:
		return h, nil, nil, nil, ErrFlags
	case h.Length > MaxPayload:
		return h, nil, nil, nil, ErrLength
	case h.Flags&Ext != 0 != (h.Ext != 0) || h.Ext > h.Length:
		return h, nil, nil, nil, ErrExt
	}
	b = b[HeaderLen:]
	if len(b) < h.Length {
		return h, nil, nil, nil, ErrShort
	}
	return h, b[:h.Ext], b[h.Ext:h.Length], b[h.Length:], nil
}
