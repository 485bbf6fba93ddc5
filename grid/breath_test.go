package grid

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// Beside goroutines that hog the processors, a moment for others lasts for all their turns. It must not be in front
// of each small message.
func TestWriter_waits_for_others_no_more_for_a_while_where_that_took_long(t *testing.T) {
	var b breath
	now := int64(1)
	took := func(d time.Duration) {
		assert.True(t, b.take(now))
		now += int64(d)
		b.taken(now)
	}
	took(time.Microsecond)
	took(999 * time.Microsecond)

	took(40 * time.Millisecond)
	over := now + int64(64*40*time.Millisecond)
	for ; now < over; now += int64(10 * time.Millisecond) {
		assert.False(t, b.take(now))
	}
	now = over
	took(time.Microsecond)
	assert.True(t, b.take(now), "the others are gone")

	took(time.Hour)
	assert.False(t, b.take(now+int64(noBreathMost)-1))
	assert.True(t, b.take(now+int64(noBreathMost)))
}
