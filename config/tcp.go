package config

import (
	"fmt"
	"time"

	"github.com/ratmom/ratmom/cgo"
)

// maxKeepAlive is Linux's limit for both times.
const maxKeepAlive = 32767 * time.Second

// TCPKeepAlive lets the system send probes on connections: the first when one has
// been idle for that long, the others in that interval. TCPKeepAlive(0, 0) sends
// none.
//
// Unit: seconds, rounded up; 1 s to 32767 s. Default: off.
// CURLOPT_TCP_KEEPALIVE, CURLOPT_TCP_KEEPIDLE, CURLOPT_TCP_KEEPINTVL.
func TCPKeepAlive(idle, interval time.Duration) Option { return both(tcpKeepAlive{idle, interval}) }

type tcpKeepAlive struct{ idle, interval time.Duration }

func (s tcpKeepAlive) String() string { return fmt.Sprintf("%v, %v", s.idle, s.interval) }

func (s tcpKeepAlive) validate() error {
	for _, d := range []time.Duration{s.idle, s.interval} {
		if err := checkTime("TCPKeepAlive", d, maxKeepAlive); err != nil {
			return err
		}
	}
	if (s.idle == 0) != (s.interval == 0) {
		return invalid("TCPKeepAlive", s, "needs both times, or neither")
	}
	return nil
}

func (s tcpKeepAlive) encode(o *cgo.Options) {
	if s.idle > 0 {
		o.Long(cgo.OptTCPKeepAlive, 1)
		o.Long(cgo.OptTCPKeepIdle, cgo.Seconds(s.idle))
		o.Long(cgo.OptTCPKeepIntvl, cgo.Seconds(s.interval))
	}
}

// TCPNoDelay sends small pieces at once instead of waiting for more (Nagle's
// algorithm off).
//
// Default: true. CURLOPT_TCP_NODELAY.
func TCPNoDelay(on bool) Option { return both(tcpNoDelay(on)) }

type tcpNoDelay bool

func (tcpNoDelay) validate() error { return nil }

func (s tcpNoDelay) encode(o *cgo.Options) {
	if !s {
		o.Long(cgo.OptTCPNoDelay, 0)
	}
}
