package config

import (
	"math"

	"github.com/ratmom/ratmom/cgo"
)

// MaxConnections bounds the connections of the client, those in use and those
// kept for reuse. Requests above it wait.
//
// Default: no limit. 0 means no limit. With several [Agents] each gets its part,
// rounded down. CURLMOPT_MAX_TOTAL_CONNECTIONS.
func MaxConnections(n int) ClientOption { return forClient(maxConnections(n)) }

// MaxConnectionsLimit returns the value of [MaxConnections]; 0 if there is no
// limit.
func (c *ClientConfig) MaxConnectionsLimit() int {
	s, _ := lookupClient[maxConnections](c)
	return int(s)
}

type maxConnections int

func (s maxConnections) validate() error {
	return checkRange("MaxConnections", int(s), 0, math.MaxInt32)
}

func (s maxConnections) encodeMulti(o *cgo.MultiOptions, c *ClientConfig) {
	encodeShare(o, cgo.MultiOptMaxTotalConnections, int(s), c.AgentCount())
}

// MaxConnectionsPerHost bounds the connections of the client to one host and
// port. Requests above it wait for a connection, or share one over HTTP/2.
//
// Default: no limit. 0 means no limit. With several [Agents] the requests of a
// host stay on one of them. CURLMOPT_MAX_HOST_CONNECTIONS.
func MaxConnectionsPerHost(n int) ClientOption { return forClient(maxConnectionsPerHost(n)) }

// MaxConnectionsPerHostLimit returns the value of [MaxConnectionsPerHost]; 0 if
// there is no limit.
func (c *ClientConfig) MaxConnectionsPerHostLimit() int {
	s, _ := lookupClient[maxConnectionsPerHost](c)
	return int(s)
}

type maxConnectionsPerHost int

func (s maxConnectionsPerHost) validate() error {
	return checkRange("MaxConnectionsPerHost", int(s), 0, math.MaxInt32)
}

func (s maxConnectionsPerHost) encodeMulti(o *cgo.MultiOptions, _ *ClientConfig) {
	encodeShare(o, cgo.MultiOptMaxHostConnections, int(s), 1)
}
