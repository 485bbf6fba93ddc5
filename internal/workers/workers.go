// Package workers runs small jobs on a few goroutines.
package workers

import "sync"

// Max is how many goroutines a pool has at the most, if it does not say.
const Max = 4

// Pool runs jobs on its goroutines, which live while there is work. The zero value is
// ready.
type Pool struct {
	Limit int // of goroutines; 0: Max

	mu      sync.Mutex
	queue   []func()
	running int
}

// Submit has f run soon. It does not wait.
func (w *Pool) Submit(f func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.queue = append(w.queue, f)
	limit := w.Limit
	if limit == 0 {
		limit = Max
	}
	if w.running < limit {
		w.running++
		go w.run()
	}
}

func (w *Pool) run() {
	for {
		w.mu.Lock()
		if len(w.queue) == 0 {
			w.queue = nil
			w.running--
			w.mu.Unlock()
			return
		}
		f := w.queue[0]
		w.queue[0] = nil
		w.queue = w.queue[1:]
		w.mu.Unlock()
		f()
	}
}
