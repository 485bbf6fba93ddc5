package config

import (
	"time"

	"github.com/ratmom/ratmom/cgo"
)

// ExpectContinue sends "Expect: 100-continue" with a request body and waits up to
// d for the server's word before it sends the body, so that a request which the
// server refuses costs no upload (RFC 9110, section 10.1.1). HTTP/1.1 only.
//
// Unit: milliseconds, rounded up; at most 24 days. Default: off, the body follows
// at once. 0 is off. CURLOPT_EXPECT_100_TIMEOUT_MS.
func ExpectContinue(d time.Duration) Option { return both(expectContinue{d}) }

// ExpectContinue returns how long to wait; 0 if the header is not to be sent.
func (r *RequestConfig) ExpectContinue() time.Duration {
	s, _ := lookup[expectContinue](r)
	return s.Duration
}

type expectContinue struct{ time.Duration }

func (s expectContinue) validate() error {
	return checkTime("ExpectContinue", s.Duration, maxFineTime)
}

func (s expectContinue) encode(o *cgo.Options) {
	if s.Duration > 0 {
		o.Long(cgo.OptExpect100TimeoutMS, cgo.Millis(s.Duration))
	}
}
