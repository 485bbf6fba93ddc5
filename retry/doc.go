// Package retry is the one rule by which this module repeats requests: which failures
// allow it, for which requests, how soon, how often, and within which share of the
// traffic. The client and the peers ask it; it knows neither. It has no clock, no
// goroutine and no connection: the time is given to it.
//
//   - A [Class] says how a try has ended.
//   - A [Policy] says what is repeated, and when. Its zero value has defaults for all.
//   - A [Run] is one request under its policy: [Run.Next] decides.
//   - A [Budget] holds all requests together, so that an outage is not multiplied.
//   - A [Hedge] is a second try beside a slow one; [Latency] knows what is slow.
//   - A [Reuse] says which requests may ride an old connection.
//
// A request that may have been processed is never repeated, unless its method is
// idempotent (RFC 9110, section 9.2.2) or it has an Idempotency-Key.
package retry
