package balance

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

const ms = time.Millisecond

func TestLatency_follows_its_timeline(t *testing.T) {
	type step struct {
		at      time.Duration // after noon
		observe time.Duration // 0: none
		fail    bool          // after observe
		want    time.Duration // thereafter, to a microsecond
	}
	for name, steps := range map[string][]step{
		"a rise counts at once, a fall by and by": {
			{0, 10 * ms, false, 10 * ms},
			{1 * time.Second, 100 * ms, false, 100 * ms},
			{11 * time.Second, 10 * ms, false, 43109 * time.Microsecond}, // 100/e + 10·(1−1/e)
			{11 * time.Second, 10 * ms, false, 43109 * time.Microsecond}, // no time has passed
			{21 * time.Second, 10 * ms, false, 22180 * time.Microsecond},
		},
		"what is not used is forgotten": {
			{0, 100 * ms, false, 100 * ms},
			{30 * time.Second, 0, false, 36788 * time.Microsecond}, // 100/e
			{69077 * ms, 0, false, 10 * ms},                        // 30 s · ln 10
			{70 * time.Second, 100 * ms, false, 100 * ms},
		},
		"a fast failure is no fast answer": {
			{0, 10 * ms, false, 10 * ms},
			{0, 1 * ms, true, 30 * ms},
			{0, 1 * ms, true, 90 * ms},
			{0, 5 * time.Second, true, 5 * time.Second}, // a slow one is worse
		},
		"who never answered and fails is slow": {
			{0, 1 * ms, true, time.Second},
			{0, 1 * ms, true, 3 * time.Second},
			{0, 1 * ms, true, 9 * time.Second},
			{0, 1 * ms, true, 27 * time.Second},
			{0, 1 * ms, true, 60 * time.Second}, // and not without end
			{0, 1 * ms, true, 60 * time.Second},
			{30 * time.Second, 0, false, 22073 * ms},
		},
		"time that runs backwards changes nothing": {
			{time.Second, 10 * ms, false, 10 * ms},
			{0, 5 * ms, false, 10 * ms},
			{time.Second, 0, false, 10 * ms},
		},
		"less than no time is none": {
			{0, -time.Second, false, 0},
		},
	} {
		t.Run(name, func(t *testing.T) {
			var l Latency
			assert.False(t, l.Known())
			assert.Zero(t, l.At(noon))
			for i, s := range steps {
				now := noon.Add(s.at)
				switch {
				case s.fail:
					l.Fail(s.observe, now)
				case s.observe != 0:
					l.Observe(s.observe, now)
				}
				assert.True(t, l.Known())
				assert.InDelta(t, s.want, l.At(now), float64(time.Millisecond), "step %d", i)
				if s.want < time.Second {
					assert.InDelta(t, s.want, l.At(now), float64(time.Microsecond), "step %d", i)
				}
			}
			l.Reset()
			assert.Equal(t, Latency{}, l)
		})
	}
}

func TestLatency_is_at_least_what_a_request_that_was_given_up_has_waited(t *testing.T) {
	var l Latency
	l.AtLeast(20*ms, noon)
	assert.Equal(t, 20*ms, l.At(noon), "more is not known")
	l.Observe(100*ms, noon)
	l.AtLeast(50*ms, noon)
	assert.Equal(t, 100*ms, l.At(noon), "that is known already")
	l.AtLeast(time.Second, noon)
	assert.Equal(t, time.Second, l.At(noon))
	later := noon.Add(time.Minute) // when it is 135 ms
	l.AtLeast(500*ms, later)
	assert.GreaterOrEqual(t, l.At(later), 500*ms)
	assert.Less(t, l.At(later), 510*ms)
	l.AtLeast(-ms, later)
	assert.GreaterOrEqual(t, l.At(later), 500*ms)
}

func TestLatency_has_the_settings_it_was_given(t *testing.T) {
	l := Latency{Decay: time.Second, Forget: 2 * time.Second, Penalty: 10}
	l.Observe(100*ms, noon)
	l.Observe(0, noon.Add(time.Second))
	assert.InDelta(t, 36788*time.Microsecond, l.At(noon.Add(time.Second)), 1000)
	assert.InDelta(t, 13534*time.Microsecond, l.At(noon.Add(3*time.Second)), 1000)
	l.Fail(0, noon.Add(3*time.Second))
	assert.InDelta(t, 135335*time.Microsecond, l.At(noon.Add(3*time.Second)), 1000)
}
