package config

import "math"

const defaultAbandonedLookups = 512

// MaxAbandonedLookups bounds the name look-ups that were given up, by a cancel or a
// time limit, and still run: each holds a thread until the system's resolver gives up,
// too. While there are n, requests that need a look-up fail at once with
// ErrNameResolution; those to addresses, to names in libcurl's cache or in [Resolve],
// and over connections that are there, do not.
//
// Default: 512. 0 means no bound. With several [Agents] each gets its part, rounded
// down. Linux only: elsewhere such look-ups cannot be counted.
// CURLOPT_RESOLVER_START_FUNCTION, CURLOPT_QUICK_EXIT.
func MaxAbandonedLookups(n int) ClientOption { return forClient(maxAbandonedLookups(n)) }

// MaxAbandonedLookupsLimit returns the value of [MaxAbandonedLookups]; 0 if there is no
// bound.
func (c *ClientConfig) MaxAbandonedLookupsLimit() int {
	if s, ok := lookupClient[maxAbandonedLookups](c); ok {
		return int(s)
	}
	return defaultAbandonedLookups
}

// maxLookups is the part of one agent.
func (c *ClientConfig) maxLookups() int {
	n := c.MaxAbandonedLookupsLimit()
	if n == 0 {
		return 0
	}
	return max(n/c.AgentCount(), 1)
}

type maxAbandonedLookups int

func (s maxAbandonedLookups) validate() error {
	return checkRange("MaxAbandonedLookups", int(s), 0, math.MaxInt32)
}
