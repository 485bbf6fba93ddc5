package resolve

import (
	"container/list"
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"
)

// limits say how long a memo keeps what, and how much.
type limits struct {
	min, max    time.Duration // of a value
	negativeMax time.Duration // of a "no"; the least is min
	failure     time.Duration // of what could not be found out, and the pause between attempts
	stale       time.Duration // after its end, in place of a failure
	patience    time.Duration // a value that has ended comes when the new one takes longer
	lookup      time.Duration // for one look-up
	names       int
	lookups     int // at once
}

// memo remembers what look-ups gave. Whoever asks for what is being looked up waits
// for the same look-up.
type memo[V any] struct {
	limits
	look func(ctx context.Context, name Name) (V, time.Duration, error)
	// after is called when a look-up has ended, with no lock held.
	after func(name Name)

	ctx    context.Context // of all look-ups
	cancel context.CancelFunc
	slots  chan struct{}
	wg     sync.WaitGroup

	mu      sync.Mutex
	closed  bool
	entries map[Name]*entry[V]
	recent  list.List // of *entry, those used last in front
}

// flight is a look-up under way.
type flight[V any] struct {
	done    chan struct{}
	cancel  context.CancelFunc
	waiting int
	begun   bool // it has its slot
	pinned  bool // nobody needs to wait for it

	value V
	err   error
}

func newMemo[V any](l limits, look func(context.Context, Name) (V, time.Duration, error)) *memo[V] {
	m := &memo[V]{limits: l, look: look, entries: make(map[Name]*entry[V]), slots: make(chan struct{}, l.lookups)}
	m.ctx, m.cancel = context.WithCancel(context.Background())
	return m
}

// get gives the value of a name: kept, or looked up.
func (m *memo[V]) get(ctx context.Context, name Name) (got[V], error) {
	if err := ctx.Err(); err != nil {
		return got[V]{}, &Error{Kind: KindOf(err), Name: name.Host, Err: context.Cause(ctx)}
	}
	m.mu.Lock()
	if m.closed {
		m.mu.Unlock()
		return got[V]{}, closedError(name)
	}
	e := m.entry(name)
	now := time.Now()
	if e.fresh(now) {
		defer m.mu.Unlock()
		if !e.forever && !now.Before(e.refresh) && !now.Before(e.errUntil) {
			m.launch(e) //nolint:contextcheck // it is not the caller's
		}
		return e.got(now), nil
	}
	if e.err != nil && now.Before(e.errUntil) {
		defer m.mu.Unlock()
		if m.usable(e, now) {
			return m.old(e), nil
		}
		return got[V]{}, e.err
	}
	f := m.launch(e) //nolint:contextcheck // it outlives this caller
	f.waiting++
	var impatient <-chan time.Time
	if m.usable(e, now) {
		timer := time.NewTimer(m.patience)
		defer timer.Stop()
		impatient = timer.C
	}
	m.mu.Unlock()
	return m.wait(ctx, e, f, impatient)
}

func (m *memo[V]) wait(ctx context.Context, e *entry[V], f *flight[V], impatient <-chan time.Time) (got[V], error) {
	var left error
	select {
	case <-f.done:
	case <-impatient:
	case <-ctx.Done():
		left = &Error{Kind: KindOf(ctx.Err()), Name: e.name.Host, Err: context.Cause(ctx)}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	f.waiting--
	if f.waiting == 0 && !f.begun && !f.pinned {
		if e.flight == f {
			e.flight = nil // who comes now begins anew
		}
		f.cancel()
	}
	now := time.Now()
	select {
	case <-f.done:
		switch {
		case f.err == nil && e.fresh(now):
			return e.got(now), nil
		case f.err == nil:
			return got[V]{value: f.value}, nil
		case m.usable(e, now):
			return m.old(e), nil
		}
		return got[V]{}, f.err
	default:
	}
	if left == nil && m.usable(e, now) {
		return m.old(e), nil
	}
	if left == nil {
		left = &Error{Kind: Timeout, Name: e.name.Host}
	}
	return got[V]{}, left
}

func closedError(name Name) error {
	return &Error{Name: name.Host, Err: fmt.Errorf("the cache: %w", net.ErrClosed)}
}

// entry finds or makes the entry of a name. It comes to the front; what is too much
// goes, the one that was not used for the longest time first.
func (m *memo[V]) entry(name Name) *entry[V] {
	if e := m.entries[name]; e != nil {
		m.recent.MoveToFront(e.at)
		return e
	}
	e := &entry[V]{name: name}
	e.at = m.recent.PushFront(e)
	m.entries[name] = e
	m.shrink()
	return e
}

// shrink drops entries that nobody waits for. Those in use are as many as their
// users.
func (m *memo[V]) shrink() {
	for at := m.recent.Back(); at != m.recent.Front() && len(m.entries) > m.names; {
		e, before := at.Value.(*entry[V]), at.Prev()
		if e.pins == 0 && e.flight == nil {
			m.recent.Remove(at)
			delete(m.entries, e.name)
		}
		at = before
	}
}

// launch begins a look-up of the entry's name, or finds the one under way.
func (m *memo[V]) launch(e *entry[V]) *flight[V] {
	if e.flight != nil {
		return e.flight
	}
	ctx, cancel := context.WithTimeout(m.ctx, m.lookup)
	f := &flight[V]{done: make(chan struct{}), cancel: cancel, pinned: e.pins > 0 || e.has}
	e.flight = f
	m.wg.Go(func() {
		defer cancel()
		m.fly(ctx, e, f)
		if m.after != nil {
			m.after(e.name)
		}
	})
	return f
}

var errNoSlot = errors.New("too many look-ups at once")

// fly looks up, and keeps what comes.
func (m *memo[V]) fly(ctx context.Context, e *entry[V], f *flight[V]) {
	var value V
	var ttl time.Duration
	err := error(&Error{Kind: Timeout, Name: e.name.Host, Err: errNoSlot})
	select {
	case m.slots <- struct{}{}:
		m.mu.Lock()
		f.begun = true
		m.mu.Unlock()
		value, ttl, err = m.safely(ctx, e.name)
		<-m.slots
	case <-ctx.Done():
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	f.value, f.err = value, err
	defer close(f.done)
	if m.closed && err != nil {
		f.err = closedError(e.name)
	}
	if e.flight != f {
		return // everybody has left, or the name was forgotten
	}
	switch {
	case m.closed:
	case !f.begun:
		// It says nothing of the name.
	case err != nil:
		m.fail(e, err)
	default:
		m.keep(e, value, ttl)
	}
	e.flight = nil
	m.wind(e)
	m.shrink()
}

// safely looks up; a panic of a resolver is its error.
func (m *memo[V]) safely(ctx context.Context, name Name) (value V, ttl time.Duration, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = &Error{Name: name.Host, Err: fmt.Errorf("resolver panicked: %v", r)}
		}
	}()
	return m.look(ctx, name)
}

// wind sets the clock for the next look-up of a name that is kept fresh.
func (m *memo[V]) wind(e *entry[V]) {
	if e.timer != nil {
		e.timer.Stop()
		e.timer = nil
	}
	if e.pins == 0 || m.closed || e.flight != nil || e.has && e.forever && e.err == nil {
		return
	}
	next := e.refresh
	if e.err != nil {
		next = e.errUntil
	} else if !e.has {
		next = time.Now()
	}
	var timer *time.Timer
	timer = time.AfterFunc(time.Until(next), func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		if e.timer == timer && e.pins > 0 && !m.closed {
			m.launch(e)
		}
	})
	e.timer = timer
}

// pin keeps a name fresh until unpin.
func (m *memo[V]) pin(name Name) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return closedError(name)
	}
	e := m.entry(name)
	e.pins++
	if e.flight != nil {
		e.flight.pinned = true
	} else if e.pins == 1 {
		m.wind(e)
	}
	return nil
}

func (m *memo[V]) unpin(name Name) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if e := m.entries[name]; e != nil {
		if e.pins--; e.pins == 0 {
			m.wind(e)
			m.shrink()
		}
	}
}

// state is what is known of a name: a value, a failure, or both.
type state[V any] struct {
	value V
	err   error
}

// peek is what is known of a name; false if that is nothing.
func (m *memo[V]) peek(name Name) (state[V], bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	e := m.entries[name]
	if e == nil || !e.has && e.err == nil {
		return state[V]{}, false
	}
	return state[V]{e.value, e.err}, true
}

// background runs f, unless the memo is closed; close waits for it.
func (m *memo[V]) background(f func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.closed {
		m.wg.Go(f)
	}
}

// forget drops what is known of a name, and what comes of a look-up under way.
func (m *memo[V]) forget(name Name) {
	m.mu.Lock()
	defer m.mu.Unlock()
	e := m.entries[name]
	if e == nil {
		return
	}
	e.drop()
	e.err, e.errUntil = nil, time.Time{}
	e.flight = nil // for those who wait already: who comes now begins anew
	m.wind(e)
}

func (m *memo[V]) size() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.entries)
}

// close ends all look-ups and waits until they have ended.
func (m *memo[V]) close() {
	m.mu.Lock()
	m.closed = true
	for _, e := range m.entries {
		if e.timer != nil {
			e.timer.Stop()
			e.timer = nil
		}
	}
	m.mu.Unlock()
	m.cancel()
	m.wg.Wait()
}
