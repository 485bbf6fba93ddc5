package resolve

import (
	"container/list"
	"errors"
	"math/rand/v2"
	"time"
)

// entry is what is known of a name.
type entry[V any] struct {
	name Name
	at   *list.Element
	pins int // how many want it kept fresh

	value    V
	has      bool
	forever  bool
	expires  time.Time
	refresh  time.Time // when a new look-up may begin in advance
	err      error     // of the last look-up
	errUntil time.Time
	flight   *flight[V]
	timer    *time.Timer
}

// got is a value with what is left of its time.
type got[V any] struct {
	value V
	ttl   time.Duration
	stale bool
}

func (e *entry[V]) fresh(now time.Time) bool { return e.has && (e.forever || now.Before(e.expires)) }

func (e *entry[V]) got(now time.Time) got[V] {
	if e.forever {
		return got[V]{value: e.value, ttl: Forever}
	}
	return got[V]{value: e.value, ttl: e.expires.Sub(now)}
}

// usable is true if the value may stand in for a failure.
func (m *memo[V]) usable(e *entry[V], now time.Time) bool {
	return e.has && (e.forever || now.Before(e.expires.Add(m.stale)))
}

func (m *memo[V]) old(e *entry[V]) got[V] {
	return got[V]{value: e.value, ttl: m.failure, stale: true}
}

// keep keeps a value for as long as it and the limits say.
func (m *memo[V]) keep(e *entry[V], value V, ttl time.Duration) {
	now := time.Now()
	e.value, e.has, e.err, e.errUntil = value, true, nil, time.Time{}
	if e.forever = ttl == Forever; e.forever {
		return
	}
	ttl = min(max(ttl, m.min), m.max)
	e.expires = now.Add(ttl)
	// Not all at once, and some time before the end.
	e.refresh = now.Add(time.Duration(float64(ttl) * (0.75 + 0.15*rand.Float64())))
}

// fail keeps a failure. One that says how it is ends the value; any other leaves
// it until it is too old.
func (m *memo[V]) fail(e *entry[V], err error) {
	now := time.Now()
	e.err = err
	hold := m.failure
	if kind := KindOf(err); settled(kind) {
		var own *Error
		if errors.As(err, &own) && own.TTL > 0 {
			hold = min(max(own.TTL, m.min), m.negativeMax)
		}
		e.drop()
	} else if !m.usable(e, now) {
		e.drop()
	}
	e.errUntil = now.Add(hold)
}

func (e *entry[V]) drop() {
	var none V
	e.value, e.has, e.forever = none, false, false
}
