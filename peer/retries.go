package peer

import (
	"bufio"
	"bytes"
	"fmt"
	"net/http"
	"net/textproto"
	"time"

	"github.com/ratmom/ratmom"
	"github.com/ratmom/ratmom/handler"
	"github.com/ratmom/ratmom/internal/failure"
	"github.com/ratmom/ratmom/peer/health"
	"github.com/ratmom/ratmom/retry"
)

// RetryBudget bounds the repeats and hedges of all requests of the map that have a policy together
// (config.Retry, [Retry]). Default: one of the map's own, retry.NewBudget(0, 0, 0): a fifth of the requests of
// the last 10 s, or 10 if that is more. nil: no bound.
func RetryBudget(b *retry.Budget) Option {
	return func(o *options) error { o.budget = b; return nil }
}

// Breaker limits what each peer has at the same time: links and requests on them, beyond which
// requests wait; those that wait, for a link or for their next try, beyond which a request fails at once; and
// repeats, beyond which a failure is the caller's. Such a failure is a *health.LimitError, which is
// health.ErrLimit. Zero fields are Envoy's limits, as health.Limits says. Default: no limits but
// those of [MaxLinks], [MaxQueue] and [RetryBudget].
func Breaker(l health.Limits) Option {
	return func(o *options) error { o.breaker = l; return nil }
}

// Retry repeats the request by a policy, in place of that of config.Retry; see
// docs/retries.md. Another endpoint is preferred for it. Requests on a [Pin] are never repeated. The
// request fails with ratmom.ErrInvalidOption if the policy is out of range.
func Retry(p retry.Policy) RequestOption {
	full := p.Full()
	err := p.Check()
	return func(o *requestOptions) { o.retry, o.retrySet, o.retryErr = &full, true, err }
}

// NoRetry repeats only at once what a server has not processed, and, one time, a request that may be
// repeated and met a dead connection.
func NoRetry() RequestOption {
	return func(o *requestOptions) { o.retry, o.retrySet, o.retryErr = nil, true, nil }
}

// setRetry gives the tag what the rule needs to know.
func (c *call) setRetry() error {
	policy := c.plan.Retry
	if c.opt.retrySet {
		policy = c.opt.retry
	}
	if err := c.opt.retryErr; err != nil {
		return fmt.Errorf("peer: %w: Retry: %w", ratmom.ErrInvalidOption, err)
	}
	t := &c.tag
	t.ask = retry.Request{
		Method: methodOf(c.req), Key: c.opt.repeatable || retry.HasKey(c.req.Header), Replayable: rewindable(c.req),
	}
	t.unhedged = c.req.Body != nil && c.req.Body != http.NoBody || t.fresh // which upgrades
	t.reuse = c.plan.Reuse
	if policy != nil {
		t.tries.run = retry.Begin(policy, c.peer.m.opt.budget, time.Now())
	}
	return nil
}

// triesLimit is the policy's time for all tries, 0 if there is none.
func (c *call) triesLimit() time.Duration {
	p := c.tag.tries.run.Policy()
	if p == nil || c.tag.pin != nil {
		return 0
	}
	return p.Deadline
}

// overdue ends the call if that time is over before it has a link; a try that is on one has a
// limit of its own.
func (c *call) overdue() {
	err := failure.New(failure.Timeout, "the time for all tries is over").At(methodOf(c.origin), c.origin.URL)
	c.peer.decide(func(now time.Time) {
		if c.tag.state == tagQueued {
			c.peer.s.cancel(&c.tag, err, now)
		}
	})
}

// tellingHeader is the header of a response that may be repeated, or that may ask to be left alone; nil of others. It is read
// from the raw head as the response itself may be dropped.
func (c *call) tellingHeader(h *handler.Handler, status int) http.Header {
	p := c.tag.tries.run.Policy()
	if !asksForRest(status) && (c.tag.pin != nil || p == nil || !p.Fails(status)) {
		return nil
	}
	raw := make([]byte, h.CopyHead(nil))
	h.CopyHead(raw)
	_, fields, _ := bytes.Cut(raw, []byte("\n"))
	header, _ := textproto.NewReader(bufio.NewReader(bytes.NewReader(fields))).ReadMIMEHeader()
	return http.Header(header)
}

// explain says in err how often the request was tried.
func (c *call) explain(err error) error {
	failed := c.tag.failed
	e, ok := err.(*failure.Error)
	if !ok || len(failed) == 0 {
		return err
	}
	x := *e
	x.Tries = len(failed) + 1
	for _, a := range failed {
		x.Earlier = append(x.Earlier, a.String())
	}
	return &x
}
