package resolve

import (
	"errors"
	"net/netip"
	"strings"
)

var (
	errHostName = errors.New("not a host name")
	errService  = errors.New("not a service")
)

// canonical gives a host name in lower case, without the dot at its end. It may
// have letters, digits, hyphens and underscores; what is not in ASCII has to be
// encoded by the caller (RFC 5891).
func canonical(host string) (string, error) {
	host = strings.TrimSuffix(host, ".")
	if !validLabels(host) {
		return "", &Error{Kind: InvalidName, Name: host, Err: errHostName}
	}
	return strings.ToLower(host), nil
}

// validLabels is true for a name of at most 253 bytes whose labels have 1 to 63
// (RFC 1035 section 2.3.4).
func validLabels(host string) bool {
	if len(host) == 0 || len(host) > 253 {
		return false
	}
	for label := range strings.SplitSeq(host, ".") {
		if len(label) == 0 || len(label) > 63 {
			return false
		}
		for i := range len(label) {
			c := label[i]
			switch {
			case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '_':
			default:
				return false
			}
		}
	}
	return true
}

// services are the SRV prefixes of a name: two labels that begin with an underscore
// each.
func services(name Name) ([]string, error) {
	all := strings.Fields(name.Service)
	for _, s := range all {
		first, second, ok := strings.Cut(s, ".")
		if !ok || !strings.HasPrefix(first, "_") || !strings.HasPrefix(second, "_") || strings.Contains(second, ".") || !validLabels(s) {
			return nil, &Error{Kind: InvalidName, Name: s, Type: "SRV", Err: errService}
		}
	}
	return all, nil
}

// special answers the names that no server is to be asked for: those of the own
// machine (RFC 6761 section 6.3), and those that are not of DNS (RFC 6761 section
// 6.4, RFC 7686).
func special(host string) (addrs []netip.Addr, known bool, err error) {
	last := host[strings.LastIndexByte(host, '.')+1:]
	switch last {
	case "localhost":
		return []netip.Addr{netip.AddrFrom4([4]byte{127, 0, 0, 1}), netip.IPv6Loopback()}, true, nil
	case "invalid", "onion":
		return nil, true, &Error{Kind: NotExist, Name: host, Err: errors.New("the domain " + last + " is not in DNS")}
	}
	return nil, false, nil
}

// begin reads a name that is to be looked up: its host, and the SRV prefixes to ask for. A
// name that is an address has its answer at once, and no host.
func begin(name Name) (a Answer, host string, prefixes []string, err error) {
	if a, ok := literal(name); ok {
		return a, "", nil, nil
	}
	if host, err = canonical(name.Host); err != nil {
		return Answer{}, "", nil, err
	}
	if prefixes, err = services(name); err != nil {
		return Answer{}, "", nil, err
	}
	return Answer{}, host, prefixes, nil
}
