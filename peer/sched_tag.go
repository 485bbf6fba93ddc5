package peer

import (
	"container/heap"
	"time"

	"github.com/ratmom/ratmom/peer/balance"
)

// A tag is queued until it is assigned to a link; committed from the moment its link's
// connection is given the request; then it has a head, and is done.
type tagState uint8

const (
	tagQueued  tagState = iota
	tagWaiting          // for its next try
	tagAssigned
	tagCommitted // known to be; a tag that is assigned may be, too
	tagHead
	tagDone
)

func (s tagState) String() string {
	return [...]string{"queued", "waiting", "assigned", "committed", "head", "done"}[s]
}

// tag is a request that is placed on a link, and placed again as long as none has taken it.
type tag struct {
	state    tagState
	priority int
	key      Key
	pin      *pin
	seq      uint64
	place    int // in the queue, plus one
	run      *run
	second   *run // the hedge
	hedged   bool // it has had one
	unhedged bool // it must not have one
	attempts int
	tried    []*endpoint // have not connected
	spare    *endpoint   // is of no use but to make a standby link to it
	fresh    bool        // wants a new connection
	ahead    bool        // on a pin: comes before those that wait
	revealed bool        // something of it may have left, in a run that is over
	born     time.Time   // when it was submitted
	call     *call       // the transport's
	first    run         // memory of its first run; most have no other
	tries
}

// run is one sending of a tag on a link.
type run struct {
	tag    *tag // nil: nobody wants its answer
	link   *link
	bound  bool
	over   bool
	hedge  bool // counts among the breaker's retries
	began  time.Time
	until  time.Time      // when there must be a head; zero: any time
	alone  bool           // there was no other on its link
	way    balance.Flight // through the endpoint
	flight flight         // the transport's
}

// tagQueue has the tags that wait, the most urgent first.
type tagQueue []*tag

func (q tagQueue) Len() int { return len(q) }
func (q tagQueue) Less(i, j int) bool {
	if q[i].priority != q[j].priority {
		return q[i].priority > q[j].priority
	}
	return q[i].seq < q[j].seq
}
func (q tagQueue) Swap(i, j int) {
	q[i], q[j] = q[j], q[i]
	q[i].place, q[j].place = i+1, j+1
}

func (q *tagQueue) Push(x any) {
	*q = append(*q, x.(*tag))
	x.(*tag).place = len(*q)
}

func (q *tagQueue) Pop() any {
	old := *q
	n := len(old) - 1
	t := old[n]
	old[n] = nil
	*q = old[:n]
	t.place = 0
	return t
}

func (q *tagQueue) add(t *tag) {
	if len(*q) == 0 { // as it mostly is
		q.Push(t)
		return
	}
	heap.Push(q, t)
}

func (q *tagQueue) pop() *tag {
	if len(*q) == 1 {
		return q.Pop().(*tag)
	}
	return heap.Pop(q).(*tag)
}
func (q *tagQueue) remove(t *tag) {
	if t.place > 0 { // else its time was over before it came here
		heap.Remove(q, t.place-1)
	}
}
