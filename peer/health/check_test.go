package health

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestCheck_follows_its_timeline(t *testing.T) {
	type step struct {
		at      float64
		result  string // "ok", "bad" or "suspect"
		changed bool
		state   State
		next    float64
	}
	for name, c := range map[string]struct {
		policy CheckPolicy
		steps  []step
	}{
		"the first success decides": {CheckPolicy{}, []step{
			{0, "ok", true, Up, 5},
			{5, "ok", false, Up, 10},
		}},
		"the first failure decides": {CheckPolicy{}, []step{
			{0, "bad", true, Down, 5},
			{5, "bad", false, Down, 10},
		}},
		"three failures take it down, two successes bring it back": {CheckPolicy{}, []step{
			{0, "ok", true, Up, 5},
			{5, "bad", false, Up, 6}, // fast, from now on
			{6, "bad", false, Up, 7},
			{7, "bad", true, Down, 12},
			{12, "ok", false, Down, 13},
			{13, "bad", false, Down, 18}, // not in a row
			{18, "ok", false, Down, 19},
			{19, "ok", true, Up, 24},
		}},
		"failures that are not in a row do not": {CheckPolicy{}, []step{
			{0, "ok", true, Up, 5},
			{5, "bad", false, Up, 6},
			{6, "bad", false, Up, 7},
			{7, "ok", false, Up, 12},
			{12, "bad", false, Up, 13},
			{13, "bad", false, Up, 14},
			{14, "ok", false, Up, 19},
		}},
		"a suspect is checked soon, one that is down is not": {CheckPolicy{Down: time.Minute, Fall: 1}, []step{
			{0, "ok", true, Up, 5},
			{1, "suspect", false, Up, 2},
			{1.5, "suspect", false, Up, 2}, // no later than before
			{2, "bad", true, Down, 62},
			{3, "suspect", false, Down, 62},
			{62, "ok", false, Down, 63},
			{63, "ok", true, Up, 68},
		}},
		"its own numbers": {CheckPolicy{Interval: 100 * time.Second, Fast: 10 * time.Second, Rise: 1, Fall: 2}, []step{
			{0, "ok", true, Up, 100},
			{100, "bad", false, Up, 110},
			{110, "bad", true, Down, 210},
			{210, "ok", true, Up, 310},
		}},
		"fast is never slower": {CheckPolicy{Interval: 500 * time.Millisecond}, []step{
			{0, "ok", true, Up, .5},
			{.5, "bad", false, Up, 1},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			check := Check{Policy: c.policy}
			check.Policy.Jitter = -1
			assert.Equal(t, Unknown, check.State())
			assert.Zero(t, check.Next())
			for i, s := range c.steps {
				changed := false
				if s.result == "suspect" {
					check.Suspect(at(s.at))
				} else {
					changed = check.Result(s.result == "ok", at(s.at))
				}
				assert.Equal(t, s.changed, changed, "step %d", i)
				assert.Equal(t, s.state, check.State(), "step %d", i)
				assert.Equal(t, s.next, since(check.Next()), "step %d", i)
			}
		})
	}
}

func TestCheck_jitter_is_to_both_sides_and_within_its_share(t *testing.T) {
	check := Check{Policy: CheckPolicy{Jitter: .2}, Rand: seeded(80)}
	short, long := 100.0, 0.0
	for range 500 {
		check.Result(true, noon)
		short, long = min(short, since(check.Next())), max(long, since(check.Next()))
	}
	assert.True(t, short >= 4 && short < 4.02, "%v", short)
	assert.True(t, long <= 6 && long > 5.98, "%v", long)
	check.Policy.Jitter = 5 // no more than all of it
	for range 500 {
		check.Result(true, noon)
		assert.True(t, check.Next().After(noon))
	}
}
