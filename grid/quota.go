package grid

import "container/list"

// quota bounds how many requests of a kind the peer is given at a time. It is
// used under the session's lock. Those that wait are served in their order.
type quota struct {
	limit   int
	used    int
	waiting list.List // of chan struct{}
}

// take takes a place if there is one and nobody waits.
func (q *quota) take() bool {
	if q.used >= q.limit || q.waiting.Len() > 0 {
		return false
	}
	q.used++
	return true
}

// wait queues for a place: once the channel is closed, it is taken.
func (q *quota) wait() (*list.Element, chan struct{}) {
	ch := make(chan struct{})
	return q.waiting.PushBack(ch), ch
}

// leave gives up waiting, or the place if there was one by now.
func (q *quota) leave(e *list.Element, ch chan struct{}) {
	select {
	case <-ch:
		q.put(1)
	default:
		q.waiting.Remove(e)
	}
}

// put gives n places back.
func (q *quota) put(n int) {
	q.used -= n
	for q.used < q.limit && q.waiting.Len() > 0 {
		q.used++
		close(q.waiting.Remove(q.waiting.Front()).(chan struct{}))
	}
}
