package config

import "github.com/ratmom/ratmom/cgo"

// DNSShuffle puts the addresses of a name that has several into a random order when
// they have been looked up, in place of the system's. They keep it while they are in
// the DNS cache.
//
// Default: false. CURLOPT_DNS_SHUFFLE_ADDRESSES.
func DNSShuffle(on bool) Option { return both(dnsShuffle(on)) }

type dnsShuffle bool

func (dnsShuffle) validate() error { return nil }

func (s dnsShuffle) encode(o *cgo.Options) {
	if s {
		o.Long(cgo.OptDNSShuffleAddresses, 1)
	}
}
