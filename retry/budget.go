package retry

import (
	"fmt"
	"sync"
	"time"
)

// What [NewBudget] takes for 0.
const (
	DefaultShare  = 0.2
	DefaultFloor  = 10
	DefaultWindow = 10 * time.Second
)

// buckets is how many parts the window has: one leaves it at a time.
const buckets = 10

// Budget bounds repeats and hedges by the requests of the last while: a server that
// fails gets a share more of them, not several times as many. Clients and peers may have
// one together. It is safe for concurrent use; a nil Budget has no bound.
type Budget struct {
	share float64
	floor int
	span  time.Duration // of a bucket

	mu      sync.Mutex
	first   time.Time // that was seen
	head    int64     // number of the newest bucket
	ring    [buckets]struct{ requests, repeats int }
	sum     struct{ requests, repeats int }
	refused uint64
}

// NewBudget returns a budget of share × the requests of the last window, and never less
// than floor in one. 0 means the default: 0.2, 10, and 10 s. A negative floor is none. It
// returns an error for a share outside 0..100 and a window outside 10 ms..24 h.
func NewBudget(share float64, floor int, window time.Duration) (*Budget, error) {
	if share == 0 {
		share = DefaultShare
	}
	if floor == 0 {
		floor = DefaultFloor
	}
	if window == 0 {
		window = DefaultWindow
	}
	if !(share > 0 && share <= 100) {
		return nil, fmt.Errorf("a share of %v is not in 0..100", share)
	}
	if window < buckets*time.Millisecond || window > MostTime {
		return nil, fmt.Errorf("a window of %v is not in %v..%v", window, buckets*time.Millisecond, MostTime)
	}
	return &Budget{share: share, floor: max(floor, 0), span: window / buckets}, nil
}

// Deposit counts a request.
func (b *Budget) Deposit(now time.Time) {
	if b == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	i := b.turn(now)
	b.ring[i].requests++
	b.sum.requests++
}

// Withdraw counts a repeat or a hedge, if there is room for it.
func (b *Budget) Withdraw(now time.Time) bool {
	if b == nil {
		return true
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	i := b.turn(now)
	if b.sum.repeats >= b.room() {
		b.refused++
		return false
	}
	b.ring[i].repeats++
	b.sum.repeats++
	return true
}

func (b *Budget) room() int { return max(b.floor, int(b.share*float64(b.sum.requests))) }

// turn drops what has left the window and returns the place of now. Times are told apart
// by their monotonic readings, where they have one: setting the clock changes nothing. A time
// before the last counts into the newest bucket.
func (b *Budget) turn(now time.Time) int64 {
	if b.first.IsZero() {
		b.first = now
	}
	n := int64(now.Sub(b.first) / b.span)
	if n > b.head {
		for drop := min(n-b.head, buckets); drop > 0; drop-- {
			old := &b.ring[(n-drop+1)%buckets]
			b.sum.requests -= old.requests
			b.sum.repeats -= old.repeats
			old.requests, old.repeats = 0, 0
		}
		b.head = n
	}
	return b.head % buckets
}

// BudgetStats is a snapshot of a [Budget].
type BudgetStats struct {
	Requests, Repeats int // in the window
	Room              int // for further repeats
	Refused           uint64
}

// Stats returns the counters at a time.
func (b *Budget) Stats(now time.Time) BudgetStats {
	if b == nil {
		return BudgetStats{}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.turn(now)
	return BudgetStats{b.sum.requests, b.sum.repeats, max(b.room()-b.sum.repeats, 0), b.refused}
}
