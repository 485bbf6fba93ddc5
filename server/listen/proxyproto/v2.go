package proxyproto

import (
	"bytes"
	"encoding/binary"
	"net"
	"net/netip"
)

var signature2 = []byte("\r\n\r\n\x00\r\nQUIT\n")

// fixed2 is the length of the part before the addresses.
const fixed2 = 16

// parse2 reads a header of version 2. b begins as signature2 does.
func parse2(b []byte) (*Header, int, error) {
	if len(b) > 12 && (b[12]>>4 != 2 || b[12]&0x0f > 1) {
		return nil, 0, malformed("version and command %#02x", b[12])
	}
	if len(b) < fixed2 {
		return nil, 0, ErrShort
	}
	n := length2(b)
	if len(b) < n {
		return nil, 0, ErrShort
	}
	if b[12]&0x0f == 0 { // LOCAL: all that follows is to be ignored
		return &Header{Version: 2, Local: true}, n, nil
	}
	h := &Header{Version: 2}
	rest, err := h.addresses2(b[13], b[fixed2:n])
	if err != nil {
		return nil, 0, err
	}
	if h.TLVs, err = parseTLVs(rest); err != nil {
		return nil, 0, err
	}
	if err := checkSum(b[:n], n-len(rest)); err != nil {
		return nil, 0, err
	}
	return h, n, nil
}

// length2 is the length of a header of which the fixed part is there.
func length2(b []byte) int { return fixed2 + int(binary.BigEndian.Uint16(b[14:])) }

// addresses2 reads the addresses at the beginning of b and gives what follows.
func (h *Header) addresses2(family byte, b []byte) ([]byte, error) {
	var size int
	switch family {
	case 0x00:
		h.Local = true // not known; the protocol leaves it to us to take the connection
		return b, nil
	case 0x11, 0x12:
		size = 2*4 + 2*2
	case 0x21, 0x22:
		size = 2*16 + 2*2
	case 0x31, 0x32:
		size = 2 * 108
	default:
		return nil, malformed("family and transport %#02x", family)
	}
	if len(b) < size {
		return nil, malformed("%d bytes in place of %d for the addresses", len(b), size)
	}
	if family>>4 == 3 {
		h.Source, h.Destination = unix2(family, b[:108]), unix2(family, b[108:216])
		return b[size:], nil
	}
	ip := size/2 - 2
	ports := b[2*ip:]
	h.Source = inet2(family, b[:ip], binary.BigEndian.Uint16(ports))
	h.Destination = inet2(family, b[ip:2*ip], binary.BigEndian.Uint16(ports[2:]))
	return b[size:], nil
}

func inet2(family byte, ip []byte, port uint16) net.Addr {
	addr, _ := netip.AddrFromSlice(ip)
	at := netip.AddrPortFrom(addr, port)
	if family&0x0f == 2 {
		return net.UDPAddrFromAddrPort(at)
	}
	return net.TCPAddrFromAddrPort(at)
}

func unix2(family byte, path []byte) net.Addr {
	network, abstract := "unix", len(path) > 1 && path[0] == 0 && path[1] != 0
	if family&0x0f == 2 {
		network = "unixgram"
	}
	if abstract {
		path = path[1:]
	}
	if end := bytes.IndexByte(path, 0); end >= 0 {
		path = path[:end]
	}
	name := string(path)
	if abstract {
		name = "@" + name // as package net writes it
	}
	return &net.UnixAddr{Name: name, Net: network}
}
