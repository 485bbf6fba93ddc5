package resolve

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"net/netip"
	"slices"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// binding is what HTTPS records say of a host.
type binding struct {
	alias    string // where aliases led, if any did
	services []service
	ttl      time.Duration
	unsure   bool // something failed

	endpoints []Endpoint
}

// https finds the endpoints of an https host: by its HTTPS records, and by its own
// addresses, which are asked for meanwhile and come last (RFC 9460 section 3).
func (l *lookup) https(host string, port uint16) (Answer, error) {
	part, cancel := l.part()
	defer cancel()
	bound := make(chan binding, 1)
	go func() {
		b := part.bind(host, port)
		b.endpoints, b.ttl = part.endpoints(b, port)
		bound <- b
	}()
	set := l.addresses(host)
	var b binding
	if set.err != nil {
		b = <-bound
	} else {
		select {
		case b = <-bound:
		case <-time.After(grace):
			cancel()
			b = <-bound
			b.unsure = true
		}
	}
	eps, ttl := b.endpoints, b.ttl
	last := uint16(0)
	ech := len(eps) > 0
	for _, e := range eps {
		last = max(last, e.Priority)
		ech = ech && e.ECH != nil
	}
	if len(eps) == 0 && set.err != nil {
		return Answer{}, set.err
	}
	if b.unsure {
		ttl = min(ttl, unsureTTL)
	}
	if set.err == nil && !ech {
		ttl = min(ttl, set.ttl)
		if len(eps) > 0 && last < math.MaxUint16 {
			last++
		}
		for _, e := range plain(set.addrs, host, port) {
			e.Priority = last
			eps = append(eps, e)
		}
	}
	return newAnswer(eps, ttl), nil
}

// bind asks for the HTTPS records of a host, and follows those that are aliases. A
// failure is as good as none.
func (l *lookup) bind(host string, port uint16) binding {
	b := binding{ttl: maxTTL}
	name := host
	if port != 443 {
		name = fmt.Sprintf("_%d._https.%s", port, host)
	}
	for range maxChain {
		s, err := l.follow(question{name, dnsmessage.TypeHTTPS})
		if err != nil {
			b.unsure = b.unsure || !settled(KindOf(err))
			return b
		}
		if slices.ContainsFunc(s.records, func(r record) bool { return r.damaged }) {
			return b
		}
		b.ttl = min(b.ttl, s.ttl)
		aliases := slices.DeleteFunc(slices.Clone(s.records), func(r record) bool { return r.priority != 0 })
		if len(aliases) == 0 {
			services, ok := l.usable(s)
			if ok {
				b.services = services
			}
			return b
		}
		name = aliases[rand.IntN(len(aliases))].target
		if name == root {
			return b // "not available", which is advice only
		}
		b.alias = name
	}
	// A circle, or a chain that is as good as one.
	return binding{ttl: b.ttl}
}

// usable are the records in service mode that we can act on, the first by priority.
func (l *lookup) usable(s set) (all []service, ok bool) {
	speaks := l.dns.ALPN
	if len(speaks) == 0 {
		speaks = []string{"h2", "http/1.1"}
	}
	for _, rec := range s.records {
		svc, ok := readService(rec)
		if !ok {
			return nil, false
		}
		if svc.target == root {
			svc.target = s.owner
		}
		svc.alpn = spoken(svc.alpn, speaks)
		if !svc.foreign && len(svc.alpn) > 0 {
			all = append(all, svc)
		}
	}
	slices.SortStableFunc(all, func(a, b service) int {
		return cmp.Or(cmp.Compare(a.priority, b.priority), cmp.Compare(a.target, b.target))
	})
	return all[:min(len(all), maxTargets)], true
}

// spoken are the protocols of a record that we speak, each once: a record can say the
// same one thousands of times.
func spoken(ids, speaks []string) (all []string) {
	for _, id := range ids {
		if slices.Contains(speaks, id) && !slices.Contains(all, id) {
			all = append(all, id)
		}
	}
	return slices.Clip(all)
}

// endpoints looks up the hosts of a binding, and says how long both hold.
func (l *lookup) endpoints(b binding, port uint16) ([]Endpoint, time.Duration) {
	if len(b.services) == 0 {
		if b.alias == "" {
			return nil, b.ttl
		}
		set := l.addresses(b.alias)
		if set.err != nil {
			return nil, min(b.ttl, unsureTTL)
		}
		return plain(set.addrs, b.alias, port), min(b.ttl, set.ttl)
	}
	records := make([]record, len(b.services))
	for i, svc := range b.services {
		records[i].target = svc.target
	}
	var eps []Endpoint
	ttl := b.ttl
	for i, set := range l.targets(records) {
		svc := b.services[i]
		addrs := set.addrs
		if set.err != nil {
			// Hints are for when the addresses are not there yet; the addresses, if
			// there are any, win.
			addrs, ttl = l.dns.ofFamily(svc.hints), min(ttl, unsureTTL)
		} else {
			ttl = min(ttl, set.ttl)
		}
		at := cmp.Or(svc.port, port)
		ech := slices.Clone(svc.ech) // one for all addresses: it may be large
		for _, a := range addrs {
			eps = append(eps, Endpoint{
				Addr: netip.AddrPortFrom(a, at), Priority: svc.priority, Weight: 1,
				Target: svc.target, ALPN: svc.alpn, ECH: ech,
			})
		}
	}
	return eps, ttl
}
