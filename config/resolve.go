package config

import (
	"maps"
	"net/netip"
	"slices"
	"strings"

	"github.com/ratmom/ratmom/cgo"
)

// Resolve gives the addresses of hosts, so that these are not looked up: the key is
// "host:port", as in "example.org:443", or "*:port" for all hosts. Several
// addresses are tried as if they came from the name server. Certificates and the
// Host header follow the name. Given again it replaces what was there;
// for one request, [ResolveAgain] does without.
//
// Default: none. An IPv6 address may not have a zone. CURLOPT_RESOLVE.
func Resolve(hosts map[string][]netip.Addr) ClientOption {
	s := resolve{hosts: make(map[string][]netip.Addr, len(hosts))}
	for k, v := range hosts {
		s.hosts[k] = slices.Clone(v)
	}
	return forClient(s)
}

type resolve struct{ hosts map[string][]netip.Addr }

func (s resolve) validate() error {
	for _, key := range slices.Sorted(maps.Keys(s.hosts)) {
		host, port := cutPort(key)
		if host != "*" {
			if err := checkName(host); err != nil {
				return invalid("Resolve", key, "%v", err)
			}
		}
		if err := checkPort(port); err != nil {
			return invalid("Resolve", key, "%v", err)
		}
		if len(s.hosts[key]) == 0 {
			return invalid("Resolve", key, "has no address")
		}
		for _, a := range s.hosts[key] {
			if !a.IsValid() || a.Zone() != "" {
				return invalid("Resolve", key, "has the address %q: it must be an IP address without a zone", a)
			}
		}
	}
	return nil
}

func (s resolve) encode(o *cgo.Options) {
	if len(s.hosts) > 0 {
		o.List(cgo.OptResolve, s.entries(nil))
	}
}

// entries are the hosts in libcurl's form, without some.
func (s resolve) entries(without []string) []string {
	list := make([]string, 0, len(s.hosts))
	for _, key := range slices.Sorted(maps.Keys(s.hosts)) {
		if slices.Contains(without, key) {
			continue
		}
		var b strings.Builder
		b.WriteString(key)
		sep := byte(':')
		for _, a := range s.hosts[key] {
			b.WriteByte(sep)
			b.WriteString(bracketed(a))
			sep = ','
		}
		list = append(list, b.String())
	}
	return list
}

// bracketed returns the address as a host of a URL has it.
func bracketed(a netip.Addr) string {
	if a.Is6() {
		return "[" + a.String() + "]"
	}
	return a.String()
}
