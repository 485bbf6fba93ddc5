package frame

import "encoding/binary"

// Extensions is what an extension block says: entries of a tag, a length and a
// value, each tag at most once. Unknown ones are passed over.
type Extensions struct {
	Has      Tags
	Deadline uint32 // milliseconds that remain
	Total    uint64 // length of the message whose first fragment this is
	Window   uint32 // bytes that the issuer of a stream takes
	Subroute uint32 // hash of the name
	Trace    [25]byte
	Key      [16]byte // the same for requests that are the same
}

// Tags is a set of extensions.
type Tags uint8

// The extensions.
const (
	HasDeadline Tags = 1 << iota
	HasTotal
	HasWindow
	HasSubroute
	HasTrace
	HasKey
)

const (
	tagDeadline = 1 + iota
	tagTotal
	tagWindow
	tagSubroute
	tagTrace
	tagKey
)

// DeadlineAt is where in a block that has a deadline its four bytes are.
const DeadlineAt = 2

// Append appends the block to b. The deadline, if there, is first.
func (e *Extensions) Append(b []byte) []byte {
	if e.Has&HasDeadline != 0 {
		b = binary.BigEndian.AppendUint32(append(b, tagDeadline, 4), e.Deadline)
	}
	if e.Has&HasTotal != 0 {
		b = binary.BigEndian.AppendUint64(append(b, tagTotal, 8), e.Total)
	}
	if e.Has&HasWindow != 0 {
		b = binary.BigEndian.AppendUint32(append(b, tagWindow, 4), e.Window)
	}
	if e.Has&HasSubroute != 0 {
		b = binary.BigEndian.AppendUint32(append(b, tagSubroute, 4), e.Subroute)
	}
	if e.Has&HasTrace != 0 {
		b = append(append(b, tagTrace, 25), e.Trace[:]...)
	}
	if e.Has&HasKey != 0 {
		b = append(append(b, tagKey, 16), e.Key[:]...)
	}
	return b
}

// Len is how long the block is.
func (e *Extensions) Len() int {
	n := 0
	for i, size := range [...]int{6, 10, 6, 6, 27, 18} {
		if e.Has&(1<<i) != 0 {
			n += size
		}
	}
	return n
}

// Parse reads a block.
func (e *Extensions) Parse(b []byte) error {
	e.Has = 0
	for len(b) > 0 {
		if len(b) < 2 || len(b)-2 < int(b[1]) {
			return ErrExt
		}
		tag, value := b[0], b[2:2+int(b[1])]
		b = b[2+len(value):]
		var bit Tags
		size := 0
		switch tag {
		case tagDeadline:
			bit, size = HasDeadline, 4
		case tagTotal:
			bit, size = HasTotal, 8
		case tagWindow:
			bit, size = HasWindow, 4
		case tagSubroute:
			bit, size = HasSubroute, 4
		case tagTrace:
			bit, size = HasTrace, 25
		case tagKey:
			bit, size = HasKey, 16
		default:
			continue
		}
		if len(value) != size || e.Has&bit != 0 {
			return ErrExt
		}
		e.Has |= bit
		switch tag {
		case tagDeadline:
			e.Deadline = binary.BigEndian.Uint32(value)
		case tagTotal:
			e.Total = binary.BigEndian.Uint64(value)
		case tagWindow:
			e.Window = binary.BigEndian.Uint32(value)
		case tagSubroute:
			e.Subroute = binary.BigEndian.Uint32(value)
		case tagTrace:
			copy(e.Trace[:], value)
		case tagKey:
			copy(e.Key[:], value)
		}
	}
	return nil
}
