package config

import (
	"strconv"

	"github.com/ratmom/ratmom/cgo"
)

// IPFamily is a version of the Internet Protocol; the numbers are libcurl's
// (CURL_IPRESOLVE_*).
type IPFamily uint8

// The families.
const (
	// IPAny tries the addresses of both, IPv6 first, IPv4 shortly after.
	IPAny IPFamily = cgo.IPResolveWhatever
	// IPv4 is IPv4 alone.
	IPv4 IPFamily = cgo.IPResolveV4
	// IPv6 is IPv6 alone.
	IPv6 IPFamily = cgo.IPResolveV6
)

// String returns the name, as in "IPv4".
func (f IPFamily) String() string {
	switch f {
	case IPAny:
		return "any"
	case IPv4:
		return "IPv4"
	case IPv6:
		return "IPv6"
	}
	return "IPFamily(" + strconv.Itoa(int(f)) + ")"
}

// IPVersion chooses which addresses of a name are used.
//
// Default: IPAny. CURLOPT_IPRESOLVE.
func IPVersion(f IPFamily) Option { return both(ipVersion{f}) }

type ipVersion struct{ IPFamily }

func (s ipVersion) validate() error {
	if s.IPFamily > IPv6 {
		return invalid("IPVersion", s.IPFamily, "is none of IPAny, IPv4, IPv6")
	}
	return nil
}

func (s ipVersion) encode(o *cgo.Options) {
	if s.IPFamily != IPAny {
		o.Long(cgo.OptIPResolve, int64(s.IPFamily))
	}
}
