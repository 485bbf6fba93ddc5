package config

import (
	"strconv"

	"github.com/ratmom/ratmom/cgo"
)

// TCPKeepAliveCount sets how many probes of [TCPKeepAlive] in a row may stay without an
// answer before the system gives a connection up. It has no effect without that
// option. 0 is the default.
//
// A request whose number is not its client's has a connection of its own. 0 to 127.
// Default: 9, libcurl's. It needs libcurl 8.9 or later. CURLOPT_TCP_KEEPCNT.
func TCPKeepAliveCount(n int) Option { return both(tcpKeepAliveCount(n)) }

type tcpKeepAliveCount int

func (s tcpKeepAliveCount) validate() error {
	return checkRange("TCPKeepAliveCount", int(s), 0, 127) // Linux's limit
}

func (s tcpKeepAliveCount) supported(f *cgo.FeatureSet) error {
	if s != 0 && !f.TCPKeepAliveCount {
		return unsupported(f, "TCPKeepAliveCount", int(s), "to be 8.9 or later")
	}
	return nil
}

func (s tcpKeepAliveCount) encode(o *cgo.Options) {
	if s != 0 {
		o.Long(cgo.OptTCPKeepCnt, int64(s))
	}
}

func (s tcpKeepAliveCount) apart(settings) (place, string) {
	return anywhere, unless(s == 0, strconv.Itoa(int(s)))
}
