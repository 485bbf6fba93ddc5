package health

import (
	"errors"
	"fmt"
	"iter"
	"math"
	"math/rand/v2"
	"time"
)

// The defaults of Errors.
const (
	DefaultProbeTimeout = 30 * time.Second
	DefaultErrorJitter  = 0.1
	DefaultMaxErrors    = 65536
)

// Fault is an error as it is remembered.
type Fault struct {
	Kind Kind
	Err  error

	// For is how long the error will last according to who knows: the zone's negative TTL
	// (RFC 2308 §5), Retry-After. It counts instead of TTL.First, exactly, up to TTL.Max.
	// 0 is not known.
	For time.Duration
}

// ErrBlocked is what every [Blocked] is.
var ErrBlocked = errors.New("the peer is not asked, because of an error before")

// Blocked is the error of a request that is not made, because one before it failed.
// Unwrap gives what that failed with.
type Blocked struct {
	Kind     Kind
	Err      error
	Until    time.Time // when the next one may try
	Probing  bool      // one is trying now
	Failures int       // in a row, of this kind
}

func (b *Blocked) Error() string {
	if b.Err == nil {
		return fmt.Sprintf("the peer is not asked, because of an error before (%s)", b.Kind)
	}
	return fmt.Sprintf("the peer is not asked, because of an error before (%s): %v", b.Kind, b.Err)
}

// Unwrap is the error before.
func (b *Blocked) Unwrap() error { return b.Err }

// Is says that it is an ErrBlocked.
func (b *Blocked) Is(target error) bool { return target == ErrBlocked }

// Errors remembers errors of peers or endpoints, each kind for a time of its own. A
// request asks first:
//
//	ticket, err := errs.Ask(key, now)
//	if err != nil {
//		return err // *Blocked: answered from memory
//	}
//	... the request
//	errs.Succeed(key, ticket) // or Fail, or Cancel: exactly one of them
//
// When the time is over, exactly one request is let through to try: the probe. If it
// succeeds, the error is forgotten; if it fails, the time begins anew and is longer, for
// kinds that grow. If it does not end in ProbeTimeout, the next one may try.
//
// Only the probe changes what is remembered: of a hundred requests that were under way
// when the first failed, the others neither lengthen the time nor end it. But a peer that asks to be left alone
// for longer ([Errors.Rest]) is.
//
// Set the fields before the first use.
type Errors[K comparable] struct {
	// TTL replaces [DefaultTTL] for the kinds that are in it.
	TTL map[Kind]TTL

	// ProbeTimeout is how long the others wait for the probe; default 30 s.
	ProbeTimeout time.Duration

	// Jitter is the share of its time that an error may last longer, at random, so that
	// those who met it together do not come back together; 0 is 0.1, below 0 is none. A
	// time that was told ([Fault.For]) has none.
	Jitter float64

	// Max is how many errors are remembered; default 65,536. Of what is too much, one
	// goes whose time is over soon.
	Max int

	// Rand is where jitter comes from; nil is the runtime's.
	Rand *rand.Rand

	entries map[K]*entry
	probes  uint64
}

// entry is a remembered error.
type entry struct {
	fault    Fault
	failures int // in a row, of this kind
	until    time.Time
	probe    uint64 // the one that is under way, or 0
	probeEnd time.Time
}

// Ticket stands for a request that was let through.
type Ticket struct{ probe uint64 }

// Probe says that the request is the one that tries whether the error is over.
func (t Ticket) Probe() bool { return t.probe != 0 }

// Ask asks whether a request may be made. If not, the error is a *[Blocked].
func (c *Errors[K]) Ask(key K, now time.Time) (Ticket, error) {
	e := c.entries[key]
	switch {
	case e == nil:
		return Ticket{}, nil
	case e.blocks(now):
		return Ticket{}, e.blocked(now)
	}
	c.probes++
	e.probe, e.probeEnd = c.probes, now.Add(positive(c.ProbeTimeout, DefaultProbeTimeout))
	return Ticket{probe: e.probe}, nil
}

// Get gives what is remembered, if Ask would refuse, and nil otherwise.
func (c *Errors[K]) Get(key K, now time.Time) *Blocked {
	e := c.entries[key]
	if e == nil || !e.blocks(now) {
		return nil
	}
	return e.blocked(now)
}

// Succeed says that the peer answered. Any response is an answer but one that asks to
// be left alone for a time (KindBusy).
func (c *Errors[K]) Succeed(key K, t Ticket) {
	if e := c.entries[key]; e != nil && t.Probe() && e.probe == t.probe {
		delete(c.entries, key)
	}
}

// Fail says that the request failed. A fault that is not remembered, of KindOther or with
// a time of 0, is no verdict on a probe: it is as if that were cancelled.
func (c *Errors[K]) Fail(key K, t Ticket, f Fault, now time.Time) {
	e := c.entries[key]
	if (e == nil && t.Probe()) || (e != nil && (!t.Probe() || e.probe != t.probe)) {
		return // of before: a clear, another probe, the error itself
	}
	failures := 1
	if e != nil && e.fault.Kind == f.Kind {
		failures = e.failures + 1
	}
	d := c.duration(f, failures)
	if d <= 0 {
		c.Cancel(key, t)
		return
	}
	if e == nil {
		e = new(entry)
		c.put(key, e)
	}
	*e = entry{fault: f, failures: failures, until: now.Add(d)}
}

// Rest says that the peer has asked to be left alone, in the response to whatever request: f.For is how long. It is remembered
// unless what is remembered already lasts longer, and then a probe that is under way counts no more: the peer has
// answered.
func (c *Errors[K]) Rest(key K, f Fault, now time.Time) {
	d := c.duration(f, 1)
	if d <= 0 {
		return
	}
	failures := 1
	e := c.entries[key]
	switch {
	case e == nil:
		e = new(entry)
		c.put(key, e)
	case !now.Add(d).After(e.until):
		return
	case e.fault.Kind == f.Kind:
		failures = e.failures + 1
	}
	*e = entry{fault: f, failures: failures, until: now.Add(d)}
}

// Cancel says that the request ended without saying anything about the peer. If it
// was the probe, the next one may try.
func (c *Errors[K]) Cancel(key K, t Ticket) {
	if e := c.entries[key]; e != nil && t.Probe() && e.probe == t.probe {
		e.probe, e.probeEnd = 0, time.Time{}
	}
}

// Clear forgets the error of key. It says whether there was one.
func (c *Errors[K]) Clear(key K) bool {
	_, ok := c.entries[key]
	delete(c.entries, key)
	return ok
}

// ClearAll forgets everything.
func (c *Errors[K]) ClearAll() { clear(c.entries) }

// Len is how many errors are remembered, those too that are waiting for a probe.
func (c *Errors[K]) Len() int { return len(c.entries) }

// All gives what is remembered, in no order. Nothing may be changed meanwhile.
func (c *Errors[K]) All(now time.Time) iter.Seq2[K, *Blocked] {
	return func(yield func(K, *Blocked) bool) {
		for key, e := range c.entries {
			if !yield(key, e.blocked(now)) {
				return
			}
		}
	}
}

// probing says that one is trying, and the others wait for it.
func (e *entry) probing(now time.Time) bool { return e.probe != 0 && now.Before(e.probeEnd) }

// blocks says that a request is not let through.
func (e *entry) blocks(now time.Time) bool { return now.Before(e.until) || e.probing(now) }

func (e *entry) blocked(now time.Time) *Blocked {
	b := &Blocked{Kind: e.fault.Kind, Err: e.fault.Err, Until: e.until, Failures: e.failures}
	if e.probing(now) {
		b.Until, b.Probing = e.probeEnd, true
	}
	return b
}

// Time is how long a fault is remembered that is the first of its kind; 0 is not at all.
func (c *Errors[K]) Time(f Fault) time.Duration { return c.duration(f, 1) }

// duration is how long a fault is remembered after so many failures in a row.
func (c *Errors[K]) duration(f Fault, failures int) time.Duration {
	ttl, ok := c.TTL[f.Kind]
	if !ok {
		ttl = DefaultTTL(f.Kind)
	}
	longest := max(ttl.Max, ttl.First)
	if f.For > 0 {
		return min(f.For, longest)
	}
	d := min(float64(ttl.First)*math.Pow(max(ttl.Grow, 1), float64(failures-1)), float64(longest))
	return time.Duration(d * (1 + share(c.Jitter, DefaultErrorJitter)*float(c.Rand)))
}

// put adds an entry, and drops one if there are too many.
func (c *Errors[K]) put(key K, e *entry) {
	if c.entries == nil {
		c.entries = make(map[K]*entry)
	}
	if most := max(count(c.Max, DefaultMaxErrors), 1); len(c.entries) >= most {
		c.drop()
	}
	c.entries[key] = e
}

// drop forgets the one of a few whose time is over first, and with whom nobody is trying.
func (c *Errors[K]) drop() {
	const few = 16
	var (
		victim K
		worst  *entry
		seen   int
	)
	for key, e := range c.entries {
		if worst == nil || (e.probe == 0) != (worst.probe == 0) && e.probe == 0 ||
			(e.probe == 0) == (worst.probe == 0) && e.until.Before(worst.until) {
			victim, worst = key, e
		}
		if seen++; seen == few {
			break
		}
	}
	delete(c.entries, victim)
}
