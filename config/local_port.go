package config

import (
	"fmt"

	"github.com/ratmom/ratmom/cgo"
)

// LocalPort makes connections leave from the first free port of first to
// first+count-1. LocalPort(0, 0) is any.
//
// Default: any. CURLOPT_LOCALPORT, CURLOPT_LOCALPORTRANGE.
func LocalPort(first, count int) Option { return both(localPort{first, count}) }

type localPort struct{ first, count int }

func (s localPort) String() string { return fmt.Sprintf("%d, %d", s.first, s.count) }

func (s localPort) validate() error {
	switch {
	case s == localPort{}:
		return nil
	case s.first < 1 || s.first > 65535:
		return invalid("LocalPort", s, "the first port is not in 1 to 65535")
	case s.count < 1 || s.count > 65536-s.first:
		return invalid("LocalPort", s, "the number of ports is not in 1 to %d", 65536-s.first)
	}
	return nil
}

func (s localPort) encode(o *cgo.Options) {
	if s.first > 0 {
		o.Long(cgo.OptLocalPort, int64(s.first))
		o.Long(cgo.OptLocalPortRange, int64(s.count))
	}
}
