package grid

import (
	"bytes"
	"sync"
	"sync/atomic"
)

// Buf is a message in a buffer that can be used again. The zero value is empty.
type Buf struct {
	b   *buffer
	gen uint32
	p   []byte
}

// buffer is memory of a pool. Its generation changes when it is given back, so
// that a Buf that was released already cannot give it back again.
type buffer struct {
	data  []byte
	class int
	gen   atomic.Uint32
}

// The sizes of buffers that are kept, until two garbage collections find them unused. Longer ones are
// left to the collector at once. Above 1 MiB none has more than twice the length of its message; to make
// one anew, all zero, would hold up the reader for a millisecond.
var bufSizes = [...]int{256, 1 << 10, 4 << 10, 16 << 10, 64 << 10, 256 << 10, 1 << 20, 2 << 20, 4 << 20, 8 << 20}

var bufPools [len(bufSizes)]sync.Pool

// poison, in tests, overwrites buffers that are given back.
var (
	poison   atomic.Bool
	poisoned = bytes.Repeat([]byte{0xdb}, 4<<10)
)

func newBuf(n int) Buf {
	for class, size := range bufSizes {
		if n > size {
			continue
		}
		b, _ := bufPools[class].Get().(*buffer)
		if b == nil {
			b = &buffer{data: make([]byte, size), class: class}
		}
		return Buf{b, b.gen.Load(), b.data[:n:n]}
	}
	return Buf{p: make([]byte, n)}
}

// bufSize is how much memory newBuf takes for n bytes.
func bufSize(n int) int {
	for _, size := range bufSizes {
		if n <= size {
			return size
		}
	}
	return n
}

// copyBuf makes a buffer with a copy of p.
func copyBuf(p []byte) Buf {
	b := newBuf(len(p))
	copy(b.p, p)
	return b
}

// held is how much memory a message has.
func (b Buf) held() int {
	if b.b != nil {
		return len(b.b.data)
	}
	return len(b.p)
}

// wellFilled reports whether the message takes half of its buffer or more, so that it may keep it.
func (b Buf) wellFilled() bool {
	return b.b != nil && 2*len(b.p) >= len(b.b.data) || b.b == nil && b.p != nil
}

// Bytes is the message. It is valid until Release.
func (b Buf) Bytes() []byte { return b.p }

// Release gives the buffer back. It may be called more than once; a buffer that
// is never released is collected as garbage.
func (b Buf) Release() {
	if b.b == nil || !b.b.gen.CompareAndSwap(b.gen, b.gen+1) {
		return
	}
	if poison.Load() {
		for p := b.b.data; len(p) > 0; p = p[copy(p, poisoned):] {
		}
	}
	bufPools[b.b.class].Put(b.b)
}
