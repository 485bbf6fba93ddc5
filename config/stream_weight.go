package config

import "github.com/ratmom/ratmom/cgo"

// StreamWeight sets how much of an HTTP/2 connection the request's stream is to get
// beside the others there, 1 to 256: a wish that the server may follow. RFC 9113 has
// given priorities up, and dependencies of streams with them: those cannot be set.
//
// Default: 16. It needs a libcurl with HTTP/2. CURLOPT_STREAM_WEIGHT.
func StreamWeight(n int) Option { return both(streamWeight(n)) }

// defaultStreamWeight is what a stream without one has (RFC 7540, section 5.3.5).
const defaultStreamWeight = 16

type streamWeight int

func (s streamWeight) validate() error { return checkRange("StreamWeight", int(s), 1, 256) }

func (s streamWeight) supported(f *cgo.FeatureSet) error {
	if s != defaultStreamWeight && !f.HTTP2 {
		return unsupported(f, "StreamWeight", int(s), "to be built with HTTP/2 (nghttp2)")
	}
	return nil
}

func (s streamWeight) encode(o *cgo.Options) {
	if s != defaultStreamWeight {
		o.Long(cgo.OptStreamWeight, int64(s))
	}
}
