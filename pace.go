package ratmom

import (
	"net/url"
	"strings"
	"sync"

	"github.com/ratmom/ratmom/retry"
)

// maxPaces bounds the origins whose pace is known.
const maxPaces = 256

// paces are how long the answers of origins take, for hedges at their P95.
type paces struct {
	mu sync.Mutex
	m  map[string]*retry.Latency
}

// of returns what is known of the origin of u.
func (p *paces) of(u *url.URL) *retry.Latency {
	key := u.Scheme + "://" + strings.ToLower(u.Host)
	p.mu.Lock()
	defer p.mu.Unlock()
	l := p.m[key]
	if l == nil {
		if p.m == nil {
			p.m = map[string]*retry.Latency{}
		}
		if len(p.m) == maxPaces {
			for other := range p.m { // any
				delete(p.m, other)
				break
			}
		}
		l = new(retry.Latency)
		p.m[key] = l
	}
	return l
}
