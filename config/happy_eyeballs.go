package config

import (
	"time"

	"github.com/ratmom/ratmom/cgo"
)

// HappyEyeballsDelay sets how long the addresses of one IP version of a host are tried
// before those of the other are tried beside them (RFC 8305). 0 begins with both.
//
// Unit: milliseconds, rounded up. Default: 200 ms, libcurl's.
// CURLOPT_HAPPY_EYEBALLS_TIMEOUT_MS.
func HappyEyeballsDelay(d time.Duration) Option { return both(happyEyeballsDelay{d}) }

type happyEyeballsDelay struct{ time.Duration }

func (s happyEyeballsDelay) validate() error {
	return checkTime("HappyEyeballsDelay", s.Duration, maxFineTime)
}

func (s happyEyeballsDelay) encode(o *cgo.Options) {
	o.Long(cgo.OptHappyEyeballsTimeoutMS, cgo.Millis(s.Duration))
}
