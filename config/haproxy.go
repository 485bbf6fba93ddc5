package config

import (
	"net/netip"

	"github.com/ratmom/ratmom/cgo"
)

// HAProxyProtocol begins each connection with the line of HAProxy's PROXY protocol
// (version 1), which tells a load balancer or a server behind it who connects: the
// connection's own addresses, or see [HAProxyClientIP].
//
// A request for which this is not as for its client has a connection of its own:
// libcurl would take any. Default: false. CURLOPT_HAPROXYPROTOCOL.
func HAProxyProtocol(on bool) Option { return both(haproxyProtocol(on)) }

type haproxyProtocol bool

func (haproxyProtocol) validate() error { return nil }

func (s haproxyProtocol) encodeTarget(o *cgo.Options, r *RequestConfig, _ target) {
	// The option for the address switches the protocol on by itself.
	if ip, _ := lookup[haproxyClientIP](r); bool(s) && !ip.IsValid() {
		o.Long(cgo.OptHAProxyProtocol, 1)
	}
}

func (s haproxyProtocol) apart(settings) (place, string) { return anywhere, unless(!bool(s), "on") }

// HAProxyClientIP names a as the client in the line of HAProxy's PROXY protocol, for
// programs that pass on the requests of others; it implies [HAProxyProtocol]. The
// line has the family of the connection, so the address must be of that family. The
// zero Addr switches it off.
//
// A request whose address is not its client's has a connection of its own.
// Default: none. It needs libcurl 8.2 or later. CURLOPT_HAPROXY_CLIENT_IP.
func HAProxyClientIP(a netip.Addr) Option { return both(haproxyClientIP{a}) }

type haproxyClientIP struct{ netip.Addr }

func (s haproxyClientIP) String() string {
	if !s.IsValid() {
		return "none"
	}
	return s.Addr.String()
}

func (s haproxyClientIP) validate() error {
	if s.Zone() != "" {
		return invalid("HAProxyClientIP", s.Addr, "has a zone")
	}
	return nil
}

func (s haproxyClientIP) supported(f *cgo.FeatureSet) error {
	if s.IsValid() && !f.HAProxyClientIP {
		return unsupported(f, "HAProxyClientIP", s.Addr, "to be 8.2 or later")
	}
	return nil
}

func (s haproxyClientIP) encode(o *cgo.Options) {
	if s.IsValid() {
		o.String(cgo.OptHAProxyClientIP, s.Unmap().String())
	}
}

func (s haproxyClientIP) apart(settings) (place, string) {
	return anywhere, unless(!s.IsValid(), s.String())
}
