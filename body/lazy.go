package body

import (
	"fmt"
	"io"
	"sync"
)

// lazy opens a reader at the first Read, on the goroutine that reads, since opening
// may block too. It sees to the length. Close may be called beside a Read.
type lazy struct {
	open   func() (io.ReadCloser, error)
	length int64 // -1: any
	n      int64
	err    error // sticky; of the reading side alone

	mu     sync.Mutex
	r      io.ReadCloser
	closed bool
}

func (l *lazy) Read(p []byte) (int, error) {
	if l.err != nil {
		return 0, l.err
	}
	r, err := l.opened()
	if err != nil {
		l.err = err
		return 0, err
	}
	n, err := r.Read(p)
	l.n += int64(max(n, 0))
	switch {
	case l.length >= 0 && l.n > l.length:
		err = fmt.Errorf("more than the announced %d bytes", l.length)
	case err == io.EOF && l.length >= 0 && l.n < l.length:
		err = fmt.Errorf("%d bytes instead of the announced %d", l.n, l.length)
	}
	l.err = err
	return n, err
}

func (l *lazy) opened() (io.ReadCloser, error) {
	l.mu.Lock()
	r, closed := l.r, l.closed
	l.mu.Unlock()
	switch {
	case closed:
		return nil, errClosed
	case r != nil:
		return r, nil
	}
	r, err := l.open()
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	l.r, closed = r, l.closed
	l.mu.Unlock()
	if closed {
		_ = r.Close()
		return nil, errClosed
	}
	return r, nil
}

func (l *lazy) Close() error {
	l.mu.Lock()
	r, closed := l.r, l.closed
	l.closed = true
	l.mu.Unlock()
	if r == nil || closed {
		return nil
	}
	return r.Close()
}
