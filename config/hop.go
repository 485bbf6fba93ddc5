package config

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"

	"golang.org/x/net/idna"
)

// hop is a proxy: where it is and what it wants to know.
type hop struct {
	scheme string
	host   string // with port
	credentials
}

// socks reports whether it is a SOCKS proxy.
func (h *hop) socks() bool { return strings.HasPrefix(h.scheme, "socks") }

var proxyPorts = map[string]string{
	"http":    "80",
	"https":   "443",
	"socks4":  "1080",
	"socks4a": "1080",
	"socks5":  "1080",
	"socks5h": "1080",
}

// parseProxy reads a proxy's URL. Its errors do not repeat the URL, which may
// hold a password.
func parseProxy(raw string) (*hop, error) {
	if bad := badByte(raw); bad != "" {
		return nil, errors.New(bad)
	}
	if !strings.Contains(raw, "://") {
		raw = "http://" + raw
	}
	u, err := url.Parse(raw)
	if err != nil {
		return nil, errors.New("is not a URL")
	}
	scheme := strings.ToLower(u.Scheme)
	port, ok := proxyPorts[scheme]
	switch {
	case !ok:
		return nil, fmt.Errorf("scheme %q is none of http, https, socks4, socks4a, socks5, socks5h", scheme)
	case u.Path != "" && u.Path != "/" || u.RawQuery != "" || u.Fragment != "":
		return nil, errors.New("has more than scheme, userinfo, host and port")
	}
	if p := u.Port(); p != "" {
		port = p
	}
	if err := checkHost(u.Hostname()); err != nil {
		return nil, err
	}
	if err := checkPort(port); err != nil {
		return nil, err
	}
	name, err := asciiHost(u.Hostname())
	if err != nil {
		return nil, err
	}
	// The zone of an IPv6 address is written with an escaped % in a URL.
	name = strings.ReplaceAll(name, "%", "%25")
	h := &hop{scheme: scheme, host: net.JoinHostPort(name, port)}
	if u.User == nil {
		return h, nil
	}
	h.user = u.User.Username()
	h.password, _ = u.User.Password()
	h.schemes = AuthBasic
	for _, p := range []string{h.user, h.password} {
		if bad := badByte(p); bad != "" {
			return nil, errors.New("userinfo " + bad)
		}
		// RFC 1929 has one byte for the length.
		if strings.HasPrefix(scheme, "socks") && len(p) > 255 {
			return nil, errors.New("userinfo is longer than 255 bytes, the most SOCKS has")
		}
	}
	if !strings.HasPrefix(scheme, "socks") && strings.Contains(h.user, ":") {
		return nil, errors.New("the user name has a colon (RFC 7617, section 2)")
	}
	return h, nil
}

// maskProxy returns a proxy's URL without its userinfo, also one that does not
// parse.
func maskProxy(raw string) string {
	scheme, rest, ok := strings.Cut(raw, "://")
	if !ok {
		scheme, rest = "", raw
	} else {
		scheme += "://"
	}
	if i := strings.LastIndexByte(rest, '@'); i >= 0 {
		rest = "xxxxx@" + rest[i+1:]
	}
	return scheme + rest
}

// asciiHost returns the form of an international name that is sent.
func asciiHost(host string) (string, error) {
	for i := range len(host) {
		if host[i] >= 0x80 {
			return idna.Lookup.ToASCII(host)
		}
	}
	return host, nil
}
