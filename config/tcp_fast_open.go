package config

import "github.com/ratmom/ratmom/cgo"

// TCPFastOpen sends the first bytes of a connection with its first packet, where the
// system and the server allow it and have met before (RFC 7413): what is sent so may
// reach the server twice. A connection that is there already is used as it is.
//
// Default: false. CURLOPT_TCP_FASTOPEN.
func TCPFastOpen(on bool) Option { return both(tcpFastOpen(on)) }

type tcpFastOpen bool

func (tcpFastOpen) validate() error { return nil }

func (s tcpFastOpen) supported(f *cgo.FeatureSet) error {
	if bool(s) && !f.TCPFastOpen {
		return unsupported(f, "TCPFastOpen", bool(s), "to be built for a system with TCP Fast Open")
	}
	return nil
}

func (s tcpFastOpen) encode(o *cgo.Options) {
	if s {
		o.Long(cgo.OptTCPFastOpen, 1)
	}
}
