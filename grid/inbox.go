package grid

import "sync"

// inbox is a queue of messages that have arrived. It keeps its memory when it is empty, so that a stream whose
// reader is as fast as its sender allocates nothing for it.
type inbox struct {
	all   []message
	head  int                 // those before it were taken
	first *[inboxKept]message // the memory of all, if that is from the pool
}

// inboxKept is how many messages an inbox has room for at first, and the largest capacity that an empty one keeps.
const inboxKept = 16

var inboxes = sync.Pool{New: func() any { return new([inboxKept]message) }}

func (q *inbox) len() int { return len(q.all) - q.head }

func (q *inbox) push(m message) {
	if len(q.all) == cap(q.all) && q.head > 0 && q.head >= len(q.all)/2 {
		n := copy(q.all, q.all[q.head:])
		clear(q.all[n:])
		q.all, q.head = q.all[:n], 0
	}
	if q.all == nil {
		q.first = inboxes.Get().(*[inboxKept]message)
		q.all = q.first[:0]
	}
	q.all = append(q.all, m)
	if q.first != nil && len(q.all) > inboxKept {
		clear(q.first[:])
		q.giveFirst()
	}
}

// giveFirst gives the memory back, all zero, that the inbox does not use any more.
func (q *inbox) giveFirst() {
	inboxes.Put(q.first)
	q.first = nil
}

// close gives the memory of an inbox back that is empty and will stay so.
func (q *inbox) close() {
	if q.len() == 0 && q.first != nil {
		q.giveFirst()
		q.all, q.head = nil, 0
	}
}

func (q *inbox) pop() message {
	m := q.all[q.head]
	q.all[q.head] = message{}
	if q.head++; q.head == len(q.all) {
		q.all, q.head = q.all[:0], 0
		if cap(q.all) > inboxKept {
			q.all = nil
		}
	}
	return m
}

// left is what was not taken.
func (q *inbox) left() []message { return q.all[q.head:] }

// reserved reports whether a message has something of the session's budgets.
func (q *inbox) reserved() bool {
	for _, m := range q.left() {
		if m.reserved.bytes != 0 {
			return true
		}
	}
	return false
}

// drain takes all messages and the memory.
func (q *inbox) drain() []message {
	left := q.left()
	q.close()
	*q = inbox{}
	return left
}
