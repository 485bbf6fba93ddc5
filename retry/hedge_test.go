package retry

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestHedge_is_for_safe_requests_within_tries_and_budget(t *testing.T) {
	p := &Policy{Hedge: Hedge{After: time.Second}}
	after := func(p *Policy, q Request) (time.Duration, bool) {
		r := run(p, nil)
		return r.HedgeAfter(q, nil, start)
	}
	d, ok := after(p, get)
	assert.True(t, ok)
	assert.Equal(t, time.Second, d)
	for _, q := range []Request{post, key, {Method: "PUT", Replayable: true}, {Method: "GET"}} {
		_, ok = after(p, q)
		assert.False(t, ok, "%+v", q)
	}
	_, ok = after(&Policy{}, get)
	assert.False(t, ok)
	_, ok = after(&Policy{Tries: 1, Hedge: Hedge{After: 1}}, get)
	assert.False(t, ok)
	_, ok = after(nil, get)
	assert.False(t, ok)

	r := run(p, nil)
	assert.True(t, r.Hedge(start))
	r.Start(start)
	assert.Equal(t, 2, r.Tries())
	assert.False(t, r.Hedge(start), "one for a request")
	_, ok = r.HedgeAfter(get, nil, start)
	assert.False(t, ok)
	assert.True(t, next(&r, get, Try{Class: Timeout}).Repeat, "the third try")
	assert.False(t, next(&r, get, Try{Class: Timeout}).Repeat)

	r = run(p, newBudget(t, 0.2, -1, time.Second))
	assert.False(t, r.Hedge(start), "the budget is empty")
	late := *p
	late.Deadline = time.Second
	r = run(&late, nil)
	assert.False(t, r.Hedge(start.Add(time.Second)))
}

func TestHedge_goes_by_the_P95_once_there_is_one(t *testing.T) {
	var l Latency
	p := &Policy{Hedge: Hedge{P95: true}}
	r := run(p, nil)
	_, ok := r.HedgeAfter(get, &l, start)
	assert.False(t, ok, "nothing was observed")
	for range latencyMin {
		l.Observe(10*time.Millisecond, start)
	}
	d, ok := r.HedgeAfter(get, &l, start)
	assert.True(t, ok)
	assert.InDelta(t, 10*time.Millisecond, d, float64(10*time.Millisecond)/8)

	r = run(&Policy{Hedge: Hedge{P95: true, After: time.Minute}}, nil)
	d, _ = r.HedgeAfter(get, new(Latency), start)
	assert.Equal(t, time.Minute, d, "until there is one")
	d, _ = r.HedgeAfter(get, &l, start)
	assert.Less(t, d, time.Second)
}

func TestLatency_is_the_P95_and_at_most_an_eighth_more(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for _, scale := range []float64{20, 1e3, 1e6, 1e9} { // in µs
		var l Latency
		var all []time.Duration
		for range 5000 {
			d := time.Duration(scale*random.ExpFloat64()+1) * time.Microsecond
			all = append(all, d)
			l.Observe(d, start)
		}
		slices.Sort(all)
		exact := all[len(all)*95/100]
		d, ok := l.P95(start)
		require.True(t, ok)
		assert.Greater(t, d, exact)
		assert.LessOrEqual(t, d, exact*9/8+time.Microsecond)
	}
}

func TestLatency_forgets(t *testing.T) {
	var l Latency
	for range 100 {
		l.Observe(time.Hour, start)
	}
	later := start.Add(45 * time.Second)
	for range 1000 {
		l.Observe(time.Millisecond, later)
	}
	d, ok := l.P95(later)
	assert.True(t, ok)
	assert.Greater(t, d, time.Minute, "nine of a hundred took an hour")
	d, ok = l.P95(later.Add(31 * time.Second))
	assert.True(t, ok)
	assert.Less(t, d, time.Second)
	_, ok = l.P95(later.Add(3 * time.Minute))
	assert.False(t, ok)
	_, ok = new(Latency).P95(start)
	assert.False(t, ok)
}

func TestLatency_takes_every_time(t *testing.T) {
	last := -1
	for _, d := range []time.Duration{-1, 0, 1, time.Microsecond, 7 * time.Microsecond, 8 * time.Microsecond, 9 * time.Microsecond, 16 * time.Microsecond, time.Second, time.Hour, 1<<63 - 1} {
		i := slotOf(d)
		require.GreaterOrEqual(t, i, max(last, 0))
		require.Less(t, i, latencies)
		if d < time.Hour {
			assert.Greater(t, upperEdge(i), d)
		}
		last = i
	}
}
