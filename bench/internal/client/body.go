package client

import (
	"fmt"
	"io"
)

// onlyReader hides what else a type can do, so that io.CopyBuffer uses its buffer.
type onlyReader struct{ io.Reader }
type onlyWriter struct{ io.Writer }

func (r row) discard(status int, body io.ReadCloser) (n int64, err error) {
	if r.copyBuffer > 0 {
		n, err = io.CopyBuffer(onlyWriter{io.Discard}, onlyReader{body}, make([]byte, r.copyBuffer))
	} else {
		n, err = io.Copy(io.Discard, body)
	}
	if e := body.Close(); err == nil {
		err = e
	}
	if err == nil && status != 200 {
		err = fmt.Errorf("status %d", status)
	}
	return n, err
}

// zeros is a body to send. It writes every byte that it gives, as a file would.
type zeros struct{ left int64 }

func (z *zeros) Read(p []byte) (int, error) {
	if z.left == 0 {
		return 0, io.EOF
	}
	n := int(min(z.left, int64(len(p))))
	clear(p[:n])
	z.left -= int64(n)
	return n, nil
}
