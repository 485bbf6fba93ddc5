package server

import (
	"bytes"
	"net/netip"

	"github.com/ratmom/ratmom/internal/http1"
)

// checkTarget accepts the four forms of RFC 9112, section 3.2.
func checkTarget(method, target []byte, relax Relax) error {
	for _, c := range target {
		if raw := c >= 0x80 || c == '#'; !isTarget[c] && (!raw || !relax.RawTarget) {
			return bad("malformed request target")
		}
	}
	connect := string(method) == "CONNECT"
	switch {
	case target[0] == '/':
		if connect && !relax.ConnectPath {
			return bad("CONNECT with a path")
		}
	case connect:
		if !validAuthority(target) || !hasPort(target) {
			return bad("CONNECT without host and port")
		}
	case string(target) == "*":
		if string(method) != "OPTIONS" {
			return bad("malformed request target")
		}
	default:
		if a := targetAuthority(method, target); len(a) == 0 || !validAuthority(a) {
			return bad("malformed request target")
		}
	}
	return nil
}

// targetAuthority is the authority of a target in absolute or authority form, nil in the others.
func targetAuthority(method, target []byte) []byte {
	if target[0] == '/' || target[0] == '*' {
		return nil
	}
	if string(method) == "CONNECT" {
		return target
	}
	colon := bytes.IndexByte(target, ':')
	if colon <= 0 || !bytes.HasPrefix(target[colon:], []byte("://")) {
		return nil
	}
	for i, c := range target[:colon] {
		letter := lower(c) >= 'a' && lower(c) <= 'z'
		if !letter && (i == 0 || !digit(c) && c != '+' && c != '-' && c != '.') {
			return nil
		}
	}
	rest := target[colon+3:]
	if end := bytes.IndexAny(rest, "/?#"); end >= 0 {
		rest = rest[:end]
	}
	return rest
}

// validAuthority accepts a host with or without a port: a name, an IPv4 address, or an IPv6 address
// in brackets. Userinfo has no place in a request.
func validAuthority(a []byte) bool {
	host, port := splitAuthority(a)
	for _, c := range port {
		if !digit(c) {
			return false
		}
	}
	if len(host) == 0 || len(port) > 5 || len(port) == 5 && string(port) > "65535" {
		return false
	}
	if host[0] == '[' {
		if host[len(host)-1] != ']' {
			return false
		}
		ip, err := netip.ParseAddr(string(host[1 : len(host)-1]))
		return err == nil && ip.Is6() && ip.Zone() == ""
	}
	for i, c := range host {
		switch {
		case isToken[c] && c != '#' && c != '^' && c != '`' && c != '|' && c != '%':
		case c == '(' || c == ')' || c == ';' || c == '=' || c == ',':
		case c == '%' && i+2 < len(host) && hex(host[i+1]) >= 0 && hex(host[i+2]) >= 0:
		default:
			return false
		}
	}
	return true
}

// splitAuthority cuts at the colon before the port; without one the port is nil.
func splitAuthority(a []byte) (host, port []byte) {
	colon := bytes.LastIndexByte(a, ':')
	if colon < 0 || bytes.IndexByte(a[colon:], ']') >= 0 {
		return a, nil
	}
	return a[:colon], a[colon+1:]
}

func hasPort(a []byte) bool {
	_, port := splitAuthority(a)
	return len(port) > 0
}

// sameAuthority compares the target's authority with Host: letters in any case, and a port that is
// the scheme's own may be left out. CONNECT has a port and no scheme, and clients differ in what they think
// of it: Host may leave out either scheme's.
func sameAuthority(authority, host, target []byte) bool {
	standard := ""
	switch {
	case len(target) > 5 && equalFold(target[:5], "http:"):
		standard = "80"
	case len(target) > 6 && equalFold(target[:6], "https:"):
		standard = "443"
	}
	h1, p1 := splitAuthority(authority)
	h2, p2 := splitAuthority(host)
	if port := string(p1); len(authority) == len(target) && (port == "80" || port == "443") {
		standard = port
	}
	if len(p1) == 0 {
		p1 = []byte(standard)
	}
	if len(p2) == 0 {
		p2 = []byte(standard)
	}
	return bytes.Equal(p1, p2) && bytes.EqualFold(h1, h2)
}

// hex is the value of a hexadecimal digit, or -1.
func hex(c byte) int { return http1.Hex(c) }
