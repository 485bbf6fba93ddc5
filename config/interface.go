package config

import (
	"net/netip"
	"strings"

	"github.com/ratmom/ratmom/cgo"
)

// Interface makes connections leave by the network interface of that name, as in
// "eth0". Linux lets only root bind to the interface itself; for others its
// address is taken. "" is any.
//
// It and [LocalAddress] replace one another. With libcurl 8.9 and later a request
// whose interface differs from its client's has a connection of its own: libcurl
// would take any. Default: any. CURLOPT_INTERFACE.
func Interface(name string) Option { return both(localEnd{name: name}) }

// LocalAddress makes connections leave from an address of this machine. The zero
// Addr is any.
//
// It and [Interface] replace one another. Default: any. CURLOPT_INTERFACE.
func LocalAddress(a netip.Addr) Option { return both(localEnd{addr: a}) }

type localEnd struct {
	name string
	addr netip.Addr
}

func (s localEnd) String() string {
	switch {
	case s.name != "":
		return s.name
	case s.addr.IsValid():
		return s.addr.String()
	}
	return "any"
}

func (s localEnd) validate() error {
	switch {
	case s.addr.Zone() != "":
		return invalid("LocalAddress", s.addr, "has a zone: give the interface by Interface instead")
	case len(s.name) > 15:
		return invalid("Interface", s.name, "is longer than 15 bytes")
	case strings.ContainsAny(s.name, "!/ "):
		return invalid("Interface", s.name, "is not the name of an interface")
	}
	return checkText("Interface", s.name)
}

func (s localEnd) encode(o *cgo.Options) {
	switch {
	case s.name != "":
		o.String(cgo.OptInterface, "if!"+s.name)
	case s.addr.IsValid() && comparesLocalEnds():
		o.String(cgo.OptInterface, s.addr.Unmap().String())
	case s.addr.IsValid():
		o.String(cgo.OptInterface, "host!"+s.addr.Unmap().String())
	}
}

func (s localEnd) apart(settings) (place, string) {
	return anywhere, unless(!comparesLocalEnds(), s.name)
}

// comparesLocalEnds reports whether libcurl does: from 8.9 on libcurl compares the local end of a connection that it might use
// again only if the option has no prefix. An address needs none. A name
// without one is looked up like a host's if there is no such interface, so it
// keeps its prefix, and connections by name are kept apart here.
func comparesLocalEnds() bool { return cgo.Features().AtLeast(8, 9, 0) }
