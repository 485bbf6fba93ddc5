package config

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/ratmom/ratmom/cgo"
)

// DNSServers asks these name servers, in this order, in place of the system's. Port 0
// is 53. DNSServers() is the system's.
//
// Here and with [DNSInterface] and [DNSLocalAddress]: they need a libcurl whose
// resolver is c-ares, which Debian's is not; others leave look-ups to the system.
// What is in the client's DNS cache is used whoever it came from.
//
// Default: the system's. CURLOPT_DNS_SERVERS.
func DNSServers(servers ...netip.AddrPort) Option {
	return both(dnsServers{append([]netip.AddrPort(nil), servers...)})
}

type dnsServers struct{ list []netip.AddrPort }

func (s dnsServers) String() string {
	parts := make([]string, len(s.list))
	for i, a := range s.list {
		if parts[i] = bracketed(a.Addr()); a.Port() != 0 {
			parts[i] = a.String()
		}
	}
	return strings.Join(parts, ",")
}

func (s dnsServers) validate() error {
	for _, a := range s.list {
		if !a.Addr().IsValid() || a.Addr().Zone() != "" {
			return invalid("DNSServers", a, "is no IP address without a zone")
		}
	}
	return nil
}

func (s dnsServers) supported(f *cgo.FeatureSet) error {
	return needsCAres(f, "DNSServers", s, len(s.list) > 0)
}

func (s dnsServers) encode(o *cgo.Options) {
	if len(s.list) > 0 {
		o.String(cgo.OptDNSServers, s.String())
	}
}

func needsCAres(f *cgo.FeatureSet, option string, value any, on bool) error {
	if on && !f.CAres {
		return unsupported(f, option, fmt.Sprint(value), "to be built with the resolver c-ares")
	}
	return nil
}

// DNSInterface asks name servers by the network interface of that name. "" is any.
//
// Default: any. It needs c-ares, see [DNSServers]. CURLOPT_DNS_INTERFACE.
func DNSInterface(name string) Option { return both(dnsInterface(name)) }

type dnsInterface string

func (s dnsInterface) validate() error {
	switch {
	case len(s) > 15:
		return invalid("DNSInterface", string(s), "is longer than 15 bytes")
	case strings.ContainsAny(string(s), "!/ "):
		return invalid("DNSInterface", string(s), "is not the name of an interface")
	}
	return checkText("DNSInterface", string(s))
}

func (s dnsInterface) supported(f *cgo.FeatureSet) error {
	return needsCAres(f, "DNSInterface", string(s), s != "")
}

func (s dnsInterface) encode(o *cgo.Options) {
	if s != "" {
		o.String(cgo.OptDNSInterface, string(s))
	}
}

// DNSLocalAddress asks name servers from these addresses of this machine, at most one
// of each family. DNSLocalAddress() is any.
//
// Default: any. It needs c-ares, see [DNSServers]. CURLOPT_DNS_LOCAL_IP4,
// CURLOPT_DNS_LOCAL_IP6.
func DNSLocalAddress(addrs ...netip.Addr) Option {
	s := dnsLocalAddress{}
	for _, a := range addrs {
		a = a.Unmap()
		into := &s.v4
		if a.Is6() {
			into = &s.v6
		}
		if into.IsValid() {
			s.bad = "has two addresses of a family"
		}
		if !a.IsValid() || a.Zone() != "" {
			s.bad = "has the address " + a.String() + ": it must be an IP address without a zone"
		}
		*into = a
	}
	return both(s)
}

type dnsLocalAddress struct {
	v4, v6 netip.Addr
	bad    string
}

func (s dnsLocalAddress) String() string {
	var parts []string
	for _, a := range []netip.Addr{s.v4, s.v6} {
		if a.IsValid() {
			parts = append(parts, a.String())
		}
	}
	return strings.Join(parts, ",")
}

func (s dnsLocalAddress) validate() error {
	if s.bad != "" {
		return invalid("DNSLocalAddress", s, "%s", s.bad)
	}
	return nil
}

func (s dnsLocalAddress) supported(f *cgo.FeatureSet) error {
	return needsCAres(f, "DNSLocalAddress", s, s != dnsLocalAddress{})
}

func (s dnsLocalAddress) encode(o *cgo.Options) {
	if s.v4.IsValid() {
		o.String(cgo.OptDNSLocalIP4, s.v4.String())
	}
	if s.v6.IsValid() {
		o.String(cgo.OptDNSLocalIP6, s.v6.String())
	}
}
