package testserver

import "testing"

// Mode is a way of carrying HTTP.
type Mode string

const (
	H1     Mode = "h1"     // HTTP/1.1 in clear text
	HTTPS1 Mode = "https1" // HTTP/1.1 over TLS
	H2     Mode = "h2"     // HTTP/2 over TLS
	H2C    Mode = "h2c"    // HTTP/2 in clear text, by prior knowledge
)

// AllModes are the modes that [Modes] runs by default.
var AllModes = []Mode{H1, HTTPS1, H2, H2C}

// Modes runs test once for each of the modes (AllModes if none are named), as a
// subtest with the mode's name.
func Modes(t *testing.T, test func(t *testing.T, mode Mode), modes ...Mode) {
	t.Helper()
	if len(modes) == 0 {
		modes = AllModes
	}
	for _, mode := range modes {
		t.Run(string(mode), func(t *testing.T) { test(t, mode) })
	}
}

// TLS tells whether the mode is encrypted.
func (m Mode) TLS() bool { return m == HTTPS1 || m == H2 }

// HTTP2 tells whether the mode is HTTP/2, many streams on a connection.
func (m Mode) HTTP2() bool { return m == H2 || m == H2C }

// Proto is what http.Request.Proto says in this mode.
func (m Mode) Proto() string {
	if m.HTTP2() {
		return "HTTP/2.0"
	}
	return "HTTP/1.1"
}
