package balance

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestSlowStart_follows_its_timeline(t *testing.T) {
	for name, c := range map[string]struct {
		p    SlowStart
		want map[time.Duration]float64
	}{
		"by default": {SlowStart{}, map[time.Duration]float64{
			-time.Second: .2, 0: .2, 3 * time.Second: .2, 6 * time.Second: .4, 15 * time.Second: 1,
			27 * time.Second: 1.8, 30 * time.Second: 2, time.Hour: 2,
		}},
		"steeper at first": {SlowStart{Window: 100 * time.Second, Aggression: 2}, map[time.Duration]float64{
			0: .2, 25 * time.Second: 1, 64 * time.Second: 1.6, 100 * time.Second: 2,
		}},
		"with another floor": {SlowStart{Window: 10 * time.Second, Floor: .5}, map[time.Duration]float64{
			0: 1, 5 * time.Second: 1, 6 * time.Second: 1.2,
		}},
		"with all at once": {SlowStart{Floor: 3}, map[time.Duration]float64{0: 2}},
	} {
		t.Run(name, func(t *testing.T) {
			e := &Endpoint{Weight: 2, Since: noon}
			for after, want := range c.want {
				c.p.Pick([]*Endpoint{e}, "", noon.Add(after))
				assert.InDelta(t, want, e.share(), 1e-9, "after %v", after)
			}
			e.Since = time.Time{}
			c.p.Pick([]*Endpoint{e}, "", noon)
			assert.InDelta(t, 2, e.share(), 0, "long in use")
		})
	}
}

func TestSlowStart_gives_a_new_endpoint_a_rising_share(t *testing.T) {
	p, eps := &SlowStart{Policy: new(RoundRobin)}, some(3)
	eps[2].Since = noon
	at := func(after time.Duration) int {
		n := 0
		for range 2100 {
			if p.Pick(eps, "", noon.Add(after)) == 2 {
				n++
			}
		}
		return n
	}
	assert.InDelta(t, 100, at(0), 1)               // 0.1 of 2.1
	assert.InDelta(t, 420, at(15*time.Second), 1)  // 0.5 of 2.5
	assert.InDelta(t, 700, at(300*time.Second), 1) // 1 of 3
}

// group is endpoints of one kind in the tests of Usable: how many, how many of them up.
type group struct {
	priority, size, up int
	zone               string
}

func groups(gs ...group) (all []*Endpoint) {
	for _, g := range gs {
		for i, e := range some(g.size) {
			e.Priority, e.Zone, e.Down = g.priority, g.zone, i >= g.up
			all = append(all, e)
		}
	}
	return all
}

func TestUsable_takes_what_is_up_unless_it_must_panic(t *testing.T) {
	for name, c := range map[string]struct {
		u        Usable
		groups   []group
		priority int
		size     int
		panics   bool
	}{
		"all":                        {Usable{}, []group{{0, 5, 5, ""}}, 0, 5, false},
		"those up":                   {Usable{}, []group{{0, 5, 3, ""}}, 0, 3, false},
		"just enough":                {Usable{}, []group{{0, 4, 2, ""}}, 0, 2, false},
		"too few":                    {Usable{}, []group{{0, 5, 2, ""}}, 0, 5, true},
		"none":                       {Usable{}, []group{{0, 5, 0, ""}}, 0, 5, true},
		"nobody":                     {Usable{}, nil, 0, 0, true},
		"another threshold":          {Usable{Panic: .1}, []group{{0, 10, 1, ""}}, 0, 1, false},
		"one below it":               {Usable{Panic: .11}, []group{{0, 10, 1, ""}}, 0, 10, true},
		"no panic":                   {Usable{Panic: -1}, []group{{0, 10, 1, ""}}, 0, 1, false},
		"no panic, none":             {Usable{Panic: -1}, []group{{0, 10, 0, ""}}, 0, 0, false},
		"the lower priority":         {Usable{}, []group{{20, 3, 3, ""}, {10, 2, 2, ""}}, 10, 2, false},
		"the next one":               {Usable{}, []group{{20, 3, 2, ""}, {10, 5, 2, ""}}, 20, 2, false},
		"the next but one":           {Usable{}, []group{{3, 3, 2, ""}, {2, 5, 2, ""}, {-1, 2, 0, ""}}, 3, 2, false},
		"none of them: the lowest":   {Usable{}, []group{{20, 3, 1, ""}, {10, 5, 2, ""}}, 10, 5, true},
		"no panic: one that is up":   {Usable{Panic: -1}, []group{{20, 3, 3, ""}, {10, 5, 1, ""}}, 10, 1, false},
		"no panic: the next that is": {Usable{Panic: -1}, []group{{20, 3, 1, ""}, {10, 5, 0, ""}}, 20, 1, false},
	} {
		t.Run(name, func(t *testing.T) {
			got, panics := c.u.Append(nil, groups(c.groups...))
			assert.Len(t, got, c.size)
			assert.Equal(t, c.panics, panics)
			for _, e := range got {
				assert.Equal(t, c.priority, e.Priority)
				assert.True(t, panics || !e.Down)
			}
		})
	}
}

func TestUsable_prefers_its_zone_as_long_as_that_can_carry_it(t *testing.T) {
	for name, c := range map[string]struct {
		u      Usable
		groups []group
		chance float64
		here   int
		there  int
	}{
		"all up":               {Usable{}, []group{{0, 4, 4, "a"}, {0, 8, 8, "b"}}, 1, 4, 8},
		"three quarters up":    {Usable{}, []group{{0, 4, 3, "a"}, {0, 8, 8, "b"}}, 1, 3, 8},
		"half up":              {Usable{}, []group{{0, 4, 2, "a"}, {0, 8, 8, "b"}}, .7, 2, 8},
		"half up, none spare":  {Usable{Spare: .1}, []group{{0, 4, 2, "a"}, {0, 8, 7, ""}}, .5, 2, 7},
		"none up":              {Usable{}, []group{{0, 4, 0, "a"}, {0, 8, 8, "b"}}, 0, 0, 8},
		"none here":            {Usable{}, []group{{0, 8, 8, "b"}}, 0, 0, 8},
		"none there":           {Usable{Panic: .1}, []group{{0, 4, 1, "a"}, {0, 2, 0, "b"}}, 1, 1, 0},
		"of another priority":  {Usable{}, []group{{1, 4, 4, "a"}, {0, 8, 8, "b"}}, 0, 0, 8},
		"panic knows no zones": {Usable{}, []group{{0, 4, 1, "a"}, {0, 4, 1, "b"}}, 1, 8, 0},
	} {
		t.Run(name, func(t *testing.T) {
			const n = 4000
			all, here := groups(c.groups...), 0
			c.u.Zone, c.u.Rand = "a", seeded(30)
			var buf []*Endpoint
			for range n {
				var panics bool
				buf, panics = c.u.Append(buf[:0], all)
				if panics || buf[0].Zone == "a" {
					here++
					assert.Len(t, buf, c.here)
				} else {
					assert.Len(t, buf, c.there)
				}
			}
			assertShares(t, []float64{c.chance}, []int{here}, n)
		})
	}
}

func TestUsable_does_not_allocate(t *testing.T) {
	all := groups(group{0, 50, 10, "a"}, group{1, 50, 50, "b"})
	u, buf := &Usable{Zone: "a"}, make([]*Endpoint, 0, 100)
	assert.Zero(t, testing.AllocsPerRun(100, func() { buf, _ = u.Append(buf[:0], all) }))
}
