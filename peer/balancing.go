package peer

import (
	"errors"
	"fmt"
	"time"

	"github.com/ratmom/ratmom/peer/balance"
	"github.com/ratmom/ratmom/peer/health"
)

// WithPolicy sets how requests are spread over the endpoints of a peer. f is called once
// for each peer; nil is the default. Default: balance.PeakEWMA.
func WithPolicy(f func() Policy) Option {
	return func(o *options) error {
		if f == nil {
			return errors.New("peer: WithPolicy: there is no function")
		}
		o.policy = f
		return nil
	}
}

// SlowStart gives an endpoint that is new beside others, or was down, its share of the requests bit by bit, over so long:
// a tenth at once, all at the end. It stands around the policy of [WithPolicy], as balance.SlowStart does,
// which has more to set. Default: 0, which is all at once.
func SlowStart(d time.Duration) Option {
	return notNegative("SlowStart", d, func(o *options) { o.slow = d })
}

// Panic is the share of a peer's endpoints that must be up for health to be looked at, from 0 to 1: with fewer
// of each priority, all of the lowest are used, up or down. Below 0 is never: what is down is not used, and requests wait
// where all is. Default: 0, which is balance.DefaultPanic, a half.
func Panic(share float64) Option {
	return func(o *options) error {
		if !(share <= 1) {
			return fmt.Errorf("peer: Panic is %v: it must not be above 1", share)
		}
		o.among.Panic = share
		return nil
	}
}

// Zone is where the client stands: endpoints of that zone are preferred, as balance.Usable says.
// Default: none.
func Zone(name string) Option { return func(o *options) error { o.among.Zone = name; return nil } }

// ZoneSpare is how much more than its part an endpoint of the [Zone] can carry, at least 1: with 2, requests
// stay in the zone until less than half of it is up. Default: balance.DefaultSpare, which is 1.4.
func ZoneSpare(factor float64) Option {
	return func(o *options) error {
		if !(factor >= 1) {
			return fmt.Errorf("peer: ZoneSpare is %v: it must be at least 1", factor)
		}
		o.among.Spare = factor
		return nil
	}
}

// Outliers says when an endpoint is ejected whose requests fail more than those of the others, and for how
// long. Default: that of the zero value, as docs/balancing.md lists it.
func Outliers(p health.OutlierPolicy) Option {
	return func(o *options) error { o.outliers = p; return nil }
}

// spread is the policy of a new peer.
func (o *options) spread() Policy {
	p := o.policy()
	if p == nil {
		p = new(balance.PeakEWMA)
	}
	if o.slow > 0 {
		p = &balance.SlowStart{Policy: p, Window: o.slow}
	}
	return p
}
