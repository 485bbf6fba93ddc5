package grid

// inbox is a queue of messages that have arrived. It keeps its memory when it is empty, so that a stream whose
// reader is as fast as its sender allocates nothing for it.
type inbox struct {
	all  []message
	head int // those before it were taken
}

const (
	inboxFirst = 4  // messages that an inbox has room for at first
	inboxKept  = 16 // the largest capacity that an empty one keeps
)

func (q *inbox) len() int { return len(q.all) - q.head }

func (q *inbox) push(m message) {
	if len(q.all) == cap(q.all) && q.head > 0 && q.head >= len(q.all)/2 {
		n := copy(q.all, q.all[q.head:])
		clear(q.all[n:])
		q.all, q.head = q.all[:n], 0
	}
	if q.all == nil {
		q.all = make([]message, 0, inboxFirst)
	}
	q.all = append(q.all, m)
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
	*q = inbox{}
	return left
}
