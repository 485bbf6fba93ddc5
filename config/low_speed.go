package config

import (
	"fmt"
	"math"
	"time"

	"github.com/ratmom/ratmom/cgo"
)

// LowSpeed ends a request that has moved fewer than bytesPerSecond bytes a second,
// in both directions together, for the time d. It does not run while the program
// is slow to read the body. An HTTP/2 connection on which nothing at all has come for d is given no new
// requests then (Linux).
//
// Units: bytes per second; seconds, rounded up. Default: off. LowSpeed(0, 0) is
// off; one of both alone is an error. CURLOPT_LOW_SPEED_LIMIT,
// CURLOPT_LOW_SPEED_TIME.
func LowSpeed(bytesPerSecond int64, d time.Duration) Option { return both(lowSpeed{bytesPerSecond, d}) }

type lowSpeed struct {
	bytesPerSecond int64
	d              time.Duration
}

func (s lowSpeed) String() string { return fmt.Sprintf("%d, %v", s.bytesPerSecond, s.d) }

func (s lowSpeed) validate() error {
	if err := checkRange("LowSpeed", s.bytesPerSecond, 0, math.MaxInt32); err != nil {
		return err
	}
	if err := checkTime("LowSpeed", s.d, maxCoarseTime); err != nil {
		return err
	}
	if (s.bytesPerSecond == 0) != (s.d == 0) {
		return invalid("LowSpeed", s, "needs both a speed and a time, or neither")
	}
	return nil
}

func (s lowSpeed) encode(o *cgo.Options) {
	if s.d > 0 {
		o.Long(cgo.OptLowSpeedLimit, s.bytesPerSecond)
		o.Long(cgo.OptLowSpeedTime, cgo.Seconds(s.d))
	}
}
