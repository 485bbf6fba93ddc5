package retry

import (
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// setBy is the same moment as a clock tells it that was set by d: its monotonic reading is what it was.
func setBy(t *testing.T, at time.Time, d time.Duration) time.Time {
	t.Helper()
	type stamp struct { // as package time has it, with a monotonic reading
		wall uint64 // a bit that there is one, 33 of seconds, 30 of nanoseconds
		ext  int64  // the reading
		loc  *time.Location
	}
	set := at
	s := (*stamp)(unsafe.Pointer(&set))
	s.wall += uint64(int64(d/time.Second)) << 30
	require.Zero(t, set.Sub(at), "by the monotonic readings no time has passed")
	require.Equal(t, d, set.Round(0).Sub(at.Round(0)), "by the clock on the wall it has")
	return set
}

func TestBudget_does_not_mind_that_the_clock_is_set(t *testing.T) {
	for _, by := range []time.Duration{-24 * time.Hour, -time.Second, time.Second, 24 * time.Hour} {
		t.Run(by.String(), func(t *testing.T) {
			b := newBudget(t, 0.5, -1, 10*time.Second)
			now := time.Now() // synctest's have no monotonic reading
			for range 10 {
				b.Deposit(now)
			}
			for range 5 {
				require.True(t, b.Withdraw(setBy(t, now, by)), "the requests still count")
			}
			require.False(t, b.Withdraw(setBy(t, now, by)))
			now = now.Add(9 * time.Second)
			assert.Equal(t, BudgetStats{Requests: 10, Repeats: 5, Refused: 1}, b.Stats(setBy(t, now, by)))
			now = now.Add(time.Second)
			assert.Equal(t, BudgetStats{Refused: 1}, b.Stats(setBy(t, now, by)), "the window goes on as time does")
			b.Deposit(setBy(t, now, by))
			b.Deposit(now) // set right again
			assert.True(t, b.Withdraw(now))
		})
	}
}
