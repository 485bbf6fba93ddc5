package peer

import (
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/ratmom/ratmom/peer/resolve"
)

// Names is a resolver of package resolve as one of peers. service is for SRV records, such as
// "_matrix-fed._tcp"; empty asks for none. The authority that a
// delegation names is that of the addresses ([Address]). The port that is the scheme's own is not told to r:
// "https://example.org" and "https://example.org:443" are one peer, and resolve.WellKnown delegates it.
func Names(r resolve.Resolver, service string) Resolver { return names{r, service} }

type names struct {
	r       resolve.Resolver
	service string
}

// hardly is the weight of an address that is to be taken hardly ever (RFC 2782).
const hardly = 1e-4

func (n names) Resolve(ctx context.Context, scheme, host, port string) ([]Address, time.Duration, error) {
	p, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return nil, 0, err
	}
	if port == schemePorts[scheme] {
		p = 0
	}
	answer, err := n.r.Resolve(ctx, resolve.Name{Scheme: scheme, Host: host, Port: uint16(p), Service: n.service})
	if err != nil {
		return nil, 0, err
	}
	addrs := make([]Address, 0, len(answer.Endpoints))
	for _, e := range answer.Endpoints {
		a := Address{Addr: e.Addr.String(), Priority: int(e.Priority), Weight: e.Weight, Zone: e.Zone, Authority: answer.Authority}
		if a.Weight == 0 {
			a.Weight = hardly
		}
		a.HTTP2 = scheme == "https" && slices.Contains(e.ALPN, "h2")
		addrs = append(addrs, a)
	}
	switch answer.TTL {
	case resolve.Forever:
		return addrs, 0, nil
	case 0:
		return addrs, minTTL, nil
	}
	return addrs, answer.TTL, nil
}
