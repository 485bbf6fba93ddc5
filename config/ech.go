package config

import (
	"strconv"

	"github.com/ratmom/ratmom/cgo"
)

// ECHMode is what to do about encrypted client hello.
type ECHMode uint8

// The modes.
const (
	ECHOff    ECHMode = iota // not at all
	ECHGrease                // pretend to
	ECHTry                   // if the server publishes how
	ECHHard                  // or fail
)

var echNames = [...]string{ECHOff: "false", ECHGrease: "grease", ECHTry: "true", ECHHard: "hard"}

// String returns the mode in libcurl's words.
func (m ECHMode) String() string {
	if int(m) < len(echNames) {
		return echNames[m]
	}
	return "ECHMode(" + strconv.Itoa(int(m)) + ")"
}

// ECH encrypts the name of the server in the TLS handshake, with the key that its DNS
// record publishes. It needs libcurl 8.8, built with a TLS library that can, and DNS over HTTPS
// to read the record. A request whose mode differs from its client's has a connection
// of its own.
//
// Default: ECHOff. CURLOPT_ECH.
func ECH(mode ECHMode) Option { return both(ech{mode}) }

type ech struct{ ECHMode }

func (s ech) validate() error {
	if int(s.ECHMode) >= len(echNames) {
		return invalid("ECH", s.ECHMode, "is not one of the modes")
	}
	return nil
}

func (s ech) supported(f *cgo.FeatureSet) error {
	if s.ECHMode != ECHOff && !f.ECH {
		return unsupported(f, "ECH", s.ECHMode, "version 8.8, built with ECH")
	}
	return nil
}

func (s ech) encodeTLS(o *cgo.Options) {
	if s.ECHMode != ECHOff {
		o.String(cgo.OptECH, s.ECHMode.String())
	}
}

func (s ech) apart(settings) (place, string) {
	return overTLS, unless(s.ECHMode == ECHOff, s.ECHMode.String())
}
