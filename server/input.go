package server

import (
	"io"
	"sync"
)

// input is what has been read of a connection and not been used yet. While it is empty, an idle
// connection holds no buffer.
type input struct {
	src  io.Reader
	wait waiter // nil if src cannot be waited for without a buffer
	buf  []byte
	r, w int
}

// waiter reads into a buffer that it takes from the pool only when there is something to read.
type waiter interface {
	readPooled() ([]byte, int, error)
}

const inputSize = 4 << 10

var inputPool = sync.Pool{New: func() any { return new([inputSize]byte) }}

func takeBuffer() []byte { return inputPool.Get().(*[inputSize]byte)[:] }

func giveBuffer(b []byte) {
	if cap(b) == inputSize {
		inputPool.Put((*[inputSize]byte)(b[:inputSize]))
	}
}

// pending is valid until the next fill or read.
func (in *input) pending() []byte { return in.buf[in.r:in.w] }

func (in *input) skip(n int) {
	in.r += n
	if in.r == in.w {
		in.r, in.w = 0, 0
	}
}

// fill reads what comes, at least one byte, behind what is pending. Its caller bounds what may
// become pending.
func (in *input) fill() error {
	if in.buf == nil && in.wait != nil {
		buf, n, err := in.wait.readPooled()
		in.buf, in.r, in.w = buf, 0, n
		return err
	}
	if in.buf == nil {
		in.buf = takeBuffer()
	}
	if in.w == len(in.buf) {
		in.makeRoom()
	}
	n, err := in.src.Read(in.buf[in.w:])
	in.w += n
	if n > 0 {
		return nil
	}
	if err == nil {
		err = io.ErrNoProgress
	}
	return err
}

func (in *input) makeRoom() {
	to := in.buf
	if in.r < len(in.buf)/2 {
		to = make([]byte, 2*len(in.buf))
	}
	n := copy(to, in.pending())
	if len(to) != len(in.buf) {
		giveBuffer(in.buf)
	}
	in.buf, in.r, in.w = to, 0, n
}

// read is io.Reader over what is pending and then what comes.
func (in *input) read(p []byte) (int, error) {
	if in.r < in.w {
		n := copy(p, in.pending())
		in.skip(n)
		return n, nil
	}
	if len(p) >= inputSize/4 {
		return in.src.Read(p)
	}
	if err := in.fill(); err != nil {
		return 0, err
	}
	return in.read(p)
}

// release gives the buffer back if it holds nothing.
func (in *input) release() {
	if in.buf != nil && in.r == in.w {
		giveBuffer(in.buf)
		in.buf, in.r, in.w = nil, 0, 0
	}
}

// drop gives the buffer back.
func (in *input) drop() {
	in.r, in.w = 0, 0
	in.release()
}

// source is an input as the reader of chunks sees it.
type source struct{ *input }

func (s source) Pending() []byte            { return s.pending() }
func (s source) Skip(n int)                 { s.skip(n) }
func (s source) Fill() error                { return s.fill() }
func (s source) Read(p []byte) (int, error) { return s.read(p) }
