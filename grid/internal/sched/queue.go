// Package sched decides what a connection sends next. It is a pure state
// machine without a clock, a lock or a goroutine: its owner calls it under a lock and
// writes the batches it makes.
//
// There are three classes. Control frames are made when they are sent, from
// objects that are marked, so that they need no queue. Small messages are
// copied into chunks at once. Large ones are cut into fragments, by turns, and
// only as many bytes of them are under way as the window says, so that small
// messages do not wait behind them in the buffers of the network.
package sched

import (
	"encoding/binary"
	"sync"

	"github.com/ratmom/ratmom/grid/internal/frame"
)

const (
	// Small is up to which length a message is not cut.
	Small = 16 << 10

	chunkSize = 64 << 10
	// A batch has up to half of the window in fragments, within these bounds: the other side reads one while the
	// next is made. Longer ones are fewer writes, reads and acknowledgements, and hold up small messages for longer.
	minBulkBatch = 128 << 10
	maxBulkBatch = 192 << 10
	bulkSize     = maxBulkBatch + 4*(frame.HeaderLen+frame.MaxExt) + frame.MaxFragment
)

// Queue is what one connection has to send. The zero value is ready once
// BulkLimit is set.
type Queue struct {
	// BulkLimit is how many bytes of large messages may be under way.
	BulkLimit int64
	// KeepPayloads has payloads that are kept not copied. A batch must not be overwritten then.
	KeepPayloads bool

	control []*Mark
	chunks  []*chunk // small messages; number taken+1 is the first
	taken   uint64   // number of the last chunk that was given out
	bytes   int      // in chunks
	ring    *Flow    // the flow whose turn it is
	sent    uint64   // bytes of large messages, ever
	acked   uint64   // of them, what the peer has read
}

// Place is where a small message waits.
type Place struct {
	chunk uint64
	at    int
}

type chunk struct {
	buf       []byte
	deadlines []deadline
	since     int64
}

type deadline struct {
	at   int // of its four bytes in buf
	time int64
}

var chunkPool = sync.Pool{New: func() any { return &chunk{buf: make([]byte, 0, chunkSize)} }}

// Put queues a message of one frame. The deadline is a time of the owner's
// clock, 0 for none; what remains of it is filled in when the frame is sent.
func (q *Queue) Put(h frame.Header, ext *frame.Extensions, payload []byte, until, now int64) Place {
	h.Length = len(payload)
	if ext != nil {
		h.Ext = ext.Len()
		h.Length += h.Ext
	}
	size := frame.HeaderLen + h.Length
	var c *chunk
	if n := len(q.chunks); n > 0 && cap(q.chunks[n-1].buf)-len(q.chunks[n-1].buf) >= size {
		c = q.chunks[n-1]
	} else {
		c = chunkPool.Get().(*chunk)
		c.since = now
		q.chunks = append(q.chunks, c)
	}
	p := Place{q.taken + uint64(len(q.chunks)), len(c.buf)}
	c.buf = h.Append(c.buf)
	if h.Ext > 0 {
		if until != 0 && ext.Has&frame.HasDeadline != 0 {
			c.deadlines = append(c.deadlines, deadline{len(c.buf) + frame.DeadlineAt, until})
		}
		c.buf = ext.Append(c.buf)
	}
	c.buf = append(c.buf, payload...)
	q.bytes += size
	return p
}

// Waits reports whether the message at p has not been given out.
func (q *Queue) Waits(p Place) bool { return p.chunk > q.taken }

// TakeBack makes a message that still waits one that says nothing, and reports
// whether it did.
func (q *Queue) TakeBack(p Place) bool {
	if !q.Waits(p) {
		return false
	}
	c := q.chunks[p.chunk-q.taken-1]
	c.buf[p.at] = byte(frame.Nop)
	return true
}

// Bytes is how much waits in small messages, and Since the time of the oldest.
func (q *Queue) Bytes() int { return q.bytes }

// Since is when the oldest small message was queued, 0 if there is none.
func (q *Queue) Since() int64 {
	if len(q.chunks) == 0 {
		return 0
	}
	return q.chunks[0].since
}

// Ack notes that the peer has read so many bytes of large messages, ever. It
// reports whether that can be.
func (q *Queue) Ack(total uint64) bool {
	if total > q.sent || total < q.acked {
		return false
	}
	q.acked = total
	return true
}

// Sent is how many bytes of large messages were given out, ever.
func (q *Queue) Sent() uint64 { return q.sent }

// Empty reports whether there is nothing that could be sent now.
func (q *Queue) Empty() bool {
	return len(q.control) == 0 && len(q.chunks) == 0 && !q.bulkReady()
}

// Size is about how many bytes could be sent now, for the decision whether to
// wait for more.
func (q *Queue) Size() int {
	n := len(q.control)*frame.HeaderLen + q.bytes
	if q.bulkReady() {
		n += frame.MaxFragment
	}
	return n
}

// Drop forgets everything, and gives memory back.
func (q *Queue) Drop() {
	for _, c := range q.chunks {
		c.recycle()
	}
	q.taken += uint64(len(q.chunks))
	q.control, q.chunks, q.bytes, q.ring = nil, nil, 0, nil
}

func (c *chunk) recycle() {
	c.buf, c.deadlines = c.buf[:0], c.deadlines[:0]
	chunkPool.Put(c)
}

// stamp fills in how many milliseconds remain. Less than one is one, so that 0
// says that the time has passed.
func (c *chunk) stamp(now int64) {
	for _, d := range c.deadlines {
		binary.BigEndian.PutUint32(c.buf[d.at:], Remaining(d.time, now))
	}
}

// Remaining is the time from now to until, in milliseconds, rounded up.
func Remaining(until, now int64) uint32 {
	left := until - now
	if left <= 0 {
		return 0
	}
	return uint32(min((left-1)/1_000_000+1, 1<<32-1))
}
