package balance

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestFlight_tells_the_endpoint_what_becomes_of_the_request(t *testing.T) {
	e, other := &Endpoint{}, &Endpoint{}
	var a, b, c Flight
	a.Head(noon) // nothing has begun
	a.Fail(noon)
	a.End()
	assert.Nil(t, a.Endpoint())
	assert.Equal(t, &Endpoint{}, e)

	a.Begin(e, noon)
	b.Begin(e, noon.Add(10*ms))
	c.Begin(e, noon.Add(20*ms))
	assert.Equal(t, 3, e.InFlight)
	assert.Equal(t, noon, e.Waiting)
	assert.Same(t, e, a.Endpoint())

	b.Head(noon.Add(50 * ms))
	assert.Equal(t, 40*ms, e.Latency.At(noon.Add(50*ms)))
	assert.Equal(t, noon, e.Waiting)
	assert.Equal(t, 3, e.InFlight, "its body has not ended")
	b.Head(noon.Add(time.Second)) // twice
	b.Fail(noon.Add(time.Second)) // too late
	assert.Equal(t, 40*ms, e.Latency.At(noon.Add(50*ms)))

	a.Fail(noon.Add(60 * ms))
	assert.InDelta(t, 120*ms, e.Latency.At(noon.Add(60*ms)), float64(ms))
	assert.Equal(t, noon.Add(20*ms), e.Waiting)
	c.Begin(other, noon.Add(70*ms)) // it goes elsewhere, and says nothing of e
	assert.Zero(t, e.Waiting)
	assert.Equal(t, 2, e.InFlight)
	assert.Equal(t, 1, other.InFlight)
	assert.Equal(t, noon.Add(70*ms), other.Waiting)

	a.End()
	a.End()
	b.End()
	b.GiveUp(noon.Add(time.Hour)) // too late
	c.End()                       // it says nothing
	assert.Zero(t, e.InFlight)
	assert.Zero(t, other.InFlight)
	assert.False(t, other.Latency.Known())

	c.Begin(other, noon)
	c.GiveUp(noon.Add(30 * ms))
	assert.Equal(t, 30*ms, other.Latency.At(noon.Add(30*ms)))
	assert.Zero(t, other.Waiting)
	assert.Equal(t, 1, other.InFlight)
	c.End()
	assert.Zero(t, other.InFlight)
}

// The model: InFlight and Waiting are those of a plain list of what is under way.
func TestModelFlight(t *testing.T) {
	type plain struct {
		at    int // endpoint, or -1
		since time.Time
		waits bool
	}
	r := seeded(90)
	eps, flights, model := some(3), make([]Flight, 12), make([]plain, 12)
	for i := range model {
		model[i].at = -1
	}
	now := noon
	for step := range 100000 {
		now = now.Add(time.Duration(1 + r.Int64N(int64(ms))))
		i := r.IntN(len(flights))
		f, m := &flights[i], &model[i]
		switch r.IntN(5) {
		case 0:
			*m = plain{r.IntN(len(eps)), now, true}
			f.Begin(eps[m.at], now)
		case 1:
			m.waits = false
			f.Head(now)
		case 2:
			m.waits = false
			f.Fail(now)
		case 3:
			m.waits = false
			f.GiveUp(now)
		default:
			*m = plain{at: -1}
			f.End()
		}
		for at, e := range eps {
			under, oldest := 0, time.Time{}
			for _, m := range model {
				if m.at != at {
					continue
				}
				under++
				if m.waits && (oldest.IsZero() || m.since.Before(oldest)) {
					oldest = m.since
				}
			}
			if under != e.InFlight || !oldest.Equal(e.Waiting) {
				t.Fatalf("at step %d: endpoint %d has %d, waiting since %v, and not %d, %v", step, at, e.InFlight, e.Waiting, under, oldest)
			}
		}
	}
}

func TestFlight_does_not_allocate(t *testing.T) {
	e := &Endpoint{}
	var f, g Flight
	assert.Zero(t, testing.AllocsPerRun(100, func() {
		f.Begin(e, noon)
		g.Begin(e, noon)
		f.Head(noon)
		g.End()
		f.End()
	}))
}
