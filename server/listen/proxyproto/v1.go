package proxyproto

import (
	"bytes"
	"net"
	"net/netip"
	"strconv"
	"strings"
)

var signature1 = []byte("PROXY ")

// longest1 is the length of the longest line that the protocol allows, its end included.
const longest1 = 107

// parse1 reads "PROXY TCP4 192.0.2.1 192.0.2.2 50000 443\r\n". b begins as signature1
// does.
func parse1(b []byte) (*Header, int, error) {
	line := b[:min(len(b), longest1)]
	end := bytes.IndexByte(line, '\n')
	if end < 0 {
		// Past a CR there is only LF.
		if cr := bytes.IndexByte(line, '\r'); cr >= 0 && cr != len(line)-1 {
			return nil, 0, malformed("a CR within the line")
		}
		if len(line) == longest1 {
			return nil, 0, malformed("no end of the line within %d bytes", longest1)
		}
		return nil, 0, ErrShort
	}
	if bytes.IndexByte(line, '\r') != end-1 {
		return nil, 0, malformed("the line does not end in CR LF")
	}
	field := strings.Split(string(line[len(signature1):end-1]), " ")
	n := end + 1
	switch field[0] {
	case "UNKNOWN":
		// Whatever stands behind it is to be ignored.
		return &Header{Version: 1, Local: true}, n, nil
	case "TCP4", "TCP6":
	default:
		return nil, 0, malformed("it is neither TCP4, TCP6 nor UNKNOWN")
	}
	if len(field) != 5 {
		return nil, 0, malformed("%d fields in place of 5", len(field))
	}
	source, err := endpoint1(field[0], field[1], field[3])
	if err != nil {
		return nil, 0, err
	}
	destination, err := endpoint1(field[0], field[2], field[4])
	if err != nil {
		return nil, 0, err
	}
	return &Header{Version: 1, Source: source, Destination: destination}, n, nil
}

func endpoint1(family, address, port string) (*net.TCPAddr, error) {
	addr, err := netip.ParseAddr(address)
	if err != nil || addr.Is4() != (family == "TCP4") || addr.Zone() != "" {
		return nil, malformed("an address that is none of %s", family)
	}
	p, err := strconv.ParseUint(port, 10, 16)
	if err != nil || strconv.FormatUint(p, 10) != port {
		return nil, malformed("a port that is none")
	}
	return net.TCPAddrFromAddrPort(netip.AddrPortFrom(addr, uint16(p))), nil
}
