package retry

import (
	"fmt"
	"slices"
	"time"
)

// What the zero values of a [Policy] mean.
const (
	DefaultTries         = 3
	DefaultBase          = 100 * time.Millisecond
	DefaultCap           = 10 * time.Second
	DefaultMaxRetryAfter = 30 * time.Second
)

// The most a [Policy] takes.
const (
	MostTries = 100
	MostTime  = 24 * time.Hour
)

// DefaultStatuses are those that a [Policy] without its own repeats: 408, 425, 429, 502,
// 503 and 504.
func DefaultStatuses() []int { return []int{408, 425, 429, 502, 503, 504} }

// Policy says what is repeated, how often and how soon. The zero value of each field is
// a default. It does not change while it is used.
type Policy struct {
	// Tries is how often a request is tried in all, hedges included. Repeats at once of
	// what a server did not process are beside it; see [Run.Next]. Default: 3. 1 means
	// only those. At most 100.
	Tries int
	// On are the classes that are repeated. Default: [AllClasses].
	On Classes
	// Statuses are those that make a response a failure, 400 to 599. Default:
	// [DefaultStatuses]; empty and not nil means none. A response that is not repeated is
	// the caller's, whatever its status.
	Statuses []int

	// Base and Cap shape the waits: before the nth repeat one at random between 0 and
	// Base·2^(n-1), at most Cap ("full jitter"). Defaults: 100 ms and 10 s.
	Base, Cap time.Duration
	// MaxRetryAfter is the longest Retry-After that is waited for; a response that asks
	// for more is the caller's. Default: 30 s. Negative: Retry-After is not looked at.
	MaxRetryAfter time.Duration

	// TryTimeout ends a try whose head has not come in that time. Default: 0, none.
	TryTimeout time.Duration
	// Deadline ends the tries: none begins later than this after the first, and one that
	// is under way fails then, if its head has not come. Default: 0, none.
	Deadline time.Duration

	// Hedge sends safe requests a second time when the answer is late. Default: never.
	Hedge Hedge
}

// Check reports a value that is out of range.
func (p Policy) Check() error {
	if p.Tries < 0 || p.Tries > MostTries {
		return fmt.Errorf("%d tries are not in 0..%d", p.Tries, MostTries)
	}
	if p.On&^AllClasses != 0 {
		return fmt.Errorf("classes %#x: there are no such", uint16(p.On))
	}
	for _, s := range p.Statuses {
		if s < 400 || s > 599 {
			return fmt.Errorf("status %d is not in 400..599", s)
		}
	}
	for _, d := range []struct {
		name string
		time time.Duration
	}{{"Base", p.Base}, {"Cap", p.Cap}, {"TryTimeout", p.TryTimeout}, {"Deadline", p.Deadline}, {"Hedge.After", p.Hedge.After}} {
		if d.time < 0 {
			return fmt.Errorf("%s %v is negative", d.name, d.time)
		}
		if d.time > MostTime {
			return fmt.Errorf("%s %v is longer than %v", d.name, d.time, MostTime)
		}
	}
	if p.MaxRetryAfter > MostTime {
		return fmt.Errorf("MaxRetryAfter %v is longer than %v", p.MaxRetryAfter, MostTime)
	}
	return nil
}

// Full returns p with its defaults written out.
func (p Policy) Full() Policy {
	if p.Tries == 0 {
		p.Tries = DefaultTries
	}
	if p.On == 0 {
		p.On = AllClasses
	}
	if p.Statuses == nil {
		p.Statuses = DefaultStatuses()
	} else {
		p.Statuses = slices.Clone(p.Statuses)
	}
	if p.Base == 0 {
		p.Base = DefaultBase
	}
	if p.Cap == 0 {
		p.Cap = DefaultCap
	}
	if p.MaxRetryAfter == 0 {
		p.MaxRetryAfter = DefaultMaxRetryAfter
	}
	return p
}

// Fails reports whether a response with this status is a failure under a full policy.
func (p *Policy) Fails(status int) bool {
	return p.On.Has(Status) && slices.Contains(p.Statuses, status)
}

// backoff returns the longest wait before the nth repeat.
func (p *Policy) backoff(n int) time.Duration {
	d := p.Base
	for ; n > 1 && d < p.Cap; n-- {
		d *= 2
	}
	return min(d, p.Cap)
}
