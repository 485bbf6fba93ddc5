package http3

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// outlasts has a client take n bytes in each time, for a day, and tells how long it is let.
func outlasts(p *pace, n int, each time.Duration) time.Duration {
	for passed := time.Duration(0); ; passed += each {
		if left := p.left(n); each > left {
			return passed + left
		}
		if passed > 24*time.Hour {
			return passed
		}
		p.took(n, each)
	}
}

func TestPace_cuts_off_those_alone_that_are_slower_than_the_rate(t *testing.T) {
	for _, c := range []struct {
		name        string
		n           int
		each        time.Duration
		least, most time.Duration
	}{
		{"at the rate", 240, time.Second, 24 * time.Hour, 25 * time.Hour},
		{"twice as fast", 480, time.Second, 24 * time.Hour, 25 * time.Hour},
		{"in big pieces, a little above the rate", 16 << 10, 68 * time.Second, 24 * time.Hour, 25 * time.Hour},
		{"in big pieces, below the rate", 16 << 10, 75 * time.Second, time.Minute, 70 * time.Second},
		{"half as fast", 120, time.Second, time.Minute, 2 * time.Minute},
		{"not at all", 1, 100 * time.Hour, time.Minute, time.Minute},
	} {
		p := &pace{rate: 240, grace: time.Minute}
		got := outlasts(p, c.n, c.each)
		assert.GreaterOrEqual(t, got, c.least, c.name)
		assert.LessOrEqual(t, got, c.most, c.name)
	}
}

func TestPace_lets_nobody_rest_for_what_was_taken_quickly(t *testing.T) {
	p := &pace{rate: 240, grace: time.Minute}
	for range 100_000 {
		p.took(16<<10, 100*time.Microsecond)
	}
	assert.LessOrEqual(t, p.left(16<<10), 3*time.Minute)
}
