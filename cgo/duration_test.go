package cgo

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestDurations_round_up_and_stay_in_range(t *testing.T) {
	for d, want := range map[time.Duration]int64{
		-1:                                 0,
		0:                                  0,
		1:                                  1,
		time.Millisecond:                   1,
		time.Millisecond + 1:               2,
		time.Second:                        1000,
		math.MaxInt32 * time.Millisecond:   math.MaxInt32,
		math.MaxInt32*time.Millisecond + 1: math.MaxInt32,
		math.MaxInt64:                      math.MaxInt32,
	} {
		assert.Equal(t, want, Millis(d), "%v", d)
	}
	assert.Equal(t, int64(1), Seconds(1))
	assert.Equal(t, int64(2), Seconds(time.Second+1))
	assert.Equal(t, int64(math.MaxInt32), Seconds(math.MaxInt64))
}
