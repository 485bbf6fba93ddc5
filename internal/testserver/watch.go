package testserver

import (
	"context"
	"sync"
	"time"
)

// watch guards state that others wait for: every change wakes those whose
// condition may hold now.
type watch struct {
	mu      sync.Mutex
	changed chan struct{} // nil while nobody waits
}

// change runs f under the lock and wakes all who wait.
func (w *watch) change(f func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	f()
	if w.changed != nil {
		close(w.changed)
		w.changed = nil
	}
}

// read runs f under the lock.
func (w *watch) read(f func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	f()
}

// until returns nil as soon as holds is true (it runs under the lock and may
// take what it waited for), or the error of a context that ended first.
func (w *watch) until(ctx context.Context, holds func() bool) error {
	for {
		w.mu.Lock()
		if holds() {
			w.mu.Unlock()
			return nil
		}
		if w.changed == nil {
			w.changed = make(chan struct{})
		}
		changed := w.changed
		w.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// within is until with a time limit; it tells whether holds became true.
func (w *watch) within(d time.Duration, holds func() bool) bool {
	ctx, cancel := context.WithTimeout(context.Background(), d)
	defer cancel()
	return w.until(ctx, holds) == nil
}
