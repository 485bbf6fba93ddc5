package model

import (
	"encoding/binary"
	"fmt"
)

// A message is told apart from all others: it has the number of its request, its own place in
// the stream, a direction, and bytes that follow from these.
type message struct {
	id     uint64
	index  uint32
	answer bool
}

const messageHead = 8 + 4 + 1 + 4

// bytes makes the message size bytes longer than its head.
func (m message) bytes(size int) []byte {
	b := make([]byte, messageHead, messageHead+size)
	binary.BigEndian.PutUint64(b, m.id)
	binary.BigEndian.PutUint32(b[8:], m.index)
	if m.answer {
		b[12] = 1
	}
	binary.BigEndian.PutUint32(b[13:], uint32(size))
	seed := byte(m.id*31) + byte(m.index*7) + b[12]
	for i := range size {
		b = append(b, seed+byte(i>>4))
	}
	return b
}

// check wants b to be this message and whole.
func (m message) check(b []byte) error {
	if len(b) < messageHead {
		return fmt.Errorf("%d bytes are no message", len(b))
	}
	got := message{binary.BigEndian.Uint64(b), binary.BigEndian.Uint32(b[8:]), b[12] == 1}
	if got != m {
		return fmt.Errorf("message %+v instead of %+v", got, m)
	}
	size := int(binary.BigEndian.Uint32(b[13:]))
	if size != len(b)-messageHead {
		return fmt.Errorf("%d bytes of %d of message %+v", len(b)-messageHead, size, m)
	}
	seed := byte(m.id*31) + byte(m.index*7) + b[12]
	for i, c := range b[messageHead:] {
		if c != seed+byte(i>>4) {
			return fmt.Errorf("byte %d of message %+v is wrong", i, m)
		}
	}
	return nil
}

// order is what a handler is to do.
type order struct {
	id    uint64
	do    uint8
	count uint32 // messages
	size  uint32 // of each
	delay uint32 // milliseconds
}

// What a handler may be asked for.
const (
	answer uint8 = iota
	fail
	panics
	forever // until its context ends
)

func (o order) bytes() []byte {
	b := binary.BigEndian.AppendUint64(nil, o.id)
	b = append(b, o.do)
	b = binary.BigEndian.AppendUint32(b, o.count)
	b = binary.BigEndian.AppendUint32(b, o.size)
	b = binary.BigEndian.AppendUint32(b, o.delay)
	// As long as the answer, so that both directions have their share.
	return append(b, message{id: o.id}.bytes(int(o.size))...)
}

const orderHead = 8 + 1 + 12

func parseOrder(b []byte) (order, error) {
	if len(b) < orderHead {
		return order{}, fmt.Errorf("%d bytes are no order", len(b))
	}
	o := order{
		id: binary.BigEndian.Uint64(b), do: b[8], count: binary.BigEndian.Uint32(b[9:]),
		size: binary.BigEndian.Uint32(b[13:]), delay: binary.BigEndian.Uint32(b[17:]),
	}
	return o, message{id: o.id}.check(b[orderHead:])
}
