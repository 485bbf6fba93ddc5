package testserver

import (
	"bytes"
	"fmt"
	"io"
)

// A block whose length is odd, so that bytes that went missing or came twice
// shift everything behind them.
var patternBlock = func() []byte {
	b := make([]byte, 65521)
	x := uint32(2463534242)
	for i := range b {
		x ^= x << 13
		x ^= x >> 17
		x ^= x << 5
		b[i] = byte(x)
	}
	return b
}()

// Pattern reads n bytes that are always the same and do not compress; it also
// implements io.WriterTo and io.Seeker.
func Pattern(n int64) *PatternReader { return &PatternReader{size: n} }

// PatternReader is what [Pattern] returns.
type PatternReader struct{ at, size int64 }

// Len is the number of bytes not yet read.
func (p *PatternReader) Len() int { return int(p.size - p.at) }

func (p *PatternReader) next() []byte {
	b := patternBlock[p.at%int64(len(patternBlock)):]
	return b[:min(int64(len(b)), p.size-p.at)]
}

// Read implements io.Reader.
func (p *PatternReader) Read(b []byte) (int, error) {
	if p.at >= p.size {
		return 0, io.EOF
	}
	n := copy(b, p.next())
	p.at += int64(n)
	return n, nil
}

// WriteTo implements io.WriterTo.
func (p *PatternReader) WriteTo(w io.Writer) (written int64, err error) {
	for p.at < p.size {
		n, err := w.Write(p.next())
		p.at += int64(n)
		written += int64(n)
		if err != nil {
			return written, err
		}
	}
	return written, nil
}

// Seek implements io.Seeker.
func (p *PatternReader) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += p.at
	case io.SeekEnd:
		offset += p.size
	}
	if offset < 0 {
		return 0, fmt.Errorf("seek to %d", offset)
	}
	p.at = offset
	return offset, nil
}

// PatternWriter checks that what is written to it is a [Pattern] from its start.
type PatternWriter struct{ N int64 }

// Write implements io.Writer; it fails at the first byte that is wrong.
func (p *PatternWriter) Write(b []byte) (int, error) {
	for n := 0; n < len(b); {
		want := patternBlock[p.N%int64(len(patternBlock)):]
		want = want[:min(len(want), len(b)-n)]
		if got := b[n : n+len(want)]; !bytes.Equal(got, want) {
			return n, fmt.Errorf("not the pattern at bytes %d to %d", p.N, p.N+int64(len(want)))
		}
		n += len(want)
		p.N += int64(len(want))
	}
	return len(b), nil
}

// CheckPattern reads r to its end and tells how many bytes there were and whether
// they are a [Pattern].
func CheckPattern(r io.Reader) (int64, error) {
	var p PatternWriter
	_, err := io.Copy(&p, r)
	return p.N, err
}
