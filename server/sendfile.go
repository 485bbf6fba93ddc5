package server

import (
	"io"
	"io/fs"
	"net"
	"sync"
)

const sniffSize = 512 // what http.DetectContentType looks at

var copyPool = sync.Pool{New: func() any { return new([32 << 10]byte) }}

// ReadFrom is io.ReaderFrom: a file goes to the socket without passing through this program, if its
// length is known and it is the exchange's turn.
func (ex *exchange) ReadFrom(src io.Reader) (n int64, err error) {
	if !ex.committed {
		// The first bytes may have to tell the type.
		n, err = ex.copy(io.LimitReader(src, sniffSize))
		if err != nil || n < sniffSize {
			return n, err
		}
	}
	socket, ok := ex.conn.rwc.(*net.TCPConn)
	if !ok || !ex.turn.Load() || ex.done.Load() || ex.hijacked || ex.head || !bodyAllowed(ex.status) {
		m, err := ex.copy(src)
		return n + m, err
	}
	if err := ex.spill(); err != nil {
		return n, err
	}
	if ex.chunking || ex.length < 0 || ex.refused != nil {
		m, err := ex.copy(src)
		return n + m, err
	}
	if err := ex.flush(); err != nil {
		return n, err
	}
	left := ex.length - ex.written
	if left <= 0 { // what was refused counts as written
		m, err := ex.copy(src)
		return n + m, err
	}
	part, ok := src.(*io.LimitedReader)
	if !ok || part.N > left {
		part = &io.LimitedReader{R: src, N: left}
	}
	var m int64
	if ex.conn.server.limits.WriteRate == 0 || fromDisk(part.R) {
		m, err = ex.conn.writeFrom(socket, part)
		ex.written += m
	} else {
		m, err = ex.copy(part)
	}
	n += m
	if err != nil {
		// Either side may have failed, and some of it may be out.
		ex.closeAfter = true
		return n, err
	}
	m, err = ex.copy(src) // nothing, if the length was true
	return n + m, err
}

// fromDisk reports whether nobody but the client is waited for while the kernel sends what src has: the patrol could
// not tell them apart.
func fromDisk(src io.Reader) bool {
	f, ok := src.(interface{ Stat() (fs.FileInfo, error) })
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode().IsRegular()
}

func (ex *exchange) copy(src io.Reader) (int64, error) {
	buf := copyPool.Get().(*[32 << 10]byte)
	defer copyPool.Put(buf)
	return io.CopyBuffer(struct{ io.Writer }{ex}, src, buf[:])
}
