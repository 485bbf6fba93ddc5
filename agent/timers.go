package agent

import (
	"container/heap"

	"github.com/ratmom/ratmom/cgo"
	"github.com/ratmom/ratmom/handler"
)

// timers is a heap of the moments at which handlers are to be looked at. It is
// lazy: a look may find that the moment has moved on. A handler is in it once and
// knows its place.
type timers struct{ q timerQueue }

type timer struct {
	at int64
	h  *handler.Handler
}

func (t *timers) empty() bool { return len(t.q) == 0 }

func (t *timers) next() int64 {
	if len(t.q) == 0 {
		return cgo.Never
	}
	return t.q[0].at
}

// push has h looked at at the given time, or earlier if that is noted already.
func (t *timers) push(h *handler.Handler, at int64) {
	if i := h.Timer - 1; i >= 0 {
		if at < t.q[i].at {
			t.q[i].at = at
			heap.Fix(&t.q, i)
		}
		return
	}
	heap.Push(&t.q, timer{at, h})
}

func (t *timers) remove(h *handler.Handler) {
	if h.Timer > 0 {
		heap.Remove(&t.q, h.Timer-1)
	}
}

// pop takes a handler that is due, nil if none is.
func (t *timers) pop(now int64) *handler.Handler {
	if len(t.q) == 0 || t.q[0].at > now {
		return nil
	}
	return heap.Pop(&t.q).(timer).h
}

type timerQueue []timer

func (q timerQueue) Len() int           { return len(q) }
func (q timerQueue) Less(i, j int) bool { return q[i].at < q[j].at }
func (q timerQueue) Swap(i, j int) {
	q[i], q[j] = q[j], q[i]
	q[i].h.Timer, q[j].h.Timer = i+1, j+1
}

func (q *timerQueue) Push(x any) {
	*q = append(*q, x.(timer))
	x.(timer).h.Timer = len(*q)
}

func (q *timerQueue) Pop() any {
	old := *q
	n := len(old) - 1
	x := old[n]
	old[n] = timer{}
	*q = old[:n]
	x.h.Timer = 0
	return x
}
