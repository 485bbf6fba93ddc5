package resolve

import (
	"net/netip"
	"reflect"
	"sync"
	"sync/atomic"
)

// A Change is what has become of a name since the last one.
type Change struct {
	Name Name
	// Answer is what holds now; it has no endpoints if the name has none any more.
	Answer Answer
	// Added, Vanished and Changed are the endpoints that are new, that are gone, and
	// whose priority, weight or else is another now.
	Added, Vanished, Changed []Endpoint
	// Err is why the last look-up failed; nil if it did not. With endpoints in
	// Answer, it is these that hold on.
	Err error
}

// watch is somebody who wants to know.
type watch struct {
	name    Name
	tell    func(Change)
	stopped atomic.Bool

	mu    sync.Mutex
	busy  bool // somebody is telling: one change after the other
	again bool // and there is news meanwhile

	// These are of whoever is telling.
	last map[netip.AddrPort]Endpoint
	told bool
	err  error
}

// Watch keeps the answer of a name fresh and tells every change: first, all
// endpoints as Added, or the failure; then only what differs. The function is called on
// a goroutine of the cache, one call after the other; what happens during a call is told
// as one change after it. stop ends the watch; a call that has begun goes on.
func (c *Cache) Watch(name Name, tell func(Change)) (stop func(), err error) {
	if err := c.start(); err != nil {
		return nil, err
	}
	w := &watch{name: name, tell: tell}
	c.mu.Lock()
	if c.watches[name] == nil {
		c.watches[name] = make(map[*watch]bool)
	}
	c.watches[name][w] = true
	c.mu.Unlock()
	if err := c.memo.pin(name); err != nil {
		c.unwatch(w)
		return nil, err
	}
	c.memo.background(func() { c.deliver(w) })
	return sync.OnceFunc(func() {
		w.stopped.Store(true)
		c.unwatch(w)
		c.memo.unpin(name)
	}), nil
}

func (c *Cache) unwatch(w *watch) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.watches[w.name], w)
	if len(c.watches[w.name]) == 0 {
		delete(c.watches, w.name)
	}
}

// tell tells all who watch a name.
func (c *Cache) tell(name Name) {
	c.mu.Lock()
	all := make([]*watch, 0, len(c.watches[name]))
	for w := range c.watches[name] {
		all = append(all, w)
	}
	c.mu.Unlock()
	for _, w := range all {
		c.deliver(w)
	}
}

// deliver tells one watch what is new; if somebody is telling it something already,
// that one goes on with it.
func (c *Cache) deliver(w *watch) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.busy {
		w.again = true
		return
	}
	for w.busy, w.again = true, true; w.again; {
		w.again = false
		w.mu.Unlock()
		c.news(w)
		w.mu.Lock()
	}
	w.busy = false
}

// news tells how what is known now differs from what was told.
func (c *Cache) news(w *watch) {
	s, known := c.memo.peek(w.name)
	if !known || w.stopped.Load() {
		return
	}
	change := Change{Name: w.name, Answer: s.value, Err: s.err}
	now := make(map[netip.AddrPort]Endpoint, len(s.value.Endpoints))
	for _, e := range s.value.Endpoints {
		now[e.Addr] = e
		switch old, ok := w.last[e.Addr]; {
		case !ok:
			change.Added = append(change.Added, e)
		case !reflect.DeepEqual(old, e):
			change.Changed = append(change.Changed, e)
		}
	}
	for addr, e := range w.last {
		if _, ok := now[addr]; !ok {
			change.Vanished = append(change.Vanished, e)
		}
	}
	// A failure is told when it begins and when it is over.
	same := len(change.Added)+len(change.Changed)+len(change.Vanished) == 0 && (s.err == nil) == (w.err == nil)
	if w.told && same {
		return
	}
	w.last, w.told, w.err = now, true, s.err
	w.tell(change)
}
