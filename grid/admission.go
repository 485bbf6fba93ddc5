package grid

import (
	"sync"
	"sync/atomic"
)

// handler is a registered handler with its bounds and counters.
type handler struct {
	id HandlerID
	handlerOptions
	single SingleHandler
	stream StreamHandler

	running atomic.Int64
	waiting atomic.Int64
	mu      sync.Mutex
	line    []*incoming // that wait until running is below the bound
	memory  *memory     // of answers, if the handler has one

	counters
}

// admit has a request run, now or when it is its turn. It reports false if too
// many are waiting.
func (h *handler) admit(in *incoming) bool {
	if h.enter() {
		in.start()
		return true
	}
	h.mu.Lock()
	if len(h.line) >= h.queue {
		h.mu.Unlock()
		return false
	}
	h.line = append(h.line, in)
	h.waiting.Add(1)
	h.mu.Unlock()
	h.next() // one may have ended before it could know of this one
	return true
}

// enter takes one of the places.
func (h *handler) enter() bool {
	for {
		n := h.running.Load()
		if n >= int64(h.maxConcurrent) {
			return false
		}
		if h.running.CompareAndSwap(n, n+1) {
			return true
		}
	}
}

// leave gives the place back, to the next that waits.
func (h *handler) leave() {
	h.running.Add(-1)
	if h.waiting.Load() > 0 {
		h.next()
	}
}

// next starts those that wait, as many as there are places.
func (h *handler) next() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for len(h.line) > 0 && h.enter() {
		in := h.line[0]
		h.line[0] = nil
		h.line = h.line[1:]
		h.waiting.Add(-1)
		in.start()
	}
	if len(h.line) == 0 {
		h.line = nil
	}
}

// forget takes a request that waits out of the queue: it has ended.
// It reports whether it was there.
func (h *handler) forget(in *incoming) bool {
	if h.waiting.Load() == 0 {
		return false
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for i, x := range h.line {
		if x == in {
			h.line = append(h.line[:i], h.line[i+1:]...)
			h.waiting.Add(-1)
			return true
		}
	}
	return false
}
