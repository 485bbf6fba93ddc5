package config

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// checkHost refuses what cannot be a host name or an IP address.
func checkHost(host string) error {
	if host == "" {
		return errors.New("has no host")
	}
	if len(host) > 255 {
		return errors.New("host is longer than 255 bytes")
	}
	if bad := badByte(host); bad != "" {
		return errors.New("host " + bad)
	}
	if i := strings.IndexAny(host, " \"#/<>?@[\\]^`{|},;'!$&()*+="); i >= 0 {
		return fmt.Errorf("host has the character %q", host[i])
	}
	return nil
}

// checkName refuses what cannot be a host name.
func checkName(host string) error {
	if err := checkHost(host); err != nil {
		return err
	}
	if i := strings.IndexAny(host, ":%"); i >= 0 {
		return fmt.Errorf("host has the character %q", host[i])
	}
	return nil
}

// checkNameOrAddr takes a host name, an IPv4 address, or an IPv6 address in
// brackets.
func checkNameOrAddr(host string) error {
	if in, ok := strings.CutPrefix(host, "["); ok {
		in, ok = strings.CutSuffix(in, "]")
		a, err := netip.ParseAddr(in)
		if !ok || err != nil || !a.Is6() || a.Zone() != "" {
			return errors.New("has brackets without an IPv6 address in them")
		}
		return nil
	}
	return checkName(host)
}

func checkPort(port string) error {
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil || n == 0 || port[0] == '0' {
		return fmt.Errorf("port %q is not in 1 to 65535", port)
	}
	return nil
}

func cutPort(s string) (host, port string) {
	if i := strings.LastIndexByte(s, ':'); i >= 0 && !strings.HasSuffix(s, "]") {
		return s[:i], s[i+1:]
	}
	return s, ""
}
