package config

import (
	"time"

	"github.com/ratmom/ratmom/cgo"
)

// Upkeep sends an HTTP/2 PING on the client's connections, the idle ones too, when
// none was sent for about so long: for firewalls and address translators that forget
// connections on which nothing happens. [TCPKeepAlive] costs less where it is enough.
// 0 sends none.
//
// Unit: milliseconds, rounded up; at least 1 s. Default: 0. It needs libcurl 8.10 or
// later: earlier ones do not reach the connections of a multi handle.
// curl_easy_upkeep, CURLOPT_UPKEEP_INTERVAL_MS.
func Upkeep(d time.Duration) ClientOption { return forClient(upkeep{d}) }

type upkeep struct{ time.Duration }

func (s upkeep) validate() error {
	if err := checkTime("Upkeep", s.Duration, maxFineTime); err != nil {
		return err
	}
	if s.Duration > 0 && s.Duration < time.Second {
		return invalid("Upkeep", s.Duration, "is less than 1s")
	}
	return nil
}

func (s upkeep) supported(f *cgo.FeatureSet) error {
	if s.Duration > 0 && !f.AtLeast(8, 10, 0) {
		return unsupported(f, "Upkeep", s.Duration, "to be 8.10 or later")
	}
	return nil
}

func (s upkeep) encodeMulti(o *cgo.MultiOptions, _ *ClientConfig) { o.Upkeep(s.Duration) }
