package config

import (
	"net/netip"
	"net/url"
	"slices"
	"strings"
)

// NoProxy names hosts that requests go to straight, past any proxy, in place of
// the environment's NO_PROXY. Given again, it replaces what was there; NoProxy()
// excepts no host.
//
// Each entry is "*" (all hosts), a name ("example.org": the host and all below
// it; ".example.org": those below it alone), an IP address, or a range of them in
// CIDR form ("10.0.0.0/8"). A port can follow a name or address
// ("example.org:8080", "[::1]:80"): then the entry is for that port alone.
// Matching is done in Go; CURLOPT_NOPROXY stays empty.
func NoProxy(hosts ...string) Option {
	s := noProxy{entries: make([]noProxyEntry, 0, len(hosts)), text: strings.Join(hosts, ",")}
	for _, h := range hosts {
		e, ok := parseNoProxy(strings.ToLower(strings.TrimSpace(h)))
		if !ok && s.bad == "" {
			s.bad = "is no host, address or CIDR range: " + valueText(h)
		}
		s.entries = append(s.entries, e)
	}
	return both(s)
}

type noProxy struct {
	entries []noProxyEntry
	text    string
	bad     string
}

type noProxyEntry struct {
	all    bool
	exact  string // a host name, without a final dot
	suffix string // ".example.org"
	prefix netip.Prefix
	port   string // "" for all
}

func (s noProxy) String() string { return s.text }

func (s noProxy) validate() error {
	if s.bad != "" {
		return invalid("NoProxy", s.text, "%s", s.bad)
	}
	return nil
}

func parseNoProxy(s string) (e noProxyEntry, ok bool) {
	if s == "*" {
		return noProxyEntry{all: true}, true
	}
	if p, err := netip.ParsePrefix(s); err == nil {
		return noProxyEntry{prefix: p.Masked()}, true
	}
	if a, err := netip.ParseAddr(strings.Trim(s, "[]")); err == nil {
		return noProxyEntry{prefix: netip.PrefixFrom(a.Unmap(), a.Unmap().BitLen())}, true
	}
	if a, err := netip.ParseAddrPort(s); err == nil {
		ip := a.Addr().Unmap()
		_, port := cutPort(s)
		return noProxyEntry{prefix: netip.PrefixFrom(ip, ip.BitLen()), port: port}, true
	}
	host, port := cutPort(s)
	if port != "" && checkPort(port) != nil {
		return e, false
	}
	name, below := strings.CutPrefix(strings.TrimPrefix(host, "*."), ".")
	name = strings.TrimSuffix(name, ".")
	if checkName(name) != nil {
		return e, false
	}
	e = noProxyEntry{suffix: "." + name, port: port}
	if !below && !strings.HasPrefix(host, "*.") {
		e.exact = name
	}
	return e, true
}

// match reports whether requests of u go past the proxy.
func (s noProxy) match(u *url.URL) bool {
	if len(s.entries) == 0 {
		return false
	}
	host := strings.TrimSuffix(strings.ToLower(u.Hostname()), ".")
	port := u.Port()
	if port == "" {
		port = proxyPorts[u.Scheme]
	}
	addr, err := netip.ParseAddr(host)
	isAddr := err == nil
	addr = addr.Unmap().WithZone("")
	return slices.ContainsFunc(s.entries, func(e noProxyEntry) bool {
		switch {
		case e.all:
			return true
		case e.port != "" && e.port != port:
			return false
		case e.prefix.IsValid():
			return isAddr && e.prefix.Contains(addr)
		case isAddr:
			return false
		}
		return host == e.exact || strings.HasSuffix(host, e.suffix)
	})
}
