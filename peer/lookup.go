package peer

import (
	"context"
	"net"
	"net/netip"
	"time"
)

// systemTTL is how long an answer of the system's is used, which names no time.
const systemTTL = time.Minute

// System is the resolver that takes addresses as they are and asks the system for
// those of names, which are used for a minute. An IPv6 address with a zone is left to
// libcurl.
func System() Resolver { return system{} }

type system struct{}

func (system) Resolve(ctx context.Context, _, host, port string) ([]Address, time.Duration, error) {
	if addrs, ok := literal(host, port); ok {
		return addrs, 0, nil
	}
	ips, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return nil, 0, err
	}
	addrs := make([]Address, 0, len(ips))
	for _, ip := range ips {
		addrs = append(addrs, Address{Addr: net.JoinHostPort(ip.Unmap().String(), port)})
	}
	return addrs, systemTTL, nil
}

// literal is the answer for a host that is an address.
func literal(host, port string) ([]Address, bool) {
	ip, err := netip.ParseAddr(host)
	if err != nil {
		return nil, false
	}
	if ip.Zone() != "" {
		return []Address{{}}, true
	}
	return []Address{{Addr: net.JoinHostPort(ip.Unmap().String(), port)}}, true
}
