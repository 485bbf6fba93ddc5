package ratmom

import "sync"

// maxWorkers bounds the goroutines that move asynchronous exchanges on.
const maxWorkers = 4

// workers runs small jobs on a few goroutines, which live while there is work.
type workers struct {
	mu      sync.Mutex
	queue   []func()
	running int
}

func (w *workers) submit(f func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.queue = append(w.queue, f)
	if w.running < maxWorkers {
		w.running++
		go w.run()
	}
}

func (w *workers) run() {
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
