package config

import "github.com/ratmom/ratmom/cgo"

// AddressScope sets the zone of the IPv6 addresses to connect to, by the number of a
// network interface (net.Interface.Index): link-local addresses (fe80::) are
// reachable by one. 0 is none.
//
// Default: none; a zone in the URL itself needs no option. CURLOPT_ADDRESS_SCOPE.
func AddressScope(index uint32) Option { return both(addressScope(index)) }

type addressScope uint32

func (s addressScope) validate() error {
	return checkRange("AddressScope", int64(s), 0, 1<<31-1) // the numbers of interfaces
}

func (s addressScope) encode(o *cgo.Options) {
	if s != 0 {
		o.Long(cgo.OptAddressScope, int64(s))
	}
}
