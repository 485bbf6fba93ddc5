package msgpack

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// MaxDepth is how deep arrays and maps may be nested in what is decoded.
const MaxDepth = 100

var errDeep = fmt.Errorf("msgpack: arrays or maps nested deeper than %d", MaxDepth)

// check walks over b, which must be one value and nothing else. The decoder recurses, and
// too deep a recursion would end the process.
func check(b []byte) error {
	// open are how many values are still to come in each array or map around here.
	var open [MaxDepth + 1]uint64
	depth := 0
	open[0] = 1
	for {
		for open[depth] == 0 {
			if depth == 0 {
				if len(b) > 0 {
					return fmt.Errorf("msgpack: %d bytes follow the value", len(b))
				}
				return nil
			}
			depth--
		}
		open[depth]--
		skip, inside, err := item(b)
		if err != nil {
			return err
		}
		if uint64(len(b)) < skip {
			return io.ErrUnexpectedEOF
		}
		b = b[skip:]
		if inside > 0 {
			if depth == MaxDepth {
				return errDeep
			}
			depth++
			open[depth] = inside
		}
	}
}

// item says how many bytes the value at the beginning of b has, without the
// values inside it, and how many those are.
func item(b []byte) (skip, inside uint64, err error) {
	if len(b) == 0 {
		return 0, 0, io.ErrUnexpectedEOF
	}
	switch c := b[0]; {
	case c <= 0x7f || c >= 0xe0: // small integers
		return 1, 0, nil
	case c <= 0x8f: // small map
		return 1, 2 * uint64(c&0x0f), nil
	case c <= 0x9f: // small array
		return 1, uint64(c & 0x0f), nil
	case c <= 0xbf: // small string
		return 1 + uint64(c&0x1f), 0, nil
	case c == 0xc0 || c == 0xc2 || c == 0xc3: // nil, false, true
		return 1, 0, nil
	case c >= 0xd4 && c <= 0xd8: // extensions of 1 to 16 bytes
		return 2 + 1<<(c-0xd4), 0, nil
	default:
		return long(c, b[1:])
	}
}

// kinds says what follows the first byte of a value from 0xc4 on: the size of a
// number that is a length, or of the value itself.
var kinds = map[byte]struct {
	length uint64 // bytes of the length
	fixed  uint64 // bytes beside it
	inside uint64 // values for each of the length, which otherwise counts bytes
}{
	0xc4: {1, 1, 0}, 0xc5: {2, 1, 0}, 0xc6: {4, 1, 0}, // bytes
	0xc7: {1, 2, 0}, 0xc8: {2, 2, 0}, 0xc9: {4, 2, 0}, // extensions
	0xca: {0, 5, 0}, 0xcb: {0, 9, 0}, // floats
	0xcc: {0, 2, 0}, 0xcd: {0, 3, 0}, 0xce: {0, 5, 0}, 0xcf: {0, 9, 0}, // unsigned
	0xd0: {0, 2, 0}, 0xd1: {0, 3, 0}, 0xd2: {0, 5, 0}, 0xd3: {0, 9, 0}, // signed
	0xd9: {1, 1, 0}, 0xda: {2, 1, 0}, 0xdb: {4, 1, 0}, // strings
	0xdc: {2, 1, 1}, 0xdd: {4, 1, 1}, // arrays
	0xde: {2, 1, 2}, 0xdf: {4, 1, 2}, // maps
}

var errUnknown = errors.New("msgpack: a byte that begins no value")

// long is item for a value that begins with c, and goes on with b.
func long(c byte, b []byte) (skip, inside uint64, err error) {
	k, ok := kinds[c]
	if !ok {
		return 0, 0, errUnknown
	}
	if uint64(len(b)) < k.length {
		return 0, 0, io.ErrUnexpectedEOF
	}
	var n uint64
	switch k.length {
	case 1:
		n = uint64(b[0])
	case 2:
		n = uint64(binary.BigEndian.Uint16(b))
	case 4:
		n = uint64(binary.BigEndian.Uint32(b))
	}
	if k.inside > 0 {
		return k.length + k.fixed, n * k.inside, nil
	}
	return k.length + k.fixed + n, 0, nil
}
