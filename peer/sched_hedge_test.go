package peer

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom/peer/health"
	"github.com/ratmom/ratmom/retry"
)

// noted is a transport that does nothing but note what it is told.
type noted struct {
	runs []*run
	end  *outcome
}

func (n *noted) open(*link)               {}
func (n *noted) close(*link)              {}
func (n *noted) start(r *run)             { n.runs = append(n.runs, r) }
func (n *noted) withdraw(*run) bool       { return false }
func (n *noted) abort(*run)               {}
func (n *noted) suspect(*endpoint)        {}
func (n *noted) warm(*endpoint)           {}
func (n *noted) finish(_ *tag, o outcome) { n.end = &o }

func TestHedge_whose_tries_both_fail_ends_with_the_more_telling_failure(t *testing.T) {
	errFirst, errSecond := errors.New("the first"), errors.New("the second")
	for _, c := range []struct {
		first, second retry.Class
		want          error
	}{
		{retry.Broken, retry.Timeout, errFirst},
		{retry.Timeout, retry.Broken, errSecond},
		{retry.Other, retry.Connect, errFirst},
		{retry.Connect, retry.Other, errSecond},
		{retry.Timeout, retry.Connect, errFirst},
		{retry.Broken, retry.Broken, errSecond},
		{retry.Status, retry.Timeout, errSecond}, // its response has gone
	} {
		t.Run(c.first.String()+" and "+c.second.String(), func(t *testing.T) {
			tr := new(noted)
			s := newScheduler(limits{maxLinks: 4, maxStreams: 1, maxQueue: 10, maxAttempts: 8}, first{}, tr)
			s.breaker.Limits = health.Limits{Links: -1, Pending: -1, Requests: -1, Retries: -1}
			now := time.Unix(0, 0)
			s.update([]Address{{Addr: "a:1"}, {Addr: "b:1"}}, now)
			p := retry.Policy{Tries: 2, Hedge: retry.Hedge{After: 10 * time.Millisecond}}.Full()
			tag := &tag{}
			tag.ask = retry.Request{Method: "GET", Replayable: true}
			tag.tries.run = retry.Begin(&p, nil, now)
			s.submit(tag, now)
			require.Len(t, tr.runs, 1)
			s.up(tr.runs[0].link, now)
			now = now.Add(20 * time.Millisecond)
			s.tick(now)
			require.Len(t, tr.runs, 2)
			s.up(tr.runs[1].link, now)
			if c.first == retry.Status {
				require.False(t, s.head(tr.runs[0], false, 503, nil, now))
			}
			s.ended(tr.runs[0], outcome{err: errFirst, class: c.first}, now)
			require.Nil(t, tr.end)
			s.ended(tr.runs[1], outcome{err: errSecond, class: c.second}, now)
			require.NotNil(t, tr.end)
			assert.Equal(t, c.want, tr.end.err)
			require.Len(t, tag.failed, 1, "the other is listed")
			if c.first == retry.Status {
				assert.Equal(t, 503, tag.failed[0].Status)
				return
			}
			assert.NotEqual(t, c.want, tag.failed[0].Err)
			assert.Equal(t, map[error]retry.Class{errFirst: c.first, errSecond: c.second}[tag.failed[0].Err], tag.failed[0].Class)
		})
	}
}

// willing is noted, but takes everything back.
type willing struct{ noted }

func (n *willing) withdraw(*run) bool { return true }

func TestTag_leaves_a_link_that_opens_to_an_endpoint_that_an_agent_has_seen_ejected(t *testing.T) {
	tr := new(willing)
	s := newScheduler(limits{maxLinks: 1, maxStreams: 1, maxQueue: 10, maxAttempts: 8, stallAfter: time.Second}, first{}, tr)
	s.breaker.Limits = health.Limits{Links: -1, Pending: -1, Requests: -1, Retries: -1}
	now := time.Unix(0, 0)
	s.update([]Address{{Addr: "a:1"}, {Addr: "b:1"}}, now)
	s.submit(&tag{tries: tries{ask: retry.Request{Method: "GET", Replayable: true}}}, now)
	require.Len(t, tr.runs, 1)
	e := tr.runs[0].link.ep
	s.quiet = true
	for range health.DefaultConsecutive {
		s.report(e, false, now)
	}
	s.quiet = false
	require.True(t, e.Down)
	now = s.next()
	s.tick(now)
	assert.LessOrEqual(t, now.Unix(), int64(1))
	require.Len(t, tr.runs, 2, "it is tried elsewhere")
	assert.NotSame(t, e, tr.runs[1].link.ep)
}
