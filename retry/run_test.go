package retry

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

var (
	get  = Request{Method: "GET", Replayable: true}
	post = Request{Method: "POST", Replayable: true}
	key  = Request{Method: "POST", Key: true, Replayable: true}
)

// run begins a request whose waits are the longest there can be.
func run(p *Policy, b *Budget) Run {
	if p != nil {
		full := p.Full()
		p = &full
	}
	r := Begin(p, b, start)
	r.jitter = func(d time.Duration) time.Duration { return d }
	r.Start(start)
	return r
}

func next(r *Run, q Request, t Try) Decision {
	if t.Now.IsZero() {
		t.Now = start
	}
	d := r.Next(q, t)
	if d.Repeat {
		r.Start(t.Now.Add(d.After))
	}
	return d
}

func TestRule_for_the_first_failure_of_a_request(t *testing.T) {
	once := Request{Method: "GET"} // its body can be sent once
	for _, c := range []struct {
		class        Class
		request      Request
		free, policy bool // repeated without, and with a policy
		wait         bool
		fresh, other bool
	}{
		{Other, get, false, false, false, false, false},
		{Connect, get, false, true, true, false, true},
		{Connect, post, false, true, true, false, true},
		{Connect, once, false, false, false, false, false},
		{NeverSent, get, true, true, false, false, false},
		{NeverSent, post, true, true, false, false, false},
		{NeverSent, once, false, false, false, false, false},
		{Refused, get, true, true, false, false, true},
		{Refused, post, true, true, false, false, true},
		{Refused, once, false, false, false, false, false},
		{Stale, get, true, true, false, true, false},
		{Stale, post, false, false, false, false, false},
		{Stale, key, true, true, false, true, false},
		{Stale, once, false, false, false, false, false},
		{Broken, get, false, true, true, true, true},
		{Broken, post, false, false, false, false, false},
		{Broken, key, false, true, true, true, true},
		{Timeout, get, false, true, true, true, true},
		{Timeout, post, false, false, false, false, false},
		{Status, get, false, true, true, false, true},
		{Status, post, false, false, false, false, false},
		{Status, key, false, true, true, false, true},
		{Status, Request{Method: "PUT", Replayable: true}, false, true, true, false, true},
		{Status, Request{Method: "DELETE", Replayable: true}, false, true, true, false, true},
		{Status, Request{Method: "PATCH", Replayable: true}, false, false, false, false, false},
		{Status, Request{Replayable: true}, false, true, true, false, true},
	} {
		t.Run(fmt.Sprintf("%v %+v", c.class, c.request), func(t *testing.T) {
			try := Try{Class: c.class}
			if c.class == Status {
				try.Status = 503
			}
			r := run(nil, nil)
			assert.Equal(t, c.free, next(&r, c.request, try).Repeat)
			r = run(&Policy{}, nil)
			d := next(&r, c.request, try)
			assert.Equal(t, c.policy, d.Repeat, d.Why)
			if d.Repeat {
				assert.Equal(t, c.wait, d.After > 0)
				assert.Equal(t, c.fresh, d.Fresh)
				assert.Equal(t, c.other, d.Elsewhere)
			}
		})
	}
}

func TestRule_repeats_at_once_two_times_and_a_stale_connection_once(t *testing.T) {
	for _, c := range []struct {
		classes []Class
		repeats int
		fresh   bool // the last of them
	}{
		{[]Class{Refused, Refused, Refused}, 2, true},
		{[]Class{NeverSent, NeverSent, NeverSent}, 2, true},
		{[]Class{Stale, Stale}, 1, true},
		{[]Class{Stale, Refused, Refused}, 2, true},
		{[]Class{Refused, Stale, Stale}, 2, true},
		{[]Class{Refused, Connect}, 1, false},
	} {
		r := run(nil, nil)
		repeats := 0
		var last Decision
		for _, class := range c.classes {
			d := next(&r, get, Try{Class: class})
			if !d.Repeat {
				break
			}
			repeats, last = repeats+1, d
			assert.Zero(t, d.After)
		}
		assert.Equal(t, c.repeats, repeats, c.classes)
		assert.Equal(t, c.fresh, last.Fresh, c.classes)
	}
}

func TestRule_counts_tries_beside_the_repeats_at_once(t *testing.T) {
	r := run(&Policy{Tries: 3}, nil)
	assert.True(t, next(&r, post, Try{Class: Refused}).Repeat)
	assert.True(t, next(&r, post, Try{Class: Refused}).Repeat)
	assert.True(t, next(&r, post, Try{Class: Refused}).Repeat, "the second of the policy")
	assert.True(t, next(&r, post, Try{Class: Refused}).Repeat)
	d := next(&r, post, Try{Class: Refused})
	assert.False(t, d.Repeat)
	assert.Equal(t, "no tries are left", d.Why)
	assert.Equal(t, 5, r.Tries())
}

func TestRule_with_one_try_is_that_without_a_policy(t *testing.T) {
	for class := range classes {
		for _, q := range []Request{get, post, key, {Method: "GET"}} {
			a, b := run(nil, nil), run(&Policy{Tries: 1}, nil)
			try := Try{Class: class, Status: 503}
			assert.Equal(t, next(&a, q, try).Repeat, next(&b, q, try).Repeat, "%v %+v", class, q)
		}
	}
}

func TestRule_repeats_only_the_classes_and_statuses_of_the_policy(t *testing.T) {
	p := &Policy{On: Of(Connect, Status), Statuses: []int{500}}
	for _, c := range []struct {
		try  Try
		want bool
	}{
		{Try{Class: Connect}, true},
		{Try{Class: Timeout}, false},
		{Try{Class: Broken}, false},
		{Try{Class: Status, Status: 500}, true},
		{Try{Class: Status, Status: 503}, false},
	} {
		r := run(p, nil)
		assert.Equal(t, c.want, next(&r, get, c.try).Repeat, "%+v", c.try)
	}
	none := Policy{Statuses: []int{}}.Full()
	assert.False(t, none.Fails(503))
	all := Policy{}.Full()
	assert.True(t, all.Fails(503))
	assert.False(t, all.Fails(500))
}

func TestWaits_double_up_to_their_cap(t *testing.T) {
	r := run(&Policy{Tries: 8, Base: 10 * time.Millisecond, Cap: 100 * time.Millisecond}, nil)
	var waits []time.Duration
	for {
		d := next(&r, get, Try{Class: Timeout})
		if !d.Repeat {
			break
		}
		waits = append(waits, d.After/time.Millisecond)
	}
	assert.Equal(t, []time.Duration{10, 20, 40, 80, 100, 100, 100}, waits)
	p := Policy{Base: time.Hour, Cap: MostTime}.Full()
	assert.Equal(t, MostTime, p.backoff(MostTries), "no overflow")
}

func TestWaits_are_spread_over_the_whole_of_their_range(t *testing.T) {
	p := Policy{Base: 100 * time.Millisecond}.Full()
	var low, high int
	for range 2000 {
		r := Begin(&p, nil, start)
		d := r.Next(get, Try{Class: Connect, Now: start})
		require.True(t, d.Repeat)
		require.LessOrEqual(t, d.After, p.Base)
		require.GreaterOrEqual(t, d.After, time.Duration(0))
		switch {
		case d.After < 25*time.Millisecond:
			low++
		case d.After > 75*time.Millisecond:
			high++
		}
	}
	assert.InDelta(t, 500, low, 120)
	assert.InDelta(t, 500, high, 120)
}

func TestRule_waits_as_long_as_Retry_After_says_and_no_longer_than_it_may(t *testing.T) {
	p := &Policy{Base: 10 * time.Millisecond, MaxRetryAfter: 20 * time.Second}
	date := start.Add(15 * time.Second).Format(http.TimeFormat)
	for _, c := range []struct {
		value  string
		repeat bool
		after  time.Duration
	}{
		{"", true, 10 * time.Millisecond},
		{"0", true, 10 * time.Millisecond},
		{"7", true, 7*time.Second + 10*time.Millisecond},
		{date, true, 15*time.Second + 10*time.Millisecond},
		{"20", true, 20*time.Second + 10*time.Millisecond},
		{"21", false, 0},
		{"soon", true, 10 * time.Millisecond},
		{"99999999999999999999", false, 0},
	} {
		r := run(p, nil)
		d := next(&r, get, Try{Class: Status, Status: 429, Header: http.Header{"Retry-After": {c.value}}})
		assert.Equal(t, c.repeat, d.Repeat, c.value)
		assert.Equal(t, c.after, d.After, c.value)
	}
	r := run(&Policy{Base: 1, MaxRetryAfter: -1}, nil)
	d := next(&r, get, Try{Class: Status, Status: 429, Header: http.Header{"Retry-After": {"3600"}}})
	assert.Equal(t, Decision{Repeat: true, After: 1, Elsewhere: true}, d)
}

func TestRule_does_not_wait_for_what_comes_too_late(t *testing.T) {
	p := &Policy{Tries: 9, Base: time.Second, Cap: time.Second, Deadline: 5 * time.Second}
	r := run(p, nil)
	assert.True(t, next(&r, get, Try{Class: Timeout, Now: start.Add(3900 * time.Millisecond)}).Repeat)
	d := next(&r, get, Try{Class: Timeout, Now: start.Add(4 * time.Second)})
	assert.Equal(t, Decision{Why: "the time is too short"}, d)

	r = run(p, nil)
	assert.False(t, next(&r, get, Try{Class: Timeout, Left: time.Second}).Repeat)
	assert.True(t, next(&r, get, Try{Class: Timeout, Left: time.Second + 1}).Repeat)
}

func TestStart_gives_a_try_its_time_and_what_is_left(t *testing.T) {
	r := run(&Policy{TryTimeout: 2 * time.Second, Deadline: 5 * time.Second}, nil)
	assert.Equal(t, 2*time.Second, r.Start(start))
	assert.Equal(t, 1500*time.Millisecond, r.Start(start.Add(3500*time.Millisecond)))
	assert.Equal(t, time.Duration(1), r.Start(start.Add(time.Minute)))
	r = run(&Policy{Deadline: 5 * time.Second}, nil)
	assert.Equal(t, 5*time.Second, r.Start(start))
	var none Run
	assert.Zero(t, none.Start(start))
}

func TestPolicy_refuses_what_is_out_of_range(t *testing.T) {
	assert.NoError(t, Policy{}.Check())
	assert.NoError(t, Policy{Tries: MostTries, Statuses: []int{400, 599}, MaxRetryAfter: -1, Cap: MostTime}.Check())
	for says, p := range map[string]Policy{
		"-1 tries":               {Tries: -1},
		"101 tries":              {Tries: 101},
		"classes 0x1":            {On: Of(Other)},
		"status 399":             {Statuses: []int{399}},
		"status 600":             {Statuses: []int{600}},
		"Base -1ns is negative":  {Base: -1},
		"Cap 24h0m0.000000001s":  {Cap: MostTime + 1},
		"TryTimeout -1ns":        {TryTimeout: -1},
		"Deadline -1ns":          {Deadline: -1},
		"Hedge.After -1ns":       {Hedge: Hedge{After: -1}},
		"MaxRetryAfter 24h0m0.0": {MaxRetryAfter: MostTime + 1},
	} {
		assert.ErrorContains(t, p.Check(), says)
	}
}

func TestReuse_modes(t *testing.T) {
	once := Request{Method: "GET"}
	for _, c := range []struct {
		mode   Reuse
		q      Request
		served [3]bool // by a connection that has served none, one, two
	}{
		{ReuseNever, get, [3]bool{true, false, false}},
		{ReuseSafe, get, [3]bool{true, true, true}},
		{ReuseSafe, post, [3]bool{true, false, false}},
		{ReuseSafe, key, [3]bool{true, true, true}},
		{ReuseSafe, once, [3]bool{true, false, false}},
		{ReuseAggressive, get, [3]bool{true, true, true}},
		{ReuseAggressive, post, [3]bool{true, false, true}},
		{ReuseAlways, post, [3]bool{true, true, true}},
		{ReuseAlways, once, [3]bool{true, true, true}},
		{99, get, [3]bool{true, false, false}},
	} {
		for served, want := range c.served {
			assert.Equal(t, want, c.mode.Allows(c.q, served), "%v %+v %d", c.mode, c.q, served)
		}
	}
	assert.Equal(t, "safe", ReuseSafe.String())
	assert.Equal(t, "?", Reuse(99).String())
}

func TestKeys_are_known_as_in_net_http(t *testing.T) {
	assert.True(t, HasKey(http.Header{"Idempotency-Key": {"a"}}))
	assert.True(t, HasKey(http.Header{"X-Idempotency-Key": nil}))
	assert.False(t, HasKey(http.Header{"Key": {"a"}}))
	assert.False(t, HasKey(nil))
}

func TestClasses_have_words(t *testing.T) {
	for c := range classes {
		assert.NotEmpty(t, c.String())
		assert.Equal(t, c != Other, AllClasses.Has(c))
	}
	assert.Equal(t, "other", Class(99).String())
	assert.Equal(t, "status 503, waited 1.5s", Attempt{Class: Status, Status: 503, Waited: 1500 * time.Millisecond}.String())
	assert.Equal(t, "timeout beside another try", Attempt{Class: Timeout, Hedged: true}.String())
	assert.Equal(t, "slower than another try", Attempt{Hedged: true}.String())
}
