package health

import (
	"errors"
	"fmt"
)

// Resource is what a [Breaker] counts.
type Resource uint8

// The resources.
const (
	Links    Resource = iota // connections, those that are being opened too
	Pending                  // requests that wait for a link
	Requests                 // requests on links
	Retries                  // those of them that are not a first try

	resources
)

func (r Resource) String() string {
	if r >= resources {
		return "nothing"
	}
	return [resources]string{"links", "pending requests", "requests", "retries"}[r]
}

// Limits are a peer's, of what there is at the same time. 0 is the default, which is
// Envoy's; below 0 is no limit.
type Limits struct {
	Links    int // default 1024
	Pending  int // default 1024
	Requests int // default 1024
	Retries  int // default 3
}

// defaultLimits are those of a circuit breaker in Envoy.
var defaultLimits = Limits{Links: 1024, Pending: 1024, Requests: 1024, Retries: 3}

func (l Limits) of(r Resource) int {
	return [resources]int{l.Links, l.Pending, l.Requests, l.Retries}[r]
}

// ErrLimit is what every [LimitError] is.
var ErrLimit = errors.New("the limit of the peer is reached")

// LimitError says which limit a request met. Nothing was sent.
type LimitError struct {
	Resource Resource
	Limit    int
}

func (e *LimitError) Error() string {
	return fmt.Sprintf("the limit of the peer is reached: %d %s", e.Limit, e.Resource)
}

// Is says that it is an ErrLimit.
func (e *LimitError) Is(target error) bool { return target == ErrLimit }

// Breaker is the circuit breaker of a peer: who wants more than the limits is refused at
// once, so that a slow peer does not collect all that a program has.
type Breaker struct {
	Limits Limits

	used    [resources]int
	refused [resources]uint64
}

// Take takes one of r, which Give gives back. Its error is a *[LimitError].
func (b *Breaker) Take(r Resource) error {
	if limit := b.limit(r); limit >= 0 && b.used[r] >= limit {
		b.refused[r]++
		return &LimitError{Resource: r, Limit: limit}
	}
	b.used[r]++
	return nil
}

// Give gives back one of r. There are never less than none.
func (b *Breaker) Give(r Resource) { b.used[r] = max(b.used[r]-1, 0) }

// Used is how many of r are taken.
func (b *Breaker) Used(r Resource) int { return b.used[r] }

// Refused is how often Take refused r.
func (b *Breaker) Refused(r Resource) uint64 { return b.refused[r] }

// Open says that Take would refuse r.
func (b *Breaker) Open(r Resource) bool {
	limit := b.limit(r)
	return limit >= 0 && b.used[r] >= limit
}

// limit is below 0 for none.
func (b *Breaker) limit(r Resource) int {
	if l := b.Limits.of(r); l != 0 {
		return l
	}
	return defaultLimits.of(r)
}
