// Package balance chooses among the endpoints of a peer. A [Policy] looks at the
// [Endpoint] values that a scheduler keeps and says which one the next request
// goes to. It does no I/O, reads no clock and starts nothing.
//
//	var policy balance.PeakEWMA // the default: fastest of two at random
//	i := policy.Pick(usable, key, time.Now())
//
// The policies:
//
//   - [PeakEWMA]: least time to the head, times the requests under way. The default.
//   - [LeastRequests]: fewest requests under way.
//   - [RoundRobin]: in turn, by weight, evenly mixed.
//   - [Random]: by weight.
//   - [First]: the first one that may be used.
//   - [Hash]: the same endpoint for the same [Key], with bounded load.
//   - [CARP]: the same endpoint as Squid's carp, sourcehash and userhash.
//   - [Sticky]: the endpoint that a cookie names.
//
// [SlowStart] stands around any of them and gives a new endpoint little at first.
// [Usable] stands before them: of all endpoints it takes those that may be picked from,
// by health, priority and zone.
//
// Every number has its formula and its source in docs/balancing.md.
//
// # Goroutines
//
// Nothing here has a lock. Endpoints and the policy that picks from them belong to one
// goroutine at a time: the scheduler's, or whoever holds its lock. A policy keeps some of
// its state in the endpoints, so an endpoint has one policy (with what stands around it).
package balance
