package health

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var errSick = errors.New("sick")

// patients are endpoints that a probe finds well or sick.
type patients struct {
	mu   sync.Mutex
	sick map[string]bool
	seen []string // what happened, with the seconds since the beginning
	from time.Time
}

func newPatients() *patients { return &patients{sick: map[string]bool{}, from: time.Now()} }

func (p *patients) note(format string, a ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.seen = append(p.seen, fmt.Sprintf("%v ", time.Since(p.from))+fmt.Sprintf(format, a...))
}

func (p *patients) set(address string, sick bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sick[address] = sick
}

func (p *patients) Probe(_ context.Context, address string) error {
	p.note("probe %s", address)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.sick[address] {
		return errSick
	}
	return nil
}

func (p *patients) changed(c Change) { p.note("%s is %v: %v", c.Address, c.State, c.Err) }

func (p *patients) take() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	seen := p.seen
	p.seen = nil
	return seen
}

func TestChecker_follows_the_timeline_of_its_endpoints(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPatients()
		c := NewChecker(CheckerConfig{Probe: p, Policy: CheckPolicy{Jitter: -1}, Changed: p.changed})
		defer c.Close()
		c.Add(1, "a")
		time.Sleep(2 * time.Second)
		c.Add(1, "a") // is there already
		time.Sleep(3500 * time.Millisecond)
		assert.Equal(t, []string{"0s probe a", "0s a is up: <nil>", "5s probe a"}, p.take())

		p.set("a", true)
		time.Sleep(7 * time.Second) // 12.5 s
		assert.Equal(t, []string{"10s probe a", "11s probe a", "12s probe a", "12s a is down: sick"}, p.take())
		state, err := c.State(1)
		assert.Equal(t, Down, state)
		assert.Equal(t, errSick, err)

		p.set("a", false)
		time.Sleep(6 * time.Second) // 18.5 s
		assert.Equal(t, []string{"17s probe a", "18s probe a", "18s a is up: <nil>"}, p.take())

		c.Suspect(1)
		c.Suspect(7) // a stranger
		time.Sleep(time.Second)
		synctest.Wait()
		assert.Equal(t, []string{"19.5s probe a"}, p.take())

		c.Add(1, "b") // another address
		time.Sleep(time.Second)
		assert.Equal(t, []string{"19.5s probe b", "19.5s b is up: <nil>"}, p.take())

		c.Remove(1)
		c.Remove(1)
		time.Sleep(time.Minute)
		assert.Empty(t, p.take())
		state, err = c.State(1)
		assert.Equal(t, Unknown, state)
		assert.NoError(t, err)
	})
}

func TestChecker_runs_no_more_checks_at_once_than_it_has_workers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var running, most, done atomic.Int64
		c := NewChecker(CheckerConfig{
			Workers: 3, Policy: CheckPolicy{Interval: time.Hour, Timeout: 10 * time.Second},
			Probe: ProbeFunc(func(ctx context.Context, _ string) error {
				if n := running.Add(1); n > most.Load() {
					most.Store(n)
				}
				defer running.Add(-1)
				<-ctx.Done() // hangs
				done.Add(1)
				return ctx.Err()
			}),
		})
		for id := range uint64(9) {
			c.Add(id, fmt.Sprint(id))
		}
		time.Sleep(31 * time.Second)
		assert.Equal(t, int64(9), done.Load(), "three times three, ten seconds each")
		assert.Equal(t, int64(3), most.Load())
		for id := range uint64(9) {
			state, err := c.State(id)
			assert.Equal(t, Down, state)
			assert.ErrorIs(t, err, context.DeadlineExceeded)
		}
		c.Close()
	})
}

func TestChecker_ends_what_runs_when_it_is_closed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var ended atomic.Int64
		c := NewChecker(CheckerConfig{
			Probe: ProbeFunc(func(ctx context.Context, _ string) error {
				<-ctx.Done()
				ended.Add(1)
				return ctx.Err()
			}),
			Changed: func(Change) { t.Error("an end is no verdict") },
		})
		c.Add(1, "a")
		c.Add(2, "b")
		synctest.Wait()
		c.Remove(2)
		synctest.Wait()
		assert.Equal(t, int64(1), ended.Load(), "what is removed ends at once")
		from := time.Now()
		c.Close()
		c.Close()
		assert.Zero(t, time.Since(from))
		assert.Equal(t, int64(2), ended.Load())
		c.Add(3, "c") // nothing any more
		c.Suspect(1)
		synctest.Wait()
	})
}

func TestChecker_tells_the_changes_of_one_endpoint_in_their_order(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPatients()
		c := NewChecker(CheckerConfig{
			Probe: p, Policy: CheckPolicy{Jitter: -1, Fall: 1, Rise: 1},
			Changed: func(change Change) {
				time.Sleep(20 * time.Second) // longer than to the next check
				p.changed(change)
			},
		})
		c.Add(1, "a")
		time.Sleep(time.Second)
		c.Suspect(1) // its check is still being told of
		p.set("a", true)
		time.Sleep(50 * time.Second)
		assert.Equal(t, []string{"0s probe a", "20s a is up: <nil>", "20s probe a", "40s a is down: sick", "40s probe a", "45s probe a", "50s probe a"}, p.take())
		c.Close()
	})
}

func TestChecker_bears_functions_that_panic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := NewChecker(CheckerConfig{
			Probe:   ProbeFunc(func(context.Context, string) error { panic("oh") }),
			Changed: func(Change) { panic("no") },
		})
		defer c.Close()
		c.Add(1, "a")
		synctest.Wait()
		state, err := c.State(1)
		assert.Equal(t, Down, state)
		assert.EqualError(t, err, "health: the probe of a panicked: oh")
	})
}

func TestChecker_says_that_it_has_no_probe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := NewChecker(CheckerConfig{})
		defer c.Close()
		c.Add(1, "a")
		synctest.Wait()
		_, err := c.State(1)
		require.ErrorIs(t, err, errNoProbe)
	})
}
