package health

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// watch has the endpoints 1 to n, without jitter.
func watch(o *Outliers, n int) *Outliers {
	if o.Policy.Jitter == 0 {
		o.Policy.Jitter = -1
	}
	for id := range n {
		o.Add(uint64(id+1), noon)
	}
	return o
}

// report reports n results.
func report(o *Outliers, id uint64, n int, ok bool, now time.Time) (events []Event) {
	for range n {
		if e, is := o.Report(id, ok, now); is {
			events = append(events, e)
		}
	}
	return events
}

// ejection and back are the events of a test.
func ejection(id uint64, cause Cause, until float64, times int) Event {
	return Event{ID: id, Ejected: true, Cause: cause, Until: at(until), Times: times}
}
func back(id uint64, cause Cause) Event { return Event{ID: id, Cause: cause} }

func TestOutliers_follow_their_timeline(t *testing.T) {
	type step struct {
		at   float64
		do   func(o *Outliers, now time.Time) []Event // nil: Tick
		want []Event
	}
	results := func(id uint64, good, bad int) func(*Outliers, time.Time) []Event {
		return func(o *Outliers, now time.Time) []Event {
			return append(report(o, id, good, true, now), report(o, id, bad, false, now)...)
		}
	}
	// mixed has failures that are never five in a row.
	mixed := func(id uint64, good, bad int) func(*Outliers, time.Time) []Event {
		return func(o *Outliers, now time.Time) (events []Event) {
			for i := range max(good, bad) {
				if i < bad {
					events = append(events, report(o, id, 1, false, now)...)
				}
				if i < good {
					events = append(events, report(o, id, 1, true, now)...)
				}
			}
			return events
		}
	}
	all := func(fs ...func(*Outliers, time.Time) []Event) func(*Outliers, time.Time) []Event {
		return func(o *Outliers, now time.Time) (events []Event) {
			for _, f := range fs {
				events = append(events, f(o, now)...)
			}
			return events
		}
	}
	readmit := func(id uint64) func(*Outliers, time.Time) []Event {
		return func(o *Outliers, _ time.Time) []Event {
			if e, ok := o.Readmit(id); ok {
				return []Event{e}
			}
			return nil
		}
	}
	remove := func(id uint64) func(*Outliers, time.Time) []Event {
		return func(o *Outliers, now time.Time) []Event { return o.Remove(id, now) }
	}
	for name, c := range map[string]struct {
		o     Outliers
		n     int
		steps []step
	}{
		"five in a row, and again": {Outliers{}, 2, []step{
			{0, results(1, 3, 4), nil},
			{0, results(1, 1, 4), nil},
			{1, results(1, 0, 1), []Event{ejection(1, CauseConsecutive, 31, 1)}},
			{1, results(1, 0, 20), nil}, // counts nothing
			{10, nil, nil}, {20, nil, nil}, {30, nil, nil},
			{31, nil, []Event{back(1, CauseExpired)}},
			{32, results(1, 0, 4), nil},                                           // it begins anew
			{32, results(1, 0, 1), []Event{ejection(1, CauseConsecutive, 92, 2)}}, // 2 · 30 s
			{92, nil, []Event{back(1, CauseExpired)}},
			{93, results(1, 0, 5), []Event{ejection(1, CauseConsecutive, 183, 3)}}, // 3 · 30 s
			{183, nil, []Event{back(1, CauseExpired)}},
			// Two intervals in use take away one each.
			{193, nil, nil}, {203, nil, nil},
			{204, results(1, 0, 5), []Event{ejection(1, CauseConsecutive, 264, 2)}},
		}},
		"no longer than the longest": {Outliers{Policy: OutlierPolicy{MaxEjection: 45 * time.Second}}, 2, []step{
			{0, results(1, 0, 5), []Event{ejection(1, CauseConsecutive, 30, 1)}},
			{30, nil, []Event{back(1, CauseExpired)}},
			{30, results(1, 0, 5), []Event{ejection(1, CauseConsecutive, 75, 2)}},
			{75, nil, []Event{back(1, CauseExpired)}},
			{75, results(1, 0, 5), []Event{ejection(1, CauseConsecutive, 120, 2)}},
		}},
		"never the only one": {Outliers{Policy: OutlierPolicy{MaxShare: 1}}, 1, []step{{0, results(1, 0, 50), nil}}},
		"one of two":         {Outliers{}, 2, []step{{0, all(results(1, 0, 5), results(2, 0, 50)), []Event{ejection(1, CauseConsecutive, 30, 1)}}}},
		"a tenth of twenty": {Outliers{}, 20, []step{
			{0, all(results(1, 0, 5), results(2, 0, 5), results(3, 0, 5)), []Event{ejection(1, CauseConsecutive, 30, 1), ejection(2, CauseConsecutive, 30, 1)}},
		}},
		"who waits for room is ejected at its next failure": {Outliers{}, 2, []step{
			{0, results(1, 0, 5), []Event{ejection(1, CauseConsecutive, 30, 1)}},
			{1, results(2, 0, 7), nil},
			{2, readmit(1), []Event{back(1, CauseReadmitted)}},
			{2, readmit(1), nil},
			{3, results(2, 0, 1), []Event{ejection(2, CauseConsecutive, 33, 1)}},
		}},
		"fewer endpoints, fewer ejected": {Outliers{Policy: OutlierPolicy{MaxShare: .5}}, 6, []step{
			{0, results(1, 0, 5), []Event{ejection(1, CauseConsecutive, 30, 1)}},
			{1, results(2, 0, 5), []Event{ejection(2, CauseConsecutive, 31, 1)}},
			{2, results(3, 0, 5), []Event{ejection(3, CauseConsecutive, 32, 1)}},
			{3, remove(4), []Event{back(1, CauseTooMany)}},
			{3, remove(2), []Event{back(2, CauseRemoved)}},
			{3, remove(2), nil},
			{3, remove(5), nil},
			{3, remove(6), nil},
			{3, remove(1), []Event{back(3, CauseTooMany)}},
		}},
		"failure rate": {Outliers{Policy: OutlierPolicy{Consecutive: -1}}, 2, []step{
			{1, mixed(1, 8, 42), nil},
			{10, nil, nil}, // 84 %
			{11, mixed(1, 7, 42), nil},
			{20, nil, nil}, // too few
			{21, mixed(1, 7, 43), nil},
			{30, nil, []Event{ejection(1, CauseFailureRate, 60, 1)}},
		}},
		"failure rate, the worst first": {Outliers{Policy: OutlierPolicy{Consecutive: -1}}, 3, []step{
			{1, all(mixed(1, 8, 92), mixed(2, 2, 98), mixed(3, 5, 95)), nil},
			{10, nil, []Event{ejection(2, CauseFailureRate, 40, 1)}},
		}},
		"success rate": {Outliers{Policy: OutlierPolicy{Consecutive: -1, FailureRate: -1}}, 10, []step{
			// Shares of success: nine times 1, once 0.9. m = 0.99, σ = 0.03, threshold
			// 0.933.
			{1, all(results(1, 100, 0), results(2, 100, 0), results(3, 100, 0), results(4, 100, 0), results(5, 100, 0),
				results(6, 100, 0), results(7, 100, 0), results(8, 100, 0), results(9, 100, 0), mixed(10, 90, 10)), nil},
			{10, nil, []Event{ejection(10, CauseSuccessRate, 40, 1)}},
		}},
		"failure rate, each interval by itself": {Outliers{Policy: OutlierPolicy{Consecutive: -1}}, 2, []step{
			{1, results(1, 0, 30), nil},
			{10, nil, nil},
			{11, results(1, 0, 30), nil},
			{20, nil, nil},
		}},
		// One of ten is 3 σ from the mean, whatever it is.
		"success rate, just below": {Outliers{Policy: OutlierPolicy{Consecutive: -1, FailureRate: -1, Deviations: 2.99}}, 10, []step{
			{1, all(results(1, 100, 0), results(2, 100, 0), results(3, 100, 0), results(4, 100, 0), results(5, 100, 0),
				results(6, 100, 0), results(7, 100, 0), results(8, 100, 0), results(9, 100, 0), mixed(10, 50, 50)), nil},
			{10, nil, []Event{ejection(10, CauseSuccessRate, 40, 1)}},
		}},
		"success rate, just not below": {Outliers{Policy: OutlierPolicy{Consecutive: -1, FailureRate: -1, Deviations: 3.01}}, 10, []step{
			{1, all(results(1, 100, 0), results(2, 100, 0), results(3, 100, 0), results(4, 100, 0), results(5, 100, 0),
				results(6, 100, 0), results(7, 100, 0), results(8, 100, 0), results(9, 100, 0), mixed(10, 50, 50)), nil},
			{10, nil, nil},
		}},
		"success rate of too few": {Outliers{Policy: OutlierPolicy{Consecutive: -1, FailureRate: -1}}, 10, []step{
			{1, all(results(1, 100, 0), results(2, 100, 0), results(3, 100, 0), mixed(4, 1, 99), results(5, 99, 0)), nil},
			{10, nil, nil},
		}},
		"success rate of equals": {Outliers{Policy: OutlierPolicy{Consecutive: -1, FailureRate: -1}}, 5, []step{
			{1, all(mixed(1, 50, 50), mixed(2, 50, 50), mixed(3, 50, 50), mixed(4, 50, 50), mixed(5, 50, 50)), nil},
			{10, nil, nil},
		}},
		"everything off": {Outliers{Policy: OutlierPolicy{Consecutive: -1, FailureRate: -1, Deviations: -1}}, 10, []step{
			{1, all(results(1, 0, 1000), results(2, 100, 0), results(3, 100, 0), results(4, 100, 0), results(5, 100, 0)), nil},
			{10, nil, nil},
		}},
		"a late tick does all at once": {Outliers{}, 2, []step{
			{0, results(1, 0, 5), []Event{ejection(1, CauseConsecutive, 30, 1)}},
			{1000, nil, []Event{back(1, CauseExpired)}},
		}},
		"a stranger": {Outliers{}, 2, []step{{0, results(77, 0, 50), nil}, {0, remove(77), nil}, {0, readmit(77), nil}}},
	} {
		t.Run(name, func(t *testing.T) {
			o := watch(&c.o, c.n)
			for i, s := range c.steps {
				do := s.do
				if do == nil {
					do = (*Outliers).Tick
				}
				assert.Equal(t, s.want, do(o, at(s.at)), "step %d, at %v s", i, s.at)
				for _, e := range s.want {
					if e.Cause != CauseRemoved {
						assert.Equal(t, e.Ejected, o.Ejected(e.ID))
						assert.Equal(t, e.Until, o.Until(e.ID))
					}
				}
			}
		})
	}
}

func TestOutliers_jitter_only_lengthens_and_by_its_share_at_most(t *testing.T) {
	short, long := time.Hour, time.Duration(0)
	for seed := range uint64(200) {
		o := watch(&Outliers{Policy: OutlierPolicy{Jitter: .5}, Rand: seeded(seed)}, 2)
		e := report(o, 1, 5, false, noon)
		d := e[0].Until.Sub(noon)
		short, long = min(short, d), max(long, d)
	}
	assert.True(t, short >= 30*time.Second && short < 32*time.Second, "%v", short)
	assert.True(t, long < 45*time.Second && long > 43*time.Second, "%v", long)
}

func TestOutliers_say_when_they_want_to_be_called(t *testing.T) {
	var o Outliers
	assert.Zero(t, o.Next())
	assert.Nil(t, o.Tick(noon))
	watch(&o, 2)
	assert.Equal(t, 10.0, since(o.Next()))
	o.Tick(at(10))
	assert.Equal(t, 20.0, since(o.Next()))
	report(&o, 1, 5, false, at(11))
	assert.Equal(t, 20.0, since(o.Next()))
	o.Tick(at(35))
	assert.Equal(t, 41.0, since(o.Next()))
}

// The model: whatever happens, no more are ejected than may be, each goes and comes in
// turn, and an ejection ends neither before its time nor long after.
func TestModelOutliers(t *testing.T) {
	const steps = 100000
	r := seeded(50)
	for round := range 20 {
		o := &Outliers{
			Policy: OutlierPolicy{
				MaxShare: []float64{0, .3, 1, -1}[r.IntN(4)], Consecutive: []int{0, 2, -1}[r.IntN(3)],
				RateRequests: 10, FailureRequests: 10,
			},
			Rand: r,
		}
		now, present, until := noon, map[uint64]bool{}, map[uint64]time.Time{}
		allowed := func() int {
			if len(present) < 2 {
				return 0
			}
			s := map[float64]float64{0: .1, .3: .3, 1: 1, -1: 0}[o.Policy.MaxShare]
			return max(1, int(s*float64(len(present))))
		}
		see := func(events ...Event) {
			for _, e := range events {
				end, was := until[e.ID]
				if e.Ejected {
					assert.False(t, was, "ejected twice")
					assert.GreaterOrEqual(t, e.Until.Sub(now), 30*time.Second)
					assert.LessOrEqual(t, e.Until.Sub(now), 330*time.Second)
					until[e.ID] = e.Until
					continue
				}
				assert.True(t, was, "came back, but was there")
				if e.Cause == CauseExpired {
					assert.False(t, now.Before(end), "back before its time")
				}
				delete(until, e.ID)
			}
		}
		for range steps / 20 {
			id := uint64(r.IntN(20) + 1)
			switch r.IntN(40) {
			case 0:
				present[id] = true
				o.Add(id, now)
			case 1:
				delete(present, id)
				see(o.Remove(id, now)...)
			case 2:
				if e, ok := o.Readmit(id); ok {
					see(e)
				}
			case 3, 4:
				now = now.Add(time.Duration(r.Int64N(int64(20 * time.Second))))
				see(o.Tick(now)...)
				if next := o.Next(); len(present) > 0 {
					assert.True(t, next.After(now), "it wants to be called in the past")
				}
				for id, end := range until {
					assert.True(t, end.After(now), "%d stays longer than its time", id)
				}
			default:
				if e, ok := o.Report(id, r.IntN(20) > int(id), now); ok { // higher ids fail more
					see(e)
				}
			}
			assert.LessOrEqual(t, len(until), allowed())
			for id := range present {
				_, ejected := until[id]
				assert.Equal(t, ejected, o.Ejected(id))
			}
			if t.Failed() {
				t.Fatalf("in round %d", round)
			}
		}
	}
}
