package config

import (
	"fmt"

	"github.com/ratmom/ratmom/retry"
)

// Retry repeats failed requests by the policy: those that were not processed, and those
// that may reach a server twice, because their method is idempotent or they have an
// Idempotency-Key. The body must be there again, and nothing of a response's body has
// been handed out. Waits and tries count in [Timeout], and within the client's
// [RetryBudget]. See docs/retries.md.
//
// Default: [NoRetry]. Each field of the policy that is zero has a default of its own, so
// that retry.Policy{} will do. It replaces nothing of libcurl's.
func Retry(p retry.Policy) Option {
	full := p.Full()
	return both(retries{&full, p.Check()})
}

// NoRetry repeats at once, two times at most, what a server has not processed, and, one
// time, a request that may reach it twice and met a dead connection; nothing else.
//
// Default: that.
func NoRetry() Option { return both(retries{}) }

// Retry returns the policy of repeats, with all defaults written out; nil if there is
// none.
func (r *RequestConfig) Retry() *retry.Policy {
	s, _ := lookup[retries](r)
	return s.policy
}

type retries struct {
	policy *retry.Policy
	err    error
}

func (s retries) validate() error {
	if s.err != nil {
		return invalid("Retry", "policy", "%v", s.err)
	}
	return nil
}

func (s retries) String() string {
	if s.policy == nil {
		return "no"
	}
	return fmt.Sprintf("%+v", *s.policy)
}

// RetryBudget bounds the repeats and hedges of all requests with a [Retry] together, so
// that a failing server is not sent several times as many. Clients may share a budget.
//
// Default: one of the client's own, retry.NewBudget(0, 0, 0): a fifth of the requests of
// the last 10 s, or 10 if that is more. nil: no bound.
func RetryBudget(b *retry.Budget) ClientOption { return forClient(retryBudget{b}) }

// RetryBudget returns the value of the option of that name, and whether it was given.
func (c *ClientConfig) RetryBudget() (b *retry.Budget, ok bool) {
	s, ok := lookupClient[retryBudget](c)
	return s.budget, ok
}

type retryBudget struct{ budget *retry.Budget }

func (retryBudget) validate() error { return nil }

func (s retryBudget) String() string { return fmt.Sprint(s.budget != nil) }
