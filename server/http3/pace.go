package http3

import "time"

// pace judges how quickly a client takes an answer. Only the time in which a write waited counts, in windows of
// the grace. It knows no clock.
type pace struct {
	rate   int // bytes per second
	grace  time.Duration
	waited time.Duration
	taken  int64
}

// left is how long a write of n bytes may wait.
func (p *pace) left(n int) time.Duration {
	return max(p.grace, p.timeFor(p.taken+int64(n))) - p.waited
}

// took counts a write that has ended.
func (p *pace) took(n int, waited time.Duration) {
	p.waited += waited
	p.taken += int64(n)
	if p.waited >= p.grace && p.timeFor(p.taken) >= p.waited {
		p.waited, p.taken = 0, 0
	}
	// What was taken quickly earns no more than one grace.
	p.taken = min(p.taken, int64(float64(p.rate)*p.grace.Seconds()))
}

func (p *pace) timeFor(n int64) time.Duration {
	return time.Duration(float64(n) / float64(p.rate) * float64(time.Second))
}
