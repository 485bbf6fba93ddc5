package altsvc

import (
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/ratmom/ratmom/internal/field"
)

const (
	// maxOrigins bounds the memory: servers can have any number of names.
	maxOrigins = 4096
	// An alternative that failed is left alone for so long, for twice as long each
	// time that it fails again.
	firstRest = 5 * time.Minute
	maxRest   = 24 * time.Hour
)

// Service is where and how an origin can be reached, too.
type Service struct {
	Protocol string // "h3", "h2", "http/1.1"
	Host     string // an IPv6 address has no brackets
	Port     int
}

// Authority is the service's "host:port".
func (s Service) Authority() string { return net.JoinHostPort(s.Host, strconv.Itoa(s.Port)) }

// origin is a server over https.
type origin struct {
	host string
	port int
}

func originOf(u *url.URL) (origin, bool) {
	o := origin{host: strings.ToLower(strings.TrimSuffix(u.Hostname(), ".")), port: 443}
	if p := u.Port(); p != "" {
		n, err := strconv.ParseUint(p, 10, 16)
		if err != nil {
			return o, false
		}
		o.port = int(n)
	}
	return o, u.Scheme == "https" && plainHost(o.host)
}

// entry is an alternative of an origin.
type entry struct {
	Service
	until   time.Time
	persist bool
	source  string // how the origin was reached when it said so: "h1", "h2", "h3"
	fails   int
	rests   time.Time // until when it is left alone
}

// Cache is the memory of one client. It is safe for concurrent use; a nil one knows no
// alternative.
type Cache struct {
	path string
	now  func() time.Time

	mu      sync.RWMutex
	origins map[origin][]entry
	changed bool
}

func newCache(path string) *Cache {
	return &Cache{path: path, now: time.Now, origins: map[origin][]entry{}}
}

// Pick returns the alternative of u's origin to use, the first in the server's order
// whose protocol is allowed and that has not failed lately.
func (c *Cache) Pick(u *url.URL, allowed func(protocol string) bool) (Service, bool) {
	if c == nil {
		return Service{}, false
	}
	o, ok := originOf(u)
	if !ok {
		return Service{}, false
	}
	now := c.now()
	c.mu.RLock()
	defer c.mu.RUnlock()
	for _, e := range c.origins[o] {
		// The origin itself needs no word of its own for what it is asked anyway.
		same := e.Host == o.host && e.Port == o.port && e.Protocol != "h3"
		if now.Before(e.until) && !now.Before(e.rests) && !same && allowed(e.Protocol) {
			return e.Service, true
		}
	}
	return Service{}, false
}

// Failed notes that an alternative could not be used, Worked that it could.
func (c *Cache) Failed(u *url.URL, s Service) {
	c.change(u, s, func(e *entry) {
		rest := maxRest
		if e.fails < 9 {
			rest = min(firstRest<<e.fails, maxRest)
		}
		e.fails++
		e.rests = c.now().Add(rest)
	})
}

// Worked forgets earlier failures of an alternative.
func (c *Cache) Worked(u *url.URL, s Service) {
	c.mu.RLock()
	failed := false
	o, _ := originOf(u)
	for _, e := range c.origins[o] {
		failed = failed || e.Service == s && e.fails > 0
	}
	c.mu.RUnlock()
	if failed {
		c.change(u, s, func(e *entry) { e.fails, e.rests = 0, time.Time{} })
	}
}

func (c *Cache) change(u *url.URL, s Service, f func(*entry)) {
	o, ok := originOf(u)
	if !ok {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	list := c.origins[o]
	for i := range list {
		if list[i].Service == s {
			f(&list[i])
		}
	}
}

// Learn takes the field Alt-Svc of a response of u, which came over TLS with a
// certificate that was verified. What it says stands in the place of what was there
// (section 3).
func (c *Cache) Learn(u *url.URL, h http.Header, httpMajor int) {
	if c == nil || len(h["Alt-Svc"]) == 0 {
		return
	}
	o, ok := originOf(u)
	if !ok {
		return
	}
	list, clear, ok := parse(strings.Join(h["Alt-Svc"], ","), o.host)
	if !ok {
		return
	}
	now := c.now()
	age, _ := field.Seconds(h.Get("Age"), maxAge)
	entries := make([]entry, 0, len(list))
	for _, a := range list {
		if a.age > age {
			entries = append(entries, entry{
				Service: a.Service, until: now.Add(a.age - age), persist: a.persist, source: "h" + strconv.Itoa(httpMajor),
			})
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	old := c.origins[o]
	if clear || len(entries) == 0 {
		if len(old) > 0 {
			delete(c.origins, o)
			c.changed = true
		}
		return
	}
	for i := range entries {
		for _, e := range old {
			if e.Service == entries[i].Service {
				entries[i].fails, entries[i].rests = e.fails, e.rests
			}
		}
	}
	c.put(o, entries)
	c.changed = true
}

// put stores the alternatives of o; the lock is held. When there are too many origins,
// those whose alternatives are over go, else the one whose are over first.
func (c *Cache) put(o origin, entries []entry) {
	if _, ok := c.origins[o]; !ok && len(c.origins) >= maxOrigins {
		now := c.now()
		var first origin
		var end time.Time
		for o, list := range c.origins {
			last := lastOf(list)
			if !now.Before(last) {
				delete(c.origins, o)
			} else if end.IsZero() || last.Before(end) {
				first, end = o, last
			}
		}
		if len(c.origins) >= maxOrigins {
			delete(c.origins, first)
		}
	}
	c.origins[o] = entries
}

func lastOf(list []entry) (t time.Time) {
	for _, e := range list {
		if e.until.After(t) {
			t = e.until
		}
	}
	return t
}
