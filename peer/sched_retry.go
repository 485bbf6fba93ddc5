package peer

import (
	"fmt"
	"net/http"
	"slices"
	"sort"
	"time"

	"github.com/ratmom/ratmom/peer/health"
	"github.com/ratmom/ratmom/retry"
)

// tries are those of a tag under the rule of package retry. To move before anything was
// sent is none: it belongs to the try.
type tries struct {
	ask    retry.Request
	run    retry.Run
	reuse  retry.Reuse
	end    time.Time // of the request; zero: none
	trying bool
	began  time.Time // of the try
	until  time.Time // when it must have a head; zero: any time
	repeat bool      // counts among the breaker's retries
	held   bool      // counts among its pending requests
	avoid  []*endpoint
	failed []retry.Attempt
	passed int       // place in failed, plus one, of the run that has failed beside the one that goes on
	due    time.Time // while it waits: when it is queued; while it runs: when it is hedged
}

// rides reports whether the tag may be put on a link that carries requests already, or
// has.
func (t *tag) rides(served int) bool { return !t.fresh && t.reuse.Allows(t.ask, served) }

// once tells that its body can be read once: it moves only when its last run has ended. One for a standby link never does.
func (t *tag) once() bool { return !t.ask.Replayable || t.spare != nil }

// try begins a try, unless it has begun elsewhere.
func (s *scheduler) try(t *tag, now time.Time) {
	if t.trying {
		return
	}
	t.trying, t.began, t.until = true, now, time.Time{}
	if limit := t.tries.run.Start(now); limit > 0 {
		t.until = now.Add(limit)
	}
}

// move places a tag again of which nothing was sent, and reports whether it could.
func (s *scheduler) move(t *tag, r *run, o outcome, opened bool) bool {
	if t.spare != nil {
		return false
	}
	if !opened {
		t.tried = append(t.tried, r.link.ep)
	}
	if !o.lost { // which takes no time, and ends with the first request of a new link
		t.attempts++
	}
	t.fresh = t.fresh || o.worn
	if t.attempts >= s.limits.maxAttempts || s.exhausted(t) || s.hold(t) != nil {
		return false
	}
	t.state, t.run = tagQueued, nil
	s.count.Retries++
	s.queue.add(t)
	return true
}

// again asks the rule whether a tag is tried once more whose try at e has failed, and has
// it wait for that. The error is the breaker's.
func (s *scheduler) again(t *tag, e *endpoint, try retry.Try, o outcome) (bool, error) {
	s.unrepeat(t)
	if t.spare != nil {
		return false, nil
	}
	s.try(t, try.Now) // one that ended before it had a link is one all the same
	ask := t.ask
	ask.Replayable = ask.Replayable || o.kept
	if !t.end.IsZero() {
		try.Left = max(t.end.Sub(try.Now), 1)
	}
	d := t.tries.run.Next(ask, try)
	if !d.Repeat {
		return false, nil
	}
	if err := s.hold(t); err != nil {
		return false, err
	}
	if err := s.breaker.Take(health.Retries); err != nil {
		s.letGo(t)
		return false, err
	}
	t.repeat = true
	s.count.Retries++
	if e == nil {
		d.After = max(d.After, 1) // the name is looked up again first
	}
	t.note(retry.Attempt{Class: try.Class, Status: try.Status, Err: o.err, Waited: d.After}, try.Now)
	t.trying, t.attempts, t.tried, t.run = false, 0, nil, nil
	t.passed = 0
	t.fresh = t.fresh || d.Fresh
	if d.Elsewhere && e != nil && !slices.Contains(t.avoid, e) {
		t.avoid = append(t.avoid, e)
	}
	if d.After > 0 {
		t.state = tagWaiting
		s.dues.add(t, try.Now.Add(d.After))
	} else {
		t.state = tagQueued
		s.queue.add(t)
	}
	return true, nil
}

// note remembers a try that has failed.
func (t *tag) note(a retry.Attempt, now time.Time) {
	if t.trying {
		a.Took = now.Sub(t.began)
	}
	t.failed = append(t.failed, a)
}

// moreTelling is how a hedged try has failed: as the run that says more of it. The other is among those
// that have failed.
func (t *tag) moreTelling(o outcome) outcome {
	i := t.passed - 1
	t.passed = 0
	if i < 0 {
		return o
	}
	a := &t.failed[i]
	if a.Err == nil || !a.Class.TellsMore(o.class) { // the response of a bad status is gone
		return o
	}
	unsent := o.unsent && a.Class.Unprocessed()
	a.Err, o.err = o.err, a.Err
	a.Class, o.class = o.class, a.Class
	o.unsent = unsent
	return o
}

// end ends a tag that is not tried again, or has it tried again.
func (s *scheduler) endTry(t *tag, e *endpoint, o outcome, now time.Time) {
	o = t.moreTelling(o)
	again, err := s.again(t, e, retry.Try{Class: o.class, Now: now}, o)
	if again {
		return
	}
	if err != nil {
		o.err = fmt.Errorf("%w; it was not tried again: %w", o.err, err)
	}
	s.finish(t, o)
}

// unanswered reports whether a response is none because the request is tried again. The run is nobody's
// then.
func (s *scheduler) unanswered(r *run, status int, h http.Header, now time.Time) bool {
	t := r.tag
	if p := t.tries.run.Policy(); t.pin != nil || p == nil || !p.Fails(status) {
		return false
	}
	if s.dropFailed(r, retry.Attempt{Class: retry.Status, Status: status}, now) {
		return true
	}
	if status == http.StatusServiceUnavailable && r.link.ep.off {
		h = nil // how long it is to be left alone is nothing to the others
	}
	try := retry.Try{Class: retry.Status, Status: status, Header: h, Now: now}
	s.dues.remove(t)
	if again, _ := s.again(t, r.link.ep, try, outcome{}); again {
		r.tag = nil
		return true
	}
	return false
}

// A tag that waits counts as pending until it is on a link.

func (s *scheduler) hold(t *tag) error {
	if t.held {
		return nil
	}
	if err := s.breaker.Take(health.Pending); err != nil {
		return err
	}
	t.held = true
	return nil
}

func (s *scheduler) letGo(t *tag) {
	if t.held {
		t.held = false
		s.breaker.Give(health.Pending)
	}
}

func (s *scheduler) unrepeat(t *tag) {
	if t.repeat {
		t.repeat = false
		s.breaker.Give(health.Retries)
	}
}

// wake does what tags are due for.
func (s *scheduler) wake(now time.Time) {
	for len(s.dues) > 0 && !s.dues[0].due.After(now) {
		t := s.dues[0]
		s.dues.remove(t)
		if t.state == tagWaiting {
			t.state = tagQueued
			s.queue.add(t)
		} else {
			s.hedge(t, now)
		}
	}
}

// dues are the tags that time alone does something for, the first first.
type dues []*tag

func (d *dues) add(t *tag, at time.Time) {
	t.due = at
	i := sort.Search(len(*d), func(i int) bool { return (*d)[i].due.After(at) })
	*d = slices.Insert(*d, i, t)
}

func (d *dues) remove(t *tag) {
	if t.due.IsZero() {
		return
	}
	i := sort.Search(len(*d), func(i int) bool { return !(*d)[i].due.Before(t.due) })
	for (*d)[i] != t {
		i++
	}
	*d = slices.Delete(*d, i, i+1)
	t.due = time.Time{}
}
