package gridtest

// ring is a queue of bytes.
type ring struct {
	buf  []byte
	head int
}

func (r *ring) put(b []byte) {
	if len(r.buf)+len(b) > cap(r.buf) && r.head > 0 {
		r.buf = r.buf[:copy(r.buf, r.buf[r.head:])]
		r.head = 0
	}
	r.buf = append(r.buf, b...)
}

// take moves len(b) bytes, which must be there, into b.
func (r *ring) take(b []byte) {
	r.head += copy(b, r.buf[r.head:])
	if r.head == len(r.buf) {
		r.buf, r.head = r.buf[:0], 0
	}
}

// flip changes the bits of mask in the i-th byte.
func (r *ring) flip(i int, mask byte) { r.buf[r.head+i] ^= mask }

// truncate keeps the first n bytes.
func (r *ring) truncate(n int) { r.buf = r.buf[:min(len(r.buf), r.head+n)] }
