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
		b.used = len(q.takeBulk(b.bulk[:0], now))
	}
	return len(b.control) > 0 || b.chunk != nil || b.bulk != nil
}

// Short reports whether b has fragments and room for more of them, while all that waited is in it.
func (q *Queue) Short(b *Batch) bool {
	return b.bulk != nil && q.ring == nil && b.used < q.enough() && q.Empty()
}

// More adds fragments of what was queued since Next has filled b. If there is something of the other classes
// by now it adds none, since that must not be behind them.
func (q *Queue) More(b *Batch, now int64) (added bool) {
	if len(q.control) > 0 || len(q.chunks) > 0 || !q.bulkReady() {
		return false
	}
	b.used = len(q.takeBulk(b.bulk[:b.used], now))
	return true
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
