package hsts

import (
	"maps"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"time"

	"golang.org/x/net/idna"
)

const (
	// maxHosts bounds the memory: servers can have any number of names.
	maxHosts = 4096
	// maxAge is the longest that a host is believed for.
	maxAge = 10 * 365 * 24 * time.Hour
)

// forever is the end of an entry that has none in the file.
var forever = time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)

// Cache is the memory of one client. It is safe for concurrent use; a nil one knows
// no host.
type Cache struct {
	path string
	now  func() time.Time

	mu      sync.RWMutex
	hosts   map[string]entry
	changed bool
}

type entry struct {
	until time.Time
	below bool // includeSubDomains
}

func newCache(path string) *Cache {
	return &Cache{path: path, now: time.Now, hosts: map[string]entry{}}
}

// Upgrade returns u with https in the place of http if its host wants that, else nil
// (section 8.3).
func (c *Cache) Upgrade(u *url.URL) *url.URL {
	if c == nil || u.Scheme != "http" || !c.known(u.Hostname()) {
		return nil
	}
	up := *u
	up.Scheme = "https"
	up.Host = strings.TrimSuffix(u.Host, ":80")
	return &up
}

// known reports whether a host, or one that it is below, wants https (section 8.2).
func (c *Cache) known(host string) bool {
	name := canonical(host)
	if name == "" {
		return false
	}
	now := c.now()
	c.mu.RLock()
	defer c.mu.RUnlock()
	if len(c.hosts) == 0 {
		return false
	}
	if e, ok := c.hosts[name]; ok && now.Before(e.until) {
		return true
	}
	for {
		i := strings.IndexByte(name, '.')
		if i < 0 {
			return false
		}
		name = name[i+1:]
		if e, ok := c.hosts[name]; ok && e.below && now.Before(e.until) {
			return true
		}
	}
}

// Learn takes the fields Strict-Transport-Security of a response from host, which
// came over TLS with a certificate that was verified; only the first counts (section
// 8.1).
func (c *Cache) Learn(host string, fields []string) {
	if c == nil || len(fields) == 0 {
		return
	}
	age, below, ok := parse(fields[0])
	name := canonical(host)
	if !ok || name == "" {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if age == 0 {
		if _, ok := c.hosts[name]; ok {
			delete(c.hosts, name)
			c.changed = true
		}
		return
	}
	c.put(name, entry{c.now().Add(age), below})
	c.changed = true
}

// put stores e; the lock is held. When there are too many, what is over goes, else
// what is over first.
func (c *Cache) put(name string, e entry) {
	if _, ok := c.hosts[name]; !ok && len(c.hosts) >= maxHosts {
		now := c.now()
		maps.DeleteFunc(c.hosts, func(_ string, e entry) bool { return !now.Before(e.until) })
		if len(c.hosts) >= maxHosts {
			first := ""
			for n, e := range c.hosts {
				if first == "" || e.until.Before(c.hosts[first].until) {
					first = n
				}
			}
			delete(c.hosts, first)
		}
	}
	c.hosts[name] = e
}

// canonical is the form of a host by which it is known; "" for an address, which has
// no part in this (section 8.1.1), and for what is no name.
func canonical(host string) string {
	for i := range len(host) {
		if host[i] >= 0x80 {
			a, err := idna.Lookup.ToASCII(host)
			if err != nil {
				return ""
			}
			host = a
			break
		}
	}
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if len(host) > 253 || host == "" || strings.ContainsAny(host, " \t\r\n\":") || strings.Contains("."+host+".", "..") {
		return ""
	}
	if _, err := netip.ParseAddr(host); err == nil || numeric(host) {
		return ""
	}
	return host
}

// numeric reports whether the system would take host for an IPv4 address in one of
// its other forms, such as 127.1 or 0x7f000001.
func numeric(host string) bool {
	last := host[strings.LastIndexByte(host, '.')+1:]
	if last == "" || last[0] < '0' || last[0] > '9' {
		return false
	}
	if hex, ok := strings.CutPrefix(last, "0x"); ok {
		return strings.Trim(hex, "0123456789abcdef") == ""
	}
	return strings.Trim(last, "0123456789") == ""
}
