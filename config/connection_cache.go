package config

import (
	"math"

	"github.com/ratmom/ratmom/cgo"
)

// ConnectionCacheSize bounds how many connections the client keeps; one more
// closes an idle one: that which was idle longest, unless there are more than 64 to one
// server over HTTP/1.1, which are in several of libcurl's pools. 0 keeps none: each request makes a
// connection and closes it.
//
// Default: four times the number of requests under way, libcurl's. With several
// [Agents] each gets its part, rounded down, and at least 1. CURLMOPT_MAXCONNECTS; for 0
// CURLOPT_FORBID_REUSE, since libcurl's 0 is its default.
func ConnectionCacheSize(n int) ClientOption { return forClient(connectionCacheSize(n)) }

// ConnectionCacheLimit returns the value of [ConnectionCacheSize], and whether it
// is set.
func (c *ClientConfig) ConnectionCacheLimit() (int, bool) {
	s, ok := lookupClient[connectionCacheSize](c)
	return int(s), ok
}

type connectionCacheSize int

func (s connectionCacheSize) validate() error {
	return checkRange("ConnectionCacheSize", int(s), 0, math.MaxInt32)
}

func (s connectionCacheSize) encode(o *cgo.Options) {
	if s == 0 {
		o.Long(cgo.OptForbidReuse, 1)
	}
}

func (s connectionCacheSize) encodeMulti(o *cgo.MultiOptions, c *ClientConfig) {
	encodeShare(o, cgo.MultiOptMaxConnects, int(s), c.AgentCount())
}
