package grid

import (
	"errors"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestPause_grows_up_to_its_bound_whatever_that_is(t *testing.T) {
	for _, c := range []struct {
		least, most time.Duration
		failures    int
		bound       time.Duration
	}{
		{50 * time.Millisecond, 5 * time.Second, 0, 0},
		{50 * time.Millisecond, 5 * time.Second, 1, 50 * time.Millisecond},
		{50 * time.Millisecond, 5 * time.Second, 4, 400 * time.Millisecond},
		{50 * time.Millisecond, 5 * time.Second, 1000, 5 * time.Second},
		{10 * time.Hour, math.MaxInt64 - 1, 10, 10 * time.Hour << 9},
		{10 * time.Hour, math.MaxInt64 - 1, 100, math.MaxInt64 - 1},
		{time.Second, time.Millisecond, 3, time.Millisecond},
	} {
		m := &Manager{timing: Timing{RetryMin: c.least, RetryMax: c.most}}
		for range 200 {
			d := m.pause(c.failures)
			assert.LessOrEqual(t, d, c.bound)
			assert.GreaterOrEqual(t, d, time.Duration(0))
		}
	}
}

func TestError_is_no_nil_error(t *testing.T) {
	var none *Error
	assert.NotErrorIs(t, &Error{Code: Internal}, none)
	assert.True(t, errors.Is(&Error{Code: Internal}, ErrInternal))
}
