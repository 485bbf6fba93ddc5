package valid

import (
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/http/httpguts"
)

// URL checks that u is an http or https URL with a host, and that nothing in it
// would end the request line. It also checks URLs that were not made by
// url.Parse.
func URL(u *url.URL) error {
	if u == nil {
		return invalid("nil URL")
	}
	if u.Scheme != "http" && u.Scheme != "https" {
		return invalid("unsupported protocol scheme %s", quote(u.Scheme))
	}
	if u.Host == "" {
		return invalid("no Host in request URL")
	}
	if err := urlHost(u.Host); err != nil {
		return err
	}
	if err := target("opaque part", u.Opaque); err != nil {
		return err
	}
	return target("query", u.RawQuery)
}

// target checks those parts of the request target that url.URL hands on as they
// are; it encodes the path itself.
func target(what, s string) error {
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == ' ':
			return invalid("URL %s has a space at byte %d; write it as %%20", what, i)
		case c < ' ' || c == 0x7f:
			return invalid("URL %s has the control character %q at byte %d", what, c, i)
		}
	}
	return nil
}

// urlHost checks host[:port]. It is stricter than Host: this text decides where
// to connect, so that libcurl must not read it in another way than its caller.
func urlHost(host string) error {
	bad := func(why string) error { return invalid("URL host %s: %s", quote(host), why) }
	if !hostBytes(host) {
		return bad("invalid character")
	}
	name, port := host, ""
	if strings.HasPrefix(host, "[") {
		addr, rest, ok := strings.Cut(host[1:], "]")
		if a, err := netip.ParseAddr(addr); !ok || err != nil || !a.Is6() {
			return bad("not an IPv6 address")
		}
		if rest != "" && rest[0] != ':' {
			return bad("invalid port")
		}
		name, port = addr, strings.TrimPrefix(rest, ":")
	} else {
		if i := strings.IndexByte(host, ':'); i >= 0 {
			name, port = host[:i], host[i+1:]
		}
		for i := 0; i < len(name); i++ {
			if c := name[i]; c == '%' || c == '[' || c == ']' {
				return bad("invalid character")
			}
		}
	}
	if name == "" {
		return bad("no host before the port")
	}
	if port != "" {
		if _, err := strconv.ParseUint(port, 10, 16); err != nil || port[0] == '+' {
			return bad("invalid port")
		}
	}
	return nil
}

// Host checks a value for the Host header, or :authority: the characters that
// net/http lets through, and names in other scripts, which are sent in their
// ASCII form.
func Host(host string) error {
	if !hostBytes(host) {
		return invalid("Host %s", quote(host))
	}
	return nil
}

func hostBytes(host string) bool {
	if httpguts.ValidHostHeader(host) {
		return true
	}
	if !utf8.ValidString(host) {
		return false
	}
	for _, r := range host {
		if r < utf8.RuneSelf && !httpguts.ValidHostHeader(string(r)) || 0x80 <= r && r < 0xa0 {
			return false
		}
	}
	return true
}
