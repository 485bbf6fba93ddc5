package main

import "time"

// patience is the time that may be spent on waiting for quiet and on repeating
// noisy runs. Each run earns an equal share, and what one leaves others may use,
// so that a noisy beginning does not take it all.
type patience struct{ share, have time.Duration }

func newPatience(all time.Duration, runs int) *patience {
	return &patience{share: all / time.Duration(max(runs, 1))}
}

func (p *patience) earn()                 { p.have += p.share }
func (p *patience) left() time.Duration   { return max(p.have, 0) }
func (p *patience) spend(d time.Duration) { p.have -= d }
