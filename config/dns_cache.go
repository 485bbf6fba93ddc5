package config

import (
	"time"

	"github.com/ratmom/ratmom/cgo"
)

// DNSCacheTimeout sets how long the addresses of a name are kept. 0 keeps none.
//
// Unit: seconds, rounded up. Default: 60 s, libcurl's. CURLOPT_DNS_CACHE_TIMEOUT.
func DNSCacheTimeout(d time.Duration) ClientOption { return forClient(dnsCacheTimeout{Duration: d}) }

// DNSCacheForever keeps the addresses of a name as long as the client lives.
// CURLOPT_DNS_CACHE_TIMEOUT -1.
func DNSCacheForever() ClientOption { return forClient(dnsCacheTimeout{forever: true}) }

type dnsCacheTimeout struct {
	time.Duration
	forever bool
}

func (s dnsCacheTimeout) validate() error {
	return checkTime("DNSCacheTimeout", s.Duration, maxCoarseTime)
}

func (s dnsCacheTimeout) encode(o *cgo.Options) {
	n := cgo.Seconds(s.Duration)
	if s.forever {
		n = -1
	}
	o.Long(cgo.OptDNSCacheTimeout, n)
}
