package peer

import (
	"sync"
	"time"
)

// stateHook calls a function of the user's when a link has changed, one call at a time.
type stateHook struct {
	mu      sync.Mutex
	f       func(*Link)
	running bool
}

// SetStateHook has f called when the state of the link changes: Available has grown, InFlight has
// shrunk, or Err begins to be not nil. What has changed since the link was made or f was last
// called is told at once. There is one call at a time, on a goroutine of its own, and several
// changes may be told by one. f may call the link's methods. It takes the place of
// an earlier one; nil is none, from the next call on.
func (l *Link) SetStateHook(f func(*Link)) {
	l.hook.mu.Lock()
	l.hook.f = f
	l.hook.mu.Unlock()
	l.pin.peer.decide(func(time.Time) {
		l.pin.pin.watched = f != nil
		l.pin.peer.s.touch(l.pin.pin)
	})
}

// changed has the hook called if there is something to tell.
func (l *Link) changed() {
	h := &l.hook
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.running || !l.news() {
		return
	}
	h.running = true
	go l.tell(h.f)
}

// news reports whether the hook is to be called. What has changed was found out as it did, else something could shrink
// and grow again unseen. The hook is locked.
func (l *Link) news() bool {
	if l.hook.f == nil {
		return false
	}
	p := l.pin.peer
	p.mu.Lock()
	defer p.unlock()
	news := l.pin.pin.news
	l.pin.pin.news = false
	return news
}

func (l *Link) tell(f func(*Link)) {
	h := &l.hook
	for {
		f(l)
		h.mu.Lock()
		if !l.news() {
			h.running = false
			h.mu.Unlock()
			return
		}
		f = h.f
		h.mu.Unlock()
	}
}
