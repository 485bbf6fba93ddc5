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
	parts := make([]addrSet, len(types))
	var wg sync.WaitGroup
	for i, typ := range types {
		wg.Go(func() {
			s, err := l.follow(question{host, typ})
			parts[i] = addrSet{ttl: s.ttl, err: err}
			for _, rec := range s.records {
				parts[i].addrs = append(parts[i].addrs, rec.addr)
			}
		})
	}
	wg.Wait()
	return merge(parts)
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
