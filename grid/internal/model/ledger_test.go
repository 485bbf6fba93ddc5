package model

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ratmom/ratmom/grid"
)

// ledger knows of every request what has become of it.
type ledger struct {
	t *testing.T
	// late is how long after its end, as its caller sees it, a request may still begin on the other
	// side: as long as a connection may live there that is dead here.
	late time.Duration

	mu   sync.Mutex
	next uint64
	// records are of requests that are not done.
	records map[uint64]*record
	counts  map[string]int

	running atomic.Int64
}

type outcome int

const (
	open outcome = iota
	notSent
	maybe
)

// record is one request.
type record struct {
	mu      sync.Mutex
	starts  int
	outcome outcome
	ended   time.Time
	err     error
}

func newLedger(t *testing.T, late time.Duration) *ledger {
	return &ledger{t: t, late: late, records: map[uint64]*record{}, counts: map[string]int{}}
}

// begin gives a request its number.
func (l *ledger) begin() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.next++
	l.records[l.next] = &record{}
	return l.next
}

func (l *ledger) record(id uint64) *record {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.records[id]
}

// start is a handler that begins. Requests of number 0 are nobody's.
func (l *ledger) start(id uint64) {
	l.running.Add(1)
	if id == 0 {
		return
	}
	r := l.record(id)
	if r == nil {
		l.t.Errorf("request %d begins, and was never made or is done", id)
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.starts++
	switch {
	case r.starts > 1:
		l.t.Errorf("request %d began %d times", id, r.starts)
	case r.outcome == notSent:
		l.t.Errorf("request %d began though it was not sent: %v", id, r.err)
	case r.outcome == maybe && time.Since(r.ended) > l.late:
		l.t.Errorf("request %d began %v after its end: %v", id, time.Since(r.ended), r.err)
	}
}

func (l *ledger) stop() { l.running.Add(-1) }

// end is what the caller was told. may are the codes that are no surprise.
func (l *ledger) end(id uint64, err error, may ...grid.Code) {
	r := l.record(id)
	if r == nil {
		l.t.Errorf("request %d ended twice, with: %v", id, err)
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.outcome != open {
		l.t.Errorf("request %d ended twice: %v, %v", id, r.err, err)
	}
	r.ended, r.err = time.Now(), err
	if err == nil {
		l.done(id)
		if r.starts != 1 {
			l.t.Errorf("request %d was done by %d handlers", id, r.starts)
		}
		return
	}
	var e *grid.Error
	if !errors.As(err, &e) {
		l.t.Errorf("request %d: an error without a type: %v", id, err)
		return
	}
	l.count(fmt.Sprintf("%v, %v", e.Code, e.Sent))
	if !expected(e.Code, may) {
		l.t.Errorf("request %d: %v", id, err)
	}
	r.outcome = maybe
	if e.Sent == grid.NotSent {
		r.outcome = notSent
		if r.starts > 0 {
			l.t.Errorf("request %d has begun and is said to be not sent: %v", id, err)
		}
	}
}

func expected(c grid.Code, may []grid.Code) bool {
	for _, m := range may {
		if c == m {
			return true
		}
	}
	return false
}

// done forgets a request.
func (l *ledger) done(id uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.counts["done"]++
	delete(l.records, id)
}

func (l *ledger) count(what string) {
	l.mu.Lock()
	l.counts[what]++
	l.mu.Unlock()
}

// settled wants every request to have ended.
func (l *ledger) settled() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for id, r := range l.records {
		r.mu.Lock()
		if r.outcome == open {
			l.t.Errorf("request %d has not ended", id)
		}
		r.mu.Unlock()
	}
	if n := l.running.Load(); n != 0 {
		l.t.Errorf("%d handlers are left", n)
	}
}
