package peer

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/ratmom/ratmom/config"
	"github.com/ratmom/ratmom/peer/balance"
	"github.com/ratmom/ratmom/peer/health"
	"github.com/ratmom/ratmom/retry"
)

// Option is an option of a map.
type Option func(*options) error

type options struct {
	limits   limits
	policy   func() Policy
	resolver Resolver
	requests []config.RequestOption
	perPeer  func(ID) []config.RequestOption
	profiles map[string][]config.RequestOption
	errorTTL map[health.Kind]health.TTL
	among    balance.Usable
	slow     time.Duration // of slow start; 0: there is none
	outliers health.OutlierPolicy
	check    *Check // nil: there is none
	each     func(ID) []Option
	budget   *retry.Budget
	breaker  health.Limits

	maxIdlePeers int
	forgetAfter  time.Duration
	checkWorkers int
}

func defaults() options {
	budget, _ := retry.NewBudget(0, 0, 0) // the defaults are in range
	return options{
		budget: budget, breaker: health.Limits{Links: -1, Pending: -1, Requests: -1, Retries: -1},
		limits: limits{
			minLinks: 1, maxLinks: 4, maxPins: 4096, maxStreams: 100, probeAfter: 16, maxQueue: 65536, maxAttempts: 8,
			idle: time.Minute, stealAfter: 250 * time.Millisecond, stallAfter: time.Second,
		},
		policy:   func() Policy { return new(balance.PeakEWMA) },
		resolver: System(),
		profiles: map[string][]config.RequestOption{},
		errorTTL: map[health.Kind]health.TTL{},

		maxIdlePeers: 4096, forgetAfter: time.Hour, checkWorkers: maxLookups,
	}
}

func atLeast(name string, n, least int, set func(*options)) Option {
	return func(o *options) error {
		if n < least {
			return fmt.Errorf("peer: %s is %d: it must be at least %d", name, n, least)
		}
		set(o)
		return nil
	}
}

func notNegative(name string, d time.Duration, set func(*options)) Option {
	return func(o *options) error {
		if d < 0 {
			return fmt.Errorf("peer: %s is %v: it must not be negative", name, d)
		}
		set(o)
		return nil
	}
}

// MaxLinks is how many connections a peer has to one of its endpoints at the most;
// pinned ones do not count. Requests beyond wait. Default: 4.
func MaxLinks(n int) Option {
	return atLeast("MaxLinks", n, 1, func(o *options) { o.limits.maxLinks = n })
}

// MinLinks is how many connections to an endpoint stay open though nothing runs on them.
// Default: 1. See [IdleTimeout], and [Standby] for those that are made ahead of demand.
func MinLinks(n int) Option {
	return atLeast("MinLinks", n, 0, func(o *options) { o.limits.minLinks = n })
}

// MaxPins is how many connections of one peer can be pinned. Default: 4096.
func MaxPins(n int) Option {
	return atLeast("MaxPins", n, 0, func(o *options) { o.limits.maxPins = n })
}

// MaxStreams is how many requests a connection carries at once over HTTP/2. The server's
// own limit counts if it is lower. Default: 100.
func MaxStreams(n int) Option {
	return atLeast("MaxStreams", n, 1, func(o *options) { o.limits.maxStreams = n })
}

// MaxIdlePeers is how many peers a map remembers that have neither connections nor requests nor pins. When
// there are more, those are forgotten, as new ones come, that have been idle for the longest: what was learned of
// them, and how they failed. A *Peer that is held stays that of its identity. Default: 4096.
func MaxIdlePeers(n int) Option {
	return atLeast("MaxIdlePeers", n, 0, func(o *options) { o.maxIdlePeers = n })
}

// ForgetAfter is how long a peer is remembered that has neither connections nor requests nor pins;
// it is forgotten when new ones come, unless it is left alone for a failure. Default: one hour; 0 is
// for ever, up to [MaxIdlePeers].
func ForgetAfter(d time.Duration) Option {
	return notNegative("ForgetAfter", d, func(o *options) { o.forgetAfter = d })
}

// MaxQueue is how many requests can wait for a connection to a peer, and on one pin; the next one
// fails with [ErrQueueFull]. Default: 65536.
func MaxQueue(n int) Option {
	return atLeast("MaxQueue", n, 0, func(o *options) { o.limits.maxQueue = n })
}

// MaxRequestsPerLink is how many requests a connection carries in its life. Default: 0,
// which is any number. It does not count for pinned connections.
func MaxRequestsPerLink(n int) Option {
	return atLeast("MaxRequestsPerLink", n, 0, func(o *options) { o.limits.maxRequests = n })
}

// MaxLinkAge is how long after its making a connection takes requests; those that run
// end in peace. Default: 0, which is for ever. It does not count for pinned connections.
func MaxLinkAge(d time.Duration) Option {
	return notNegative("MaxLinkAge", d, func(o *options) { o.limits.maxAge = d })
}

// IdleTimeout is how long a connection stays open that nothing runs on, if there are more
// than [MinLinks]. Default: one minute; 0 is for ever. libcurl uses none
// again that has been idle for longer than config.MaxIdleTime says.
func IdleTimeout(d time.Duration) Option {
	return notNegative("IdleTimeout", d, func(o *options) { o.limits.idle = d })
}

// StealAfter is the time for which a connection can be in the making before its request
// is given to another that has become free; the one in the making is dropped
// then. Default: 250 ms.
func StealAfter(d time.Duration) Option {
	return notNegative("StealAfter", d, func(o *options) { o.limits.stealAfter = d })
}

// StallAfter is the time for which a connection can be in the making before its request
// is put on another endpoint that has room. Default: one second; 0 is never.
func StallAfter(d time.Duration) Option {
	return notNegative("StallAfter", d, func(o *options) { o.limits.stallAfter = d })
}

// ErrorTTL is how long a peer is left alone that has failed in this way; see [Map.ClearError].
// Default: health.DefaultTTL of the kind; the zero value is not at all.
func ErrorTTL(kind health.Kind, ttl health.TTL) Option {
	return func(o *options) error { o.errorTTL[kind] = ttl; return nil }
}

// WithResolver sets how the addresses of peers are found. It is not asked for peers behind
// a proxy, which looks names up itself. Default: [System]; [Names] has those of package resolve.
func WithResolver(r Resolver) Option {
	return func(o *options) error {
		if r == nil {
			return errors.New("peer: WithResolver: there is no resolver")
		}
		o.resolver = r
		return nil
	}
}

// Requests sets options of all requests, over those of the client. Those for redirects, cookies,
// decompression, progress and limits of bodies have no effect here. With those that say where to
// connect, such as config.ConnectTo, or the server's name in TLS, no resolver is asked.
func Requests(opts ...config.RequestOption) Option {
	return func(o *options) error { o.requests = append(o.requests, opts...); return nil }
}

// EachPeer sets options of one peer, over those of the map: f returns them, and is called once for
// each peer, without its Proxy; it must not block. An error of theirs is that of the peer's requests. [MaxIdlePeers],
// [ForgetAfter], [RetryBudget], [CheckWorkers] and EachPeer itself are the map's alone and have no effect there.
func EachPeer(f func(ID) []Option) Option {
	return func(o *options) error { o.each = f; return nil }
}

// forPeer are the options of one peer.
func (o options) forPeer(id ID) (options, error) {
	if o.each == nil {
		return o, nil
	}
	o.errorTTL, o.profiles = maps.Clone(o.errorTTL), maps.Clone(o.profiles)
	o.requests = slices.Clip(o.requests)
	for _, option := range o.each(id) {
		if option == nil {
			continue
		}
		if err := option(&o); err != nil {
			return o, err
		}
	}
	return o, nil
}

// ForPeer sets options of the requests to a peer, over all others: its credentials, for
// one. With config.AnyAuth, say, a 401 or 407 is answered by sending the request again on the same
// connection; if that does not help, the caller gets it. f is called once for each
// peer, without its Proxy, and must not block.
func ForPeer(f func(ID) []config.RequestOption) Option {
	return func(o *options) error { o.perPeer = f; return nil }
}

// Profile names options that requests can ask for with [WithProfile], over those of
// [Requests]: a client certificate, say. Peers of different profiles share no
// connection. [Map.GetProfile] has the peer of one.
func Profile(name string, opts ...config.RequestOption) Option {
	return func(o *options) error {
		if name == "" {
			return fmt.Errorf("peer: a profile has no name")
		}
		o.profiles[name] = opts
		return nil
	}
}
