package config

import (
	"math"

	"github.com/ratmom/ratmom/cgo"
)

// MaxUploadSpeed holds the sending of one request to an average of n bytes a
// second.
//
// Default: no limit. 0 means no limit. CURLOPT_MAX_SEND_SPEED_LARGE.
func MaxUploadSpeed(n int64) Option { return both(maxUploadSpeed(n)) }

type maxUploadSpeed int64

func (s maxUploadSpeed) validate() error {
	return checkRange("MaxUploadSpeed", int64(s), 0, math.MaxInt64)
}

func (s maxUploadSpeed) encode(o *cgo.Options) {
	if s > 0 {
		o.OffT(cgo.OptMaxSendSpeedLarge, int64(s))
	}
}

// MaxDownloadSpeed holds the receiving of one response to an average of n bytes a
// second. libcurl before version 8 looks at the average every three seconds: a
// body that is read faster than that is not held up.
//
// Default: no limit. 0 means no limit. CURLOPT_MAX_RECV_SPEED_LARGE.
func MaxDownloadSpeed(n int64) Option { return both(maxDownloadSpeed(n)) }

type maxDownloadSpeed int64

func (s maxDownloadSpeed) validate() error {
	return checkRange("MaxDownloadSpeed", int64(s), 0, math.MaxInt64)
}

func (s maxDownloadSpeed) encode(o *cgo.Options) {
	if s > 0 {
		o.OffT(cgo.OptMaxRecvSpeedLarge, int64(s))
	}
}

// SpeedLimited reports whether the request has one of the limits that are above 0.
func (r *RequestConfig) SpeedLimited() bool {
	up, _ := lookup[maxUploadSpeed](r)
	down, _ := lookup[maxDownloadSpeed](r)
	return up > 0 || down > 0
}
