package config

import (
	"fmt"

	"github.com/ratmom/ratmom/cgo"
)

// TypeOfService marks the packets of connections for routers: the byte TOS of IPv4 and
// traffic class of IPv6, whose upper six bits are the DSCP (RFC 2474). The lower two
// belong to congestion control and must be 0. 0 is no mark.
//
// A request whose mark is not its client's has a connection of its own. A connection
// that the system does not let be marked is not made. Default: 0. IP_TOS,
// IPV6_TCLASS; CURLOPT_SOCKOPTFUNCTION does the same.
func TypeOfService(tos byte) Option { return both(typeOfService(tos)) }

type typeOfService byte

func (s typeOfService) String() string { return fmt.Sprintf("%#02x", byte(s)) }

func (s typeOfService) validate() error {
	if s&3 != 0 {
		return invalid("TypeOfService", s, "sets the lower two bits, which belong to congestion control (RFC 3168)")
	}
	return nil
}

func (s typeOfService) encode(o *cgo.Options) {
	if s != 0 {
		o.Long(cgo.OptTypeOfService, int64(s))
	}
}

func (s typeOfService) apart(settings) (place, string) { return anywhere, unless(s == 0, s.String()) }
