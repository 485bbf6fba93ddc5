package body

import (
	"io"

	"github.com/ratmom/ratmom/internal/failure"
)

// Meter counts the bytes of a body as they are read.
type Meter struct {
	io.ReadCloser
	Max      int64                // more bytes are an error of kind ratmom.ErrBodyTooLarge; 0: any number
	Total    int64                // what the body announces, -1: nothing
	Progress func(n, total int64) // is told after each read that gave something; may be nil

	n   int64
	err error
}

// Read reads the body, as far as the limit.
func (m *Meter) Read(p []byte) (int, error) {
	if m.err != nil {
		return 0, m.err
	}
	if m.Max > 0 && int64(len(p)) > m.Max-m.n+1 {
		p = p[:m.Max-m.n+1] // one more, to know that there is more
	}
	n, err := m.ReadCloser.Read(p)
	m.n += int64(n)
	if m.Max > 0 && m.n > m.Max {
		n -= int(m.n - m.Max)
		m.n = m.Max
		err = failure.Newf(failure.BodyTooLarge, "more than %d bytes", m.Max)
	}
	m.err = err
	if n > 0 && m.Progress != nil {
		m.Progress(m.n, m.Total)
	}
	return n, err
}
