package body

import (
	"io"
	"time"
)

// probeTime is how long a body may take to show whether it is empty.
const probeTime = 200 * time.Millisecond

// prefix is the outcome of a probe: the first byte of a body, read ahead.
type prefix struct {
	result chan firstByte // nil without a probe, and once it has been used up
}

type firstByte struct {
	b   [1]byte
	n   int
	err error
}

// probe finds out whether a stream of unknown length is empty, and so none. A
// reader that takes longer than probeTime is taken for a body; its byte is
// waited for when it is needed.
func (s *Source) probe() {
	ch := make(chan firstByte, 1)
	b := s.body
	go func() {
		var f firstByte
		f.n, f.err = b.Read(f.b[:])
		ch <- f
	}()
	timer := time.NewTimer(probeTime)
	defer timer.Stop()
	select {
	case f := <-ch:
		if f.n == 0 && f.err == io.EOF {
			s.kind, s.length = none, 0
			return
		}
		ch <- f
	case <-timer.C:
	}
	s.probed.result = ch
}

// read hands out the probed byte, then what came with it, then b.
func (p *prefix) read(to []byte, b io.Reader) (int, error) {
	if len(to) == 0 {
		return 0, nil
	}
	f := <-p.result
	p.result = nil
	n := copy(to, f.b[:f.n])
	if f.err != nil || n > 0 {
		return n, f.err
	}
	return b.Read(to)
}
