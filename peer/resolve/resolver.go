package resolve

import (
	"cmp"
	"context"
	"math"
	"net/netip"
	"slices"
	"time"
)

// A Resolver finds the endpoints of a name.
//
// Resolve is safe for concurrent use. It returns when ctx ends. Its error is an [*Error]
// where the resolver can say what kind of failure it was.
type Resolver interface {
	Resolve(ctx context.Context, name Name) (Answer, error)
}

// A Func is a Resolver that is a function.
type Func func(ctx context.Context, name Name) (Answer, error)

// Resolve calls f.
func (f Func) Resolve(ctx context.Context, name Name) (Answer, error) { return f(ctx, name) }

// A Name is what is resolved. It can be compared, and be the key of a map.
type Name struct {
	// Scheme is that of the URL. "https" has HTTPS records asked for; it also
	// gives the port where Port has none: 80 for http, else 443.
	Scheme string
	// Host is a host name in ASCII, or an address: IPv4, IPv6 without brackets,
	// with a zone if need be. The dot at the end of an absolute name may be there
	// and says nothing: every name is absolute.
	Host string
	// Port is that of the endpoints unless a record names another; 0 is that of
	// the scheme.
	Port uint16
	// Service has SRV records asked for: "_matrix-fed._tcp". Of several, with
	// spaces between, the first that has records is taken. Without any record,
	// the addresses of Host are the endpoints.
	Service string
}

// port is the port where no record names one.
func (n Name) port() uint16 {
	switch {
	case n.Port != 0:
		return n.Port
	case n.Scheme == "http":
		return 80
	}
	return 443
}

// An Answer is the endpoints of a name, at least one.
type Answer struct {
	// Endpoints are sorted: by priority, then by address. [Answer.Order] gives an
	// order to try them in.
	Endpoints []Endpoint
	// TTL is how long the answer may be used; 0 is for this once, and [Forever]
	// without end.
	TTL time.Duration
	// Stale is true for an answer whose time is over, given because no new one
	// could be had.
	Stale bool
	// Authority, "host" or "host:port", is what a delegation has named instead:
	// for the Host field, the name in TLS and its certificate. It is empty where
	// the name that was asked for stays in place.
	Authority string
}

// Forever is the TTL of an answer that does not change.
const Forever time.Duration = math.MaxInt64

// An Endpoint is an address that stands for a name.
type Endpoint struct {
	// Addr is the address with its port. IPv4 is IPv4, never mapped to IPv6.
	Addr netip.AddrPort
	// Priority orders endpoints: all of a lower number are tried before those of
	// a higher (RFC 2782, RFC 9460).
	Priority uint16
	// Weight is the share of an endpoint among those of its priority. What has 0
	// is taken hardly ever beside others, as RFC 2782 has it. An address of its own
	// has 1; the addresses of an SRV record's host share the record's weight.
	Weight float64
	// Zone is where the endpoint stands, by whatever names the caller gives
	// zones; DNS knows none.
	Zone string
	// Target is the host name whose address this is; empty for a literal.
	Target string
	// ALPN is what the endpoint speaks, by an HTTPS record, in the record's
	// order; nil if nothing is known.
	ALPN []string
	// ECH is the ECHConfigList of an HTTPS record, one for all of its addresses.
	ECH []byte
}

// Order gives the endpoints in an order to try them in: by priority, and within
// one drawn by weight after RFC 2782. random gives a number in [0, 1), as
// [math/rand/v2.Float64] does.
func (a Answer) Order(random func() float64) []Endpoint {
	out := slices.Clone(a.Endpoints)
	slices.SortStableFunc(out, func(x, y Endpoint) int { return cmp.Compare(x.Priority, y.Priority) })
	for start := 0; start < len(out); {
		end := start + 1
		for end < len(out) && out[end].Priority == out[start].Priority {
			end++
		}
		draw(out[start:end], random)
		start = end
	}
	return out
}

// draw brings endpoints of one priority into an order drawn by weight. One of
// weight 0 has a ten thousandth of what all others have (RFC 2782: "a very small
// chance").
func draw(eps []Endpoint, random func() float64) {
	for ; len(eps) > 1; eps = eps[1:] {
		total := 0.0
		for _, e := range eps {
			total += e.Weight
		}
		share := func(e Endpoint) float64 {
			switch {
			case total == 0:
				return 1
			case e.Weight == 0:
				return total / 10_000
			}
			return e.Weight
		}
		sum := 0.0
		for _, e := range eps {
			sum += share(e)
		}
		picked := len(eps) - 1
		for at, i := random()*sum, 0; i < len(eps); i++ {
			if at -= share(eps[i]); at < 0 {
				picked = i
				break
			}
		}
		chosen := eps[picked]
		copy(eps[1:picked+1], eps[:picked])
		eps[0] = chosen
	}
}

// MaxEndpoints is how many endpoints an answer has at most; what a record set
// names beyond that, the last by priority and address, is left out.
const MaxEndpoints = 64

// newAnswer sorts the endpoints, keeps the first of those with equal addresses,
// and cuts what is too much.
func newAnswer(eps []Endpoint, ttl time.Duration) Answer {
	for i, e := range eps {
		eps[i].Addr = netip.AddrPortFrom(e.Addr.Addr().Unmap(), e.Addr.Port())
	}
	slices.SortStableFunc(eps, func(a, b Endpoint) int {
		return cmp.Or(cmp.Compare(a.Priority, b.Priority), a.Addr.Compare(b.Addr))
	})
	seen := make(map[netip.AddrPort]bool, len(eps))
	kept := eps[:0]
	for _, e := range eps {
		if seen[e.Addr] || len(kept) == MaxEndpoints {
			continue
		}
		seen[e.Addr] = true
		kept = append(kept, e)
	}
	return Answer{Endpoints: slices.Clip(kept), TTL: ttl}
}
