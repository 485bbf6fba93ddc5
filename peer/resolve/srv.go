package resolve

import (
	"cmp"
	"errors"
	"net/netip"
	"slices"
	"sync"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// maxTargets is how many hosts of an SRV or HTTPS record set are looked up at most:
// the first by priority.
const maxTargets = 16

// errNoSRV is the cause of a service without records: there may be a host without
// them.
var errNoSRV = errors.New("no SRV records")

// srv finds the endpoints of a service (RFC 2782).
func (l *lookup) srv(service string) ([]Endpoint, time.Duration, error) {
	service, err := canonical(service)
	if err != nil {
		return nil, 0, err
	}
	s, err := l.follow(question{service, dnsmessage.TypeSRV})
	if k := KindOf(err); k == NotExist || k == NoData {
		return nil, 0, errNoSRV
	}
	if err != nil {
		return nil, 0, err
	}
	records := slices.DeleteFunc(s.records, func(r record) bool { return r.target == "" || r.target == root || r.port == 0 })
	if len(records) == 0 {
		// A target of "." says that the service is not to be had here.
		return nil, 0, &Error{Kind: NoData, Name: service, Type: "SRV", Server: s.server, TTL: s.ttl, Err: errors.New("the service is not offered")}
	}
	slices.SortStableFunc(records, func(a, b record) int {
		return cmp.Or(cmp.Compare(a.priority, b.priority), cmp.Compare(b.weight, a.weight), cmp.Compare(a.target, b.target))
	})
	records = records[:min(len(records), maxTargets)]
	sets := l.targets(records)
	var eps []Endpoint
	var worst *Error
	ttl := s.ttl
	for i, rec := range records {
		if err := sets[i].err; err != nil {
			worst = heavier(worst, err)
			if !settled(KindOf(err)) {
				ttl = min(ttl, unsureTTL)
			}
			continue
		}
		ttl = min(ttl, sets[i].ttl)
		for _, a := range sets[i].addrs {
			eps = append(eps, Endpoint{
				Addr: netip.AddrPortFrom(a, rec.port), Priority: rec.priority,
				Weight: float64(rec.weight) / float64(len(sets[i].addrs)), Target: rec.target,
			})
		}
	}
	if len(eps) == 0 {
		return nil, 0, worst
	}
	return eps, ttl, nil
}

// targets looks up the hosts of all records at once.
func (l *lookup) targets(records []record) []addrSet {
	sets := make([]addrSet, len(records))
	var wg sync.WaitGroup
	for i, rec := range records {
		wg.Go(func() { sets[i] = l.addresses(rec.target) })
	}
	wg.Wait()
	return sets
}
