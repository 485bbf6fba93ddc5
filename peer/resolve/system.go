package resolve

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"time"
)

// System is a resolver that asks the operating system, by [net.Resolver]: the hosts
// file, the search list and whatever else is set up there. It does not learn how long an
// answer may be kept, nor, where it finds nothing, whether the name exists: all such is
// [NotExist]. It asks for addresses, and for SRV records if the name has a Service; not
// for HTTPS records. The zero value is ready.
type System struct {
	// Resolver is who is asked; nil is [net.DefaultResolver].
	Resolver *net.Resolver
	// Family is which addresses are looked for; the zero value is both.
	Family Family
	// TTL is that of the answers; 0 is 30 seconds.
	TTL time.Duration
}

var _ Resolver = (*System)(nil)

const systemTTL = 30 * time.Second

// Resolve looks the name up.
func (s *System) Resolve(ctx context.Context, name Name) (Answer, error) {
	if s.TTL < 0 {
		return Answer{}, errors.New("system resolver: TTL below zero")
	}
	a, host, prefixes, err := begin(name)
	if err != nil || host == "" {
		return a, err
	}
	ttl := s.TTL
	if ttl == 0 {
		ttl = systemTTL
	}
	for _, prefix := range prefixes {
		eps, err := s.srv(ctx, prefix+"."+host)
		if err != nil {
			return Answer{}, err
		}
		if len(eps) > 0 {
			return newAnswer(eps, ttl), nil
		}
	}
	addrs, err := s.addresses(ctx, host)
	if err != nil {
		return Answer{}, err
	}
	return newAnswer(plain(addrs, host, name.port()), ttl), nil
}

func (s *System) resolver() *net.Resolver {
	if s.Resolver != nil {
		return s.Resolver
	}
	return net.DefaultResolver
}

func (s *System) addresses(ctx context.Context, host string) ([]netip.Addr, error) {
	network := map[Family]string{AnyFamily: "ip", IPv4: "ip4", IPv6: "ip6"}[s.Family]
	addrs, err := s.resolver().LookupNetIP(ctx, network, host)
	if err != nil {
		return nil, systemError(ctx, host, "", err)
	}
	for i := range addrs {
		addrs[i] = addrs[i].Unmap()
	}
	return addrs, nil
}

// srv gives no endpoints where there are no records.
func (s *System) srv(ctx context.Context, service string) ([]Endpoint, error) {
	_, records, err := s.resolver().LookupSRV(ctx, "", "", service)
	if err != nil {
		if err := systemError(ctx, service, "SRV", err); err.Kind != NotExist {
			return nil, err
		}
		return nil, nil
	}
	records = slices.DeleteFunc(records, func(r *net.SRV) bool { return r.Target == "." || r.Port == 0 })
	if len(records) == 0 {
		return nil, &Error{Kind: NoData, Name: service, Type: "SRV", Err: errors.New("the service is not offered")}
	}
	var eps []Endpoint
	var first error
	for _, r := range records[:min(len(records), maxTargets)] {
		target, err := canonical(r.Target)
		if err != nil {
			continue
		}
		addrs, err := s.addresses(ctx, target)
		if err != nil && first == nil {
			first = err
		}
		for _, e := range plain(addrs, target, r.Port) {
			e.Priority, e.Weight = r.Priority, float64(r.Weight)/float64(len(addrs))
			eps = append(eps, e)
		}
	}
	if len(eps) == 0 && first == nil {
		first = &Error{Kind: Malformed, Name: service, Type: "SRV"}
	}
	if len(eps) == 0 {
		return nil, first
	}
	return eps, nil
}

func systemError(ctx context.Context, name, typ string, err error) *Error {
	e := &Error{Kind: KindOf(err), Name: name, Type: typ, Err: err}
	if ctx.Err() != nil {
		e.Err = context.Cause(ctx)
		e.Kind = KindOf(ctx.Err())
	}
	return e
}
