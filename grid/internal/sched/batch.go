package sched

import "sync"

// Batch is what is sent in one write. It is used again.
type Batch struct {
	control []byte
	chunk   *chunk
	bulk    *[bulkSize]byte
	used    int // of bulk
}

var bulkPool = sync.Pool{New: func() any { return new([bulkSize]byte) }}

// Next fills b with what is due at the time now: control frames, and if those are all, a chunk of
// small messages and some fragments of large ones. It reports whether there is anything.
func (q *Queue) Next(b *Batch, now int64) bool {
	var all bool
	if b.control, all = q.takeControl(b.control[:0]); !all {
		return true
	}
	if len(q.chunks) > 0 {
		c := q.chunks[0]
		copy(q.chunks, q.chunks[1:])
		q.chunks[len(q.chunks)-1] = nil
		q.chunks = q.chunks[:len(q.chunks)-1]
		q.taken++
		q.bytes -= len(c.buf)
		c.stamp(now)
		b.chunk = c
	}
	if q.bulkReady() {
		b.bulk = bulkPool.Get().(*[bulkSize]byte)
		out := q.takeBulk(b.bulk[:0], now)
		b.used = len(out)
	}
	return len(b.control) > 0 || b.chunk != nil || b.bulk != nil
}

// Parts appends the bytes of the batch to parts.
func (b *Batch) Parts(parts [][]byte) [][]byte {
	if len(b.control) > 0 {
		parts = append(parts, b.control)
	}
	if b.chunk != nil {
		parts = append(parts, b.chunk.buf)
	}
	if b.bulk != nil {
		parts = append(parts, b.bulk[:b.used])
	}
	return parts
}

// Release gives the memory of the batch back after it was written.
func (b *Batch) Release() {
	if b.chunk != nil {
		b.chunk.recycle()
		b.chunk = nil
	}
	if b.bulk != nil {
		bulkPool.Put(b.bulk)
		b.bulk = nil
	}
	if cap(b.control) > 4<<10 {
		b.control = nil
	}
}
