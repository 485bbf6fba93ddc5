package resolve

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// Cache keeps the answers of another resolver. It asks for each name once at a time,
// however many wait; renews in the background, some time before its end, an answer that
// is still asked for or watched; gives an old answer where no new one can be had; and
// keeps failures, too. It must not be changed or copied once it is in use, and is closed
// at the end.
//
// What a failure is worth depends on its kind. That a name or record does not exist
// ends an answer, and holds for as long as the zone's SOA record says (RFC 2308). Any
// other failure leaves the last answer in place for a time (RFC 8767), and holds for
// FailureTTL.
type Cache struct {
	// Resolver is who is asked.
	Resolver Resolver
	// MinTTL and MaxTTL clamp the time of answers; 0 is 5 seconds, and a day.
	MinTTL, MaxTTL time.Duration
	// MaxNegativeTTL clamps how long it is kept that a name or record does not exist;
	// 0 is an hour. MinTTL is the least.
	MaxNegativeTTL time.Duration
	// FailureTTL is how long any other failure is kept, and the TTL of an old answer
	// in its place; 0 is 5 seconds.
	FailureTTL time.Duration
	// StaleFor is how long after its end an answer stands in for a failure; 0 is an
	// hour, and less than 0 is never.
	StaleFor time.Duration
	// StaleAfter is how long a call waits for a new answer when it could have an old
	// one; 0 is 1.8 seconds, as RFC 8767 has it.
	StaleAfter time.Duration
	// Timeout is for one look-up, whoever waits for it; 0 is 15 seconds. It goes
	// on when its callers have left.
	Timeout time.Duration
	// MaxNames is how many names are kept; 0 is 4096. The one that was not used for
	// the longest time goes first. Names that are watched or being looked up stay.
	MaxNames int
	// MaxLookups is how many names are looked up at once; 0 is 64. Others wait.
	MaxLookups int

	once sync.Once
	err  error
	memo *memo[Answer]

	mu      sync.Mutex
	watches map[Name]map[*watch]bool
}

var _ Resolver = (*Cache)(nil)

func (c *Cache) start() error {
	c.once.Do(func() {
		for field, d := range map[string]time.Duration{
			"MinTTL": c.MinTTL, "MaxTTL": c.MaxTTL, "MaxNegativeTTL": c.MaxNegativeTTL, "FailureTTL": c.FailureTTL,
			"StaleAfter": c.StaleAfter, "Timeout": c.Timeout, "MaxNames": time.Duration(c.MaxNames), "MaxLookups": time.Duration(c.MaxLookups),
		} {
			if d < 0 {
				c.err = fmt.Errorf("resolver cache: %s is below zero", field)
			}
		}
		least := orElse(c.MinTTL, 5*time.Second)
		l := limits{
			min: least, max: max(orElse(c.MaxTTL, 24*time.Hour), least), negativeMax: max(orElse(c.MaxNegativeTTL, time.Hour), least),
			failure: orElse(c.FailureTTL, 5*time.Second), stale: max(orElse(c.StaleFor, time.Hour), 0),
			patience: orElse(c.StaleAfter, 1800*time.Millisecond), lookup: orElse(c.Timeout, 15*time.Second),
			names: orElse(c.MaxNames, 4096), lookups: max(orElse(c.MaxLookups, 64), 1),
		}
		if c.Resolver == nil {
			c.err = fmt.Errorf("resolver cache: no resolver to ask")
		}
		c.memo = newMemo(l, func(ctx context.Context, name Name) (Answer, time.Duration, error) {
			a, err := c.Resolver.Resolve(ctx, name)
			return a, a.TTL, err
		})
		c.memo.after = c.tell
		c.watches = make(map[Name]map[*watch]bool)
	})
	return c.err
}

func orElse[T comparable](v, otherwise T) T {
	var zero T
	if v == zero {
		return otherwise
	}
	return v
}

// Resolve gives the answer that is kept, with what is left of its TTL, or asks for
// it. Callers share the endpoints and must not change them. Once the cache is
// closed, the error is net.ErrClosed.
func (c *Cache) Resolve(ctx context.Context, name Name) (Answer, error) {
	if err := c.start(); err != nil {
		return Answer{}, err
	}
	g, err := c.memo.get(ctx, name)
	if err != nil {
		return Answer{}, err
	}
	a := g.value
	a.TTL, a.Stale = g.ttl, g.stale || a.Stale
	return a, nil
}

// Forget drops what is kept of a name, failures too. A name that is watched is
// looked up at once.
func (c *Cache) Forget(name Name) {
	if c.start() == nil {
		c.memo.forget(name)
	}
}

// Len is how many names are kept.
func (c *Cache) Len() int {
	if c.start() != nil {
		return 0
	}
	return c.memo.size()
}

// Close ends all look-ups and watches, and waits until they have ended; so it must not be
// called by a watch's function.
func (c *Cache) Close() {
	if c.start() == nil {
		c.memo.close()
	}
}
