package sched

import "github.com/ratmom/ratmom/grid/internal/frame"

// Message is a message that is sent in the class of large ones.
type Message struct {
	Header  frame.Header // type, code, id, and Err
	Ext     frame.Extensions
	Payload []byte
	Until   int64  // deadline, if Ext has one
	Taken   func() // called when the payload is not needed any more because it was sent, unless it is kept; must not block
	Kept    Keeper // nil: the payload may change after Taken

	off int
}

// Keeper keeps the payload of a message as it is, so that it need not be copied. What is left of one that is
// removed after a part was given out must be kept, too, for a batch may still have that.
type Keeper interface {
	// Written is called when the batch with the end of the message is released, which is after Taken.
	Written()
}

// Flow is a sequence of messages that keep their order. Flows take turns.
type Flow struct {
	messages   []*Message
	first      [1]*Message // the memory of messages as long as there is one
	next, prev *Flow       // in the ring, if there are messages
	deficit    int
}

// Add queues a message behind those of its flow.
func (q *Queue) Add(f *Flow, m *Message) {
	if f.messages == nil {
		f.messages = f.first[:0]
	}
	f.messages = append(f.messages, m)
	if len(f.messages) > 1 {
		return
	}
	f.deficit = 0
	if q.ring == nil {
		q.ring, f.next, f.prev = f, f, f
		return
	}
	// Its turn is after all others.
	f.next, f.prev = q.ring, q.ring.prev
	f.prev.next, f.next.prev = f, f
}

// Empty reports whether the flow has nothing to send.
func (f *Flow) Empty() bool { return len(f.messages) == 0 }

// Remove forgets what is left of a flow, and reports whether it had begun to
// send its first message.
func (q *Queue) Remove(f *Flow) (begun bool) {
	if f.Empty() {
		return false
	}
	begun = f.messages[0].off > 0
	q.unlink(f)
	return begun
}

// Withdraw takes back the message m if nothing of it was sent, and reports whether it did.
func (q *Queue) Withdraw(f *Flow, m *Message) bool {
	for i, x := range f.messages {
		if x != m {
			continue
		}
		if m.off > 0 {
			return false
		}
		f.messages = append(f.messages[:i], f.messages[i+1:]...)
		if len(f.messages) == 0 {
			q.unlink(f)
		}
		return true
	}
	return false
}

// unlink takes a flow out that has nothing to send any more.
func (q *Queue) unlink(f *Flow) {
	if f.next == f {
		q.ring = nil
	} else {
		f.prev.next, f.next.prev = f.next, f.prev
		if q.ring == f {
			q.ring = f.next
		}
	}
	f.next, f.prev = nil, nil
	f.messages, f.first[0] = nil, nil
}

func (q *Queue) bulkReady() bool {
	return q.ring != nil && int64(q.sent-q.acked) < q.BulkLimit
}

// Bulk reports whether large messages wait.
func (q *Queue) Bulk() bool { return q.ring != nil }

// takeBulk gives b fragments, by deficit round robin. A short message costs
// what it is long.
func (q *Queue) takeBulk(b *Batch, now int64) {
	enough := int(min(max(q.BulkLimit/2, minBulkBatch), maxBulkBatch))
	for size := 0; size < enough && q.bulkReady(); {
		f := q.ring
		if f.deficit <= 0 {
			f.deficit += frame.MaxFragment
		}
		for f.deficit > 0 && !f.Empty() && size < enough && q.bulkReady() {
			n := q.fragment(b, f, now)
			f.deficit -= n + frame.HeaderLen
			size += n + frame.HeaderLen
		}
		if f.deficit <= 0 && q.ring == f {
			q.ring = f.next
		}
	}
}

// fragment gives b the next fragment of the flow's first message.
func (q *Queue) fragment(b *Batch, f *Flow, now int64) int {
	m := f.messages[0]
	n := min(len(m.Payload)-m.off, frame.MaxFragment)
	h := m.Header
	h.Flags = h.Flags&^frame.First | frame.Bulk
	if m.off+n < len(m.Payload) {
		h.Flags |= frame.More
	}
	ext := m.Ext
	if m.off == 0 {
		h.Flags |= frame.First
		if h.Flags&frame.More != 0 {
			ext.Has |= frame.HasTotal
			ext.Total = uint64(len(m.Payload))
		}
		if ext.Has&frame.HasDeadline != 0 {
			ext.Deadline = Remaining(m.Until, now)
		}
		h.Ext = ext.Len()
	}
	h.Length = n + h.Ext
	out := h.Append(b.bulk[:b.used])
	if h.Ext > 0 {
		out = ext.Append(out)
	}
	if payload := m.Payload[m.off : m.off+n]; m.Kept != nil && q.KeepPayloads {
		b.kept = append(b.kept, kept{len(out), payload})
	} else {
		out = append(out, payload...)
	}
	b.used = len(out)
	q.sent += uint64(n)
	m.off += n
	if m.off == len(m.Payload) {
		f.messages[0], f.first[0] = nil, nil
		f.messages = f.messages[1:]
		if f.Empty() {
			q.unlink(f)
		}
		if m.Taken != nil {
			m.Taken()
		}
		if m.Kept != nil {
			b.done = append(b.done, m.Kept)
		}
	}
	return n
}
