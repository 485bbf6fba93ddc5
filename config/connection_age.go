package config

import (
	"math"
	"time"

	"github.com/ratmom/ratmom/cgo"
)

// IdleConnectionAge sets how long a connection may have been idle to be used
// again; an older one is closed when a request would have taken it.
//
// Unit: seconds, rounded up. Default: 118 s, libcurl's. 0 means no limit.
// CURLOPT_MAXAGE_CONN. Of connections to one server over HTTP/1.1, those beyond some 64 close
// when none of such a group of 64 has been used for a minute, whatever d is.
func IdleConnectionAge(d time.Duration) ClientOption { return forClient(idleConnectionAge{d}) }

// IdleConnectionAge returns the value of the option of that name, and whether it
// is set.
func (c *ClientConfig) IdleConnectionAge() (time.Duration, bool) {
	s, ok := lookupClient[idleConnectionAge](c)
	return s.Duration, ok
}

type idleConnectionAge struct{ time.Duration }

func (s idleConnectionAge) validate() error {
	return checkTime("IdleConnectionAge", s.Duration, maxCoarseTime)
}

func (s idleConnectionAge) encode(o *cgo.Options) {
	n := cgo.Seconds(s.Duration)
	if n == 0 {
		n = math.MaxInt32 // libcurl's 0 is no time at all
	}
	o.Long(cgo.OptMaxAgeConn, n)
}

// ConnectionLifetime sets how long after it was made a connection may be used
// again, busy or not: for servers behind a name whose addresses change.
//
// Unit: seconds, rounded up. Default: no limit. 0 means no limit.
// CURLOPT_MAXLIFETIME_CONN.
func ConnectionLifetime(d time.Duration) ClientOption { return forClient(connectionLifetime{d}) }

type connectionLifetime struct{ time.Duration }

func (s connectionLifetime) validate() error {
	return checkTime("ConnectionLifetime", s.Duration, maxCoarseTime)
}

func (s connectionLifetime) encode(o *cgo.Options) {
	if s.Duration > 0 {
		o.Long(cgo.OptMaxLifetimeConn, cgo.Seconds(s.Duration))
	}
}
