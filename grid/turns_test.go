package grid

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestTurns_that_last_are_a_small_part_of_the_time(t *testing.T) {
	for lasts, most := range map[time.Duration]time.Duration{time.Microsecond: time.Minute, 2 * time.Millisecond: 3 * time.Second, 20 * time.Millisecond: 3 * time.Second} {
		var of turns
		var waited, now time.Duration
		for now < time.Minute {
			if of.short(int64(now)) {
				now += lasts
				waited += lasts
				of.took(int64(lasts), int64(now))
			}
			now += 10 * time.Microsecond
		}
		assert.LessOrEqual(t, waited, most, lasts)
		assert.Greater(t, waited, most/20, "they are tried again")
	}
}
