package sched

import "sync"

// Batch is what is sent in one write. It is used again.
type Batch struct {
	control []byte
	chunk   *chunk
	bulk    *[bulkSize]byte
	used    int      // of bulk
	kept    []kept   // payloads among the bytes of bulk, which are not in it
	done    []Keeper // of the messages that it has the ends of
}

// kept is a payload that is not copied.
type kept struct {
	at      int // it is behind so many bytes of bulk
	payload []byte
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
		q.takeBulk(b, now)
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
		from := 0
		for _, k := range b.kept {
			parts = append(parts, b.bulk[from:k.at], k.payload)
			from = k.at
		}
		if from < b.used {
			parts = append(parts, b.bulk[from:b.used])
		}
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
		b.bulk, b.used = nil, 0
	}
	for _, k := range b.done {
		k.Written()
	}
	clear(b.done)
	clear(b.kept)
	b.done, b.kept = b.done[:0], b.kept[:0]
	if cap(b.control) > 4<<10 {
		b.control = nil
	}
}
