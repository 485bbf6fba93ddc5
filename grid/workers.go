package grid

import (
	"sync"
	"time"
)

// workers run handlers on goroutines that are used again, the last one that
// became free first. A job that is queued has always a worker that was woken
// for it or is about to look, so that none waits behind a handler that blocks.
type workers struct {
	mu     sync.Mutex
	queue  []*incoming
	head   int
	idle   []chan struct{}
	woken  int // workers that were woken and have not looked yet
	spare  int // the least number of idle ones since the last look
	timer  *time.Timer
	closed bool
}

const (
	idleWorkers = 10 * time.Second // how long a worker is kept that is not needed
	maxIdle     = 256
)

func (w *workers) submit(in *incoming) {
	w.mu.Lock()
	if w.head > 1024 && w.head > len(w.queue)/2 {
		n := copy(w.queue, w.queue[w.head:])
		clear(w.queue[n:])
		w.queue, w.head = w.queue[:n], 0
	}
	w.queue = append(w.queue, in)
	w.wakeOne()
	w.mu.Unlock()
}

// wakeOne sees to it that somebody comes to look.
func (w *workers) wakeOne() {
	if w.woken > 0 {
		return
	}
	w.woken++
	if n := len(w.idle); n > 0 {
		ch := w.idle[n-1]
		w.idle = w.idle[:n-1]
		w.spare = min(w.spare, n-1)
		ch <- struct{}{}
		return
	}
	go w.run()
}

func (w *workers) run() {
	unlabelled() // it may be a handler that has made it
	var ch chan struct{}
	w.mu.Lock()
	w.woken--
	for {
		if w.head < len(w.queue) {
			in := w.queue[w.head]
			w.queue[w.head] = nil
			if w.head++; w.head == len(w.queue) {
				w.queue, w.head = w.queue[:0], 0
				if cap(w.queue) > 4096 {
					w.queue = nil
				}
			} else {
				w.wakeOne()
			}
			w.mu.Unlock()
			in.run()
			w.mu.Lock()
			continue
		}
		if w.closed || len(w.idle) >= maxIdle {
			w.mu.Unlock()
			return
		}
		if ch == nil {
			ch = make(chan struct{}, 1)
		}
		w.idle = append(w.idle, ch)
		if w.timer == nil {
			w.spare = 0
			w.timer = time.AfterFunc(idleWorkers, w.trim)
		}
		w.mu.Unlock()
		if _, more := <-ch; !more {
			return
		}
		w.mu.Lock()
		w.woken--
	}
}

// trim ends workers that were idle since the last time.
func (w *workers) trim() {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := min(w.spare, len(w.idle))
	for _, ch := range w.idle[:n] { // those that have waited longest
		close(ch)
	}
	w.idle = append(w.idle[:0], w.idle[n:]...)
	w.spare = len(w.idle)
	if w.spare == 0 || w.closed {
		w.timer = nil
		return
	}
	w.timer.Reset(idleWorkers)
}

// close ends all idle workers, and the others when they have nothing to do.
func (w *workers) close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed = true
	for _, ch := range w.idle {
		close(ch)
	}
	w.idle = nil
	if w.timer != nil {
		w.timer.Stop()
		w.timer = nil
	}
}
