package config

import "github.com/ratmom/ratmom/cgo"

// Agents gives the client n agents, each a goroutine with a libcurl of its own,
// to use more than one core. Requests are spread over them by origin, and in package
// peer the links of a peer one by one. The limits of the client hold for all agents
// together: [MaxConnections] below n makes them fewer.
//
// Range: 1 to 256. Default: 1.
func Agents(n int) ClientOption { return forClient(agents(n)) }

type agents int

func (s agents) validate() error { return checkRange("Agents", int(s), 1, 256) }

// AgentCount returns how many agents the client has: as many as asked for, and
// not more than it may have connections.
func (c *ClientConfig) AgentCount() int {
	n, ok := lookupClient[agents](c)
	if !ok {
		return 1
	}
	if most := c.MaxConnectionsLimit(); most > 0 && most < int(n) {
		return most
	}
	return int(n)
}

// LimitsPerHost reports whether connections to one host are limited. Then the
// requests of an origin must stay on one agent, for the limit to hold.
func (c *ClientConfig) LimitsPerHost() bool { return c.MaxConnectionsPerHostLimit() > 0 }

// encodeShare sets what each of n agents gets of a limit, at least 1; 0 is none.
func encodeShare(o *cgo.MultiOptions, opt cgo.MultiOpt, limit, n int) {
	if limit > 0 {
		o.Long(opt, int64(max(limit/n, 1)))
	}
}
