package retry

import (
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func newBudget(t *testing.T, share float64, floor int, window time.Duration) *Budget {
	t.Helper()
	b, err := NewBudget(share, floor, window)
	require.NoError(t, err)
	return b
}

func TestBudget_is_a_share_with_a_floor(t *testing.T) {
	b := newBudget(t, 0.2, 3, 10*time.Second)
	spend := func() (n int) {
		for b.Withdraw(start) {
			n++
		}
		return n
	}
	assert.Equal(t, 3, spend(), "the floor")
	for range 15 {
		b.Deposit(start)
	}
	assert.Zero(t, spend(), "a fifth of 15 is no more than the floor")
	for range 85 {
		b.Deposit(start)
	}
	assert.Equal(t, 17, spend(), "20 of 100")
	s := b.Stats(start)
	assert.Equal(t, BudgetStats{Requests: 100, Repeats: 20, Refused: 3}, s)

	none := newBudget(t, 0.5, -1, time.Second)
	assert.False(t, none.Withdraw(start))
	none.Deposit(start)
	none.Deposit(start)
	assert.True(t, none.Withdraw(start))
	var unbounded *Budget
	unbounded.Deposit(start)
	assert.True(t, unbounded.Withdraw(start))
	assert.Zero(t, unbounded.Stats(start))
}

func TestBudget_forgets_what_has_left_its_window(t *testing.T) {
	b := newBudget(t, 0.5, -1, 10*time.Second)
	for range 10 {
		b.Deposit(start)
	}
	at := start.Add(5 * time.Second)
	for range 5 {
		require.True(t, b.Withdraw(at))
	}
	require.False(t, b.Withdraw(at))
	assert.Equal(t, 10, b.Stats(start.Add(9*time.Second)).Requests)
	assert.Equal(t, BudgetStats{Repeats: 5, Refused: 1}, b.Stats(start.Add(10*time.Second)), "the requests are old, the repeats are not")
	for range 10 {
		b.Deposit(start.Add(11 * time.Second))
	}
	assert.False(t, b.Withdraw(start.Add(14*time.Second)))
	assert.True(t, b.Withdraw(start.Add(15*time.Second)))
	b.Deposit(start) // a clock that went back
	assert.Equal(t, 11, b.Stats(start.Add(15*time.Second)).Requests)
	assert.Zero(t, b.Stats(start.Add(time.Hour)).Requests)
}

func TestBudget_refuses_what_is_out_of_range(t *testing.T) {
	for _, share := range []float64{-0.1, 101, nan()} {
		_, err := NewBudget(share, 0, 0)
		assert.ErrorContains(t, err, "a share of")
	}
	for _, window := range []time.Duration{-1, time.Millisecond, 25 * time.Hour} {
		_, err := NewBudget(0, 0, window)
		assert.ErrorContains(t, err, "a window of")
	}
}

func nan() float64 { var z float64; return z / z }

func TestBudget_holds_for_all_that_share_it(t *testing.T) {
	b := newBudget(t, 0.2, 1, time.Hour)
	var spent atomic.Int64
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 1000 {
				b.Deposit(start)
				for range 3 {
					if b.Withdraw(start) {
						spent.Add(1)
					}
				}
			}
		})
	}
	all.Wait()
	assert.EqualValues(t, 1600, spent.Load())
}

// Three minutes of traffic, the second of them an outage: what is
// sent to it is at most the budget's share more, in every window, and without a budget it
// is as often as there are tries.
func TestOutage_is_not_multiplied(t *testing.T) {
	const (
		perSecond = 50
		tries     = 4
		share     = 0.2
		floor     = 10
	)
	simulate := func(b *Budget) (requests, sent, worst, unsaved int) {
		p := Policy{Tries: tries, Base: 50 * time.Millisecond, Cap: time.Second}.Full()
		random := rand.New(rand.NewPCG(1, 2))
		type event struct {
			run *Run
			at  time.Time
		}
		down := func(at time.Time) bool {
			s := at.Sub(start)
			return s >= 60*time.Second && s < 120*time.Second
		}
		var queue []event
		seconds := map[int64]int{}
		for now := start; now.Before(start.Add(180 * time.Second)); now = now.Add(time.Second / perSecond) {
			r := Begin(&p, b, now)
			queue = append(queue, event{&r, now})
			later := queue[:0:0]
			for _, e := range queue {
				if e.at.After(now) {
					later = append(later, e)
					continue
				}
				e.run.Start(now)
				if e.run.Tries() == 1 && down(now) {
					requests++
				}
				// One of a thousand fails by itself.
				fails := random.IntN(1000) == 0
				if down(now) {
					sent++
					seconds[int64(now.Sub(start)/(10*time.Second))]++
					fails = true
				}
				if !fails {
					continue
				}
				if d := e.run.Next(get, Try{Class: Status, Status: 503, Now: now}); d.Repeat {
					later = append(later, event{e.run, now.Add(d.After)})
				} else if !down(now) {
					unsaved++
				}
			}
			queue = later
		}
		for _, n := range seconds {
			worst = max(worst, n)
		}
		return
	}
	requests, sent, worst, unsaved := simulate(newBudget(t, share, floor, 10*time.Second))
	assert.Equal(t, 60*perSecond, requests)
	assert.LessOrEqual(t, float64(sent), float64(requests)*(1+share)+floor)
	assert.LessOrEqual(t, float64(worst), 10*perSecond*(1+2*share), "in ten seconds that are no window of the budget's")
	assert.Greater(t, sent, requests, "what can be saved is tried")
	assert.Zero(t, unsaved, "a failure out of the outage is saved")

	_, sent, _, _ = simulate(nil)
	assert.Greater(t, float64(sent), 3.8*float64(requests), "without a budget every request is sent four times")
}
