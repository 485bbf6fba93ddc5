package ws

import "encoding/binary"

type opcode byte

const (
	opContinuation opcode = 0
	opText         opcode = 1
	opBinary       opcode = 2
	opClose        opcode = 8
	opPing         opcode = 9
	opPong         opcode = 10
)

const (
	maxHeader  = 14  // bytes of a frame's header
	maxControl = 125 // bytes of a control frame's payload
)

const (
	finBit  = 0x80
	rsvBits = 0x70
	maskBit = 0x80
)

// header is the head of a frame (RFC 6455, section 5.2).
type header struct {
	op     opcode
	fin    bool
	masked bool
	length uint64
	key    uint32 // the masking key's four bytes, the first one lowest
}

func (h *header) control() bool { return h.op >= opClose }

// parse reads a header at the start of b, which it may need more of: then n is how many bytes, and more
// than len(b). What is wrong in the first two bytes is found with them. A client masks its frames, and
// a server does not (RFC 6455, section 5.1).
func (h *header) parse(b []byte, ofClient bool) (n int, err error) {
	if len(b) < 2 {
		return 2, nil
	}
	if b[0]&rsvBits != 0 {
		return 0, ErrReservedBits
	}
	h.op, h.fin, h.masked = opcode(b[0]&0x0f), b[0]&finBit != 0, b[1]&maskBit != 0
	short := b[1] &^ maskBit
	switch {
	case h.op > opPong || h.op > opBinary && h.op < opClose:
		return 0, ErrOpcode
	case h.control() && (!h.fin || short > maxControl):
		return 0, ErrControl
	case h.masked && !ofClient:
		return 0, ErrMasked
	case !h.masked && ofClient:
		return 0, ErrUnmasked
	}
	n = 2
	switch short {
	case 126:
		n += 2
	case 127:
		n += 8
	}
	at := n
	if h.masked {
		n += 4
	}
	if len(b) < at {
		return at, nil
	}
	switch short {
	default:
		h.length = uint64(short)
	case 126:
		h.length = uint64(binary.BigEndian.Uint16(b[2:]))
		if h.length < 126 {
			return 0, ErrLength
		}
	case 127:
		h.length = binary.BigEndian.Uint64(b[2:])
		if h.length <= 0xffff || h.length>>63 != 0 {
			return 0, ErrLength
		}
	}
	if h.masked && len(b) >= n {
		h.key = binary.LittleEndian.Uint32(b[at:])
	}
	return n, nil
}

// appendHeader appends the head of an unfragmented frame.
func appendHeader(b []byte, op opcode, length int, masked bool, key uint32) []byte {
	var bit byte
	if masked {
		bit = maskBit
	}
	b = append(b, finBit|byte(op))
	switch {
	case length < 126:
		b = append(b, bit|byte(length))
	case length <= 0xffff:
		b = append(b, bit|126, byte(length>>8), byte(length))
	default:
		b = binary.BigEndian.AppendUint64(append(b, bit|127), uint64(length))
	}
	if masked {
		b = binary.LittleEndian.AppendUint32(b, key)
	}
	return b
}
