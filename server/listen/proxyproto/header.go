package proxyproto

import (
	"bytes"
	"errors"
	"fmt"
	"net"
)

var (
	// ErrNoHeader is in the error of Parse when the bytes are not the beginning of a
	// header.
	ErrNoHeader = errors.New("no PROXY header")
	// ErrMalformed is in the error of Parse when the bytes begin as a header does, and
	// are none.
	ErrMalformed = errors.New("malformed PROXY header")
	// ErrShort is in the error of Parse when the header has more bytes than were given.
	ErrShort = errors.New("incomplete PROXY header")
)

// Header is what a proxy said of a connection.
type Header struct {
	// Version is 1 or 2.
	Version int
	// Local is set when the header names no client: the proxy speaks for itself, as in
	// a health check (LOCAL), or does not know for whom (UNKNOWN, AF_UNSPEC). The
	// connection's own addresses are then the ones to use.
	Local bool
	// Source is the client and Destination what it spoke to: both are *net.TCPAddr,
	// *net.UDPAddr or *net.UnixAddr, and nil if Local is set.
	Source, Destination net.Addr
	// TLVs are the further values of a header of version 2, in its order.
	TLVs []TLV
}

// Parse reads the header at the beginning of b and gives the number of bytes that it
// takes. A header that is not whole yet is ErrShort. Nothing of b is kept.
func Parse(b []byte) (*Header, int, error) {
	switch {
	case hasPrefix(b, signature2):
		return parse2(b)
	case hasPrefix(b, signature1):
		return parse1(b)
	}
	return nil, 0, ErrNoHeader
}

// hasPrefix says whether b begins as prefix does, as far as b goes.
func hasPrefix(b, prefix []byte) bool {
	n := min(len(b), len(prefix))
	return bytes.Equal(b[:n], prefix[:n])
}

func malformed(format string, a ...any) error {
	return fmt.Errorf("%w: %s", ErrMalformed, fmt.Sprintf(format, a...))
}
