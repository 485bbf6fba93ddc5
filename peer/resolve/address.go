package resolve

import (
	"net/netip"
	"sync"
	"time"
)

// addrSet is the addresses of a host, or why there are none.
type addrSet struct {
	addrs []netip.Addr
	ttl   time.Duration
	err   error
}

// addresses asks for A and AAAA records at once; whoever asks for the same host
// again waits for the same.
func (l *lookup) addresses(host string) addrSet {
	l.mu.Lock()
	get := l.addrs[host]
	if get == nil {
		get = sync.OnceValue(func() addrSet { return l.askAddresses(host) })
		l.addrs[host] = get
	}
	l.mu.Unlock()
	return get()
}

func (l *lookup) askAddresses(host string) addrSet {
	if addrs, known, err := special(host); known {
		return addrSet{l.dns.ofFamily(addrs), maxTTL, err}
	}
	types := l.dns.Family.types()
	part, cancel := l.part()
	defer cancel()
	answers := make(chan addrSet, len(types))
	for _, typ := range types {
		go func() { answers <- part.family(question{host, typ}) }()
	}
	var parts []addrSet
	var enough <-chan time.Time
	for len(parts) < len(types) {
		select {
		case a := <-answers:
			parts = append(parts, a)
			if a.err == nil && enough == nil {
				enough = time.After(grace)
			}
		case <-enough:
			enough = nil
			cancel() // which makes the other one answer
		}
	}
	return merge(parts)
}

// family asks for the addresses of one family.
func (l *lookup) family(q question) addrSet {
	s, err := l.follow(q)
	a := addrSet{ttl: s.ttl, err: err}
	for _, rec := range s.records {
		a.addrs = append(a.addrs, rec.addr)
	}
	return a
}

// merge makes one set of those of each family. One that could not be had shortens
// the time of the other; a family that a host does not have does not.
func merge(parts []addrSet) addrSet {
	out := addrSet{ttl: maxTTL}
	var worst *Error
	for _, p := range parts {
		if p.err == nil {
			out.addrs = append(out.addrs, p.addrs...)
			out.ttl = min(out.ttl, p.ttl)
			continue
		}
		if !settled(KindOf(p.err)) {
			out.ttl = min(out.ttl, unsureTTL)
		}
		worst = heavier(worst, p.err)
	}
	if len(out.addrs) == 0 {
		return addrSet{err: worst}
	}
	return out
}

// heavier is the error that speaks for both: one that leaves open what is so, else
// that the name does not exist, else the one whose word holds the shorter time.
func heavier(a *Error, err error) *Error {
	b := err.(*Error) // follow and special have no others
	switch {
	case a == nil:
		return b
	case settled(a.Kind) != settled(b.Kind):
		if settled(a.Kind) {
			return b
		}
		return a
	case a.Kind != b.Kind && b.Kind == NotExist:
		return b
	case a.Kind == b.Kind && b.TTL < a.TTL:
		return b
	}
	return a
}
