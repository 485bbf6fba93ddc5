package health

import (
	"math/rand/v2"
	"time"
)

// The defaults of CheckPolicy. Rise and fall are HAProxy's, the interval is that of
// nginx's health_check.
const (
	DefaultCheckInterval = 5 * time.Second
	DefaultFastInterval  = time.Second
	DefaultCheckTimeout  = 5 * time.Second
	DefaultRise          = 2
	DefaultFall          = 3
	DefaultCheckJitter   = 0.1
)

// CheckPolicy says how often an endpoint is checked and what follows from it. What is
// not positive is the default.
type CheckPolicy struct {
	Interval time.Duration // between checks; default 5 s
	Fast     time.Duration // between checks while the state may be about to change; default 1 s, never more than Interval
	Down     time.Duration // between checks of an endpoint that is down; default Interval
	Timeout  time.Duration // of a check; default 5 s
	Rise     int           // checks in a row that must succeed before it is up; default 2
	Fall     int           // that must fail before it is down; default 3

	// Jitter is the share of an interval that is added or taken away at random, so that
	// many checks do not fall together; default 0.1, at most 1. Below 0 is none.
	Jitter float64
}

// State is what checks say of an endpoint.
type State uint8

// The states.
const (
	Unknown State = iota // not checked yet; may be used
	Up
	Down
)

func (s State) String() string {
	switch s {
	case Up:
		return "up"
	case Down:
		return "down"
	default:
		return "unknown"
	}
}

// Check decides by results when an endpoint is up or down, and when it is checked next.
// The first result decides alone; after that, Fall in a row that failed take it down and
// Rise in a row that succeeded bring it back.
//
// It is checked fast while it is suspect: while results begin to speak against its state,
// and after [Check.Suspect].
type Check struct {
	Policy CheckPolicy

	// Rand is where jitter comes from; nil is the runtime's.
	Rand *rand.Rand

	state State
	row   int // results in a row that speak against the state
	next  time.Time
}

// State is the state now.
func (c *Check) State() State { return c.state }

// Next is when the next check is to begin; zero, until the first result, is at once.
func (c *Check) Next() time.Time { return c.next }

// Result takes the result of a check that ended now. It says whether the state changed.
func (c *Check) Result(ok bool, now time.Time) bool {
	was := c.state
	switch {
	case c.state == Unknown:
		c.turn(ok)
	case ok == (c.state == Up):
		c.row = 0
	default:
		c.row++
		needed := c.rise()
		if c.state == Up {
			needed = c.fall()
		}
		if c.row >= needed {
			c.turn(ok)
		}
	}
	c.next = now.Add(c.wait())
	return c.state != was
}

// Suspect says that requests to the endpoint failed: it is checked soon.
func (c *Check) Suspect(now time.Time) {
	if c.state == Down {
		return
	}
	if soon := now.Add(c.jittered(c.fast())); soon.Before(c.next) {
		c.next = soon
	}
}

func (c *Check) turn(up bool) {
	c.row = 0
	if c.state = Down; up {
		c.state = Up
	}
}

func (c *Check) wait() time.Duration {
	switch {
	case c.row > 0:
		return c.jittered(c.fast())
	case c.state == Down:
		return c.jittered(positive(c.Policy.Down, c.interval()))
	default:
		return c.jittered(c.interval())
	}
}

func (c *Check) interval() time.Duration { return positive(c.Policy.Interval, DefaultCheckInterval) }
func (c *Check) fast() time.Duration {
	return min(positive(c.Policy.Fast, DefaultFastInterval), c.interval())
}
func (c *Check) timeout() time.Duration { return positive(c.Policy.Timeout, DefaultCheckTimeout) }
func (c *Check) rise() int              { return max(count(c.Policy.Rise, DefaultRise), 1) }
func (c *Check) fall() int              { return max(count(c.Policy.Fall, DefaultFall), 1) }

func (c *Check) jittered(d time.Duration) time.Duration {
	j := min(share(c.Policy.Jitter, DefaultCheckJitter), 1)
	return max(d+time.Duration((2*float(c.Rand)-1)*j*float64(d)), time.Millisecond)
}
