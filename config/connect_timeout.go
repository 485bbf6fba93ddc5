package config

import (
	"math"
	"time"

	"github.com/ratmom/ratmom/cgo"
)

// ConnectTimeout limits the time to get a connection: name resolution, TCP, the
// proxy's answer, TLS. It does not run for a request that uses a connection that
// is there already.
//
// Unit: milliseconds, rounded up; at most 24 days. Default: 300 s, libcurl's. 0
// means no limit of its own. CURLOPT_CONNECTTIMEOUT_MS.
func ConnectTimeout(d time.Duration) Option { return both(connectTimeout{d}) }

const defaultConnectTimeout = 300 * time.Second // libcurl's

// ConnectTimeout returns the value of the option of that name; 0 if it is not set or
// there is no limit.
func (r *RequestConfig) ConnectTimeout() time.Duration {
	s, _ := lookup[connectTimeout](r)
	return s.Duration
}

type connectTimeout struct{ time.Duration }

func (s connectTimeout) validate() error {
	return checkTime("ConnectTimeout", s.Duration, maxFineTime)
}

func (s connectTimeout) encode(o *cgo.Options) {
	ms := cgo.Millis(s.Duration)
	if ms == 0 {
		ms = math.MaxInt32 // libcurl's 0 is its default of 300 s
	}
	o.Long(cgo.OptConnectTimeoutMS, ms)
}
