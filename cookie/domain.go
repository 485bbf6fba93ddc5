package cookie

import (
	"iter"
	"net/netip"
	"net/url"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/idna"
	"golang.org/x/net/publicsuffix"
)

// A target is what of a URL decides about cookies.
type target struct {
	host   string // canonical
	path   string
	secure bool
}

// targetOf returns what u says; false for a URL that has no cookies.
func targetOf(u *url.URL) (target, bool) {
	if u == nil {
		return target{}, false
	}
	t := target{path: u.EscapedPath()}
	switch u.Scheme {
	case "https", "wss":
		t.secure = true
	case "http", "ws":
	default:
		return target{}, false
	}
	var ok bool
	t.host, ok = canonicalHost(u.Hostname())
	return t, ok
}

// canonicalHost returns a host name in lower case and in ASCII, without the dot that may
// end it, and an IP address in its shortest form.
func canonicalHost(host string) (string, bool) {
	if a, err := netip.ParseAddr(host); err == nil {
		return a.String(), true
	}
	host = strings.TrimSuffix(host, ".")
	if !ascii(host) {
		if !utf8.ValidString(host) {
			return "", false
		}
		var err error
		if host, err = idna.Lookup.ToASCII(host); err != nil {
			return "", false
		}
	}
	host = lower(host)
	return host, validHost(host)
}

// validHost refuses what cannot be in a host name; that could break the saved forms.
func validHost(host string) bool {
	if host == "" || host[0] == '.' || host[len(host)-1] == '.' {
		return false
	}
	for i := range len(host) {
		if c := host[i]; c <= ' ' || c >= 0x7f || strings.IndexByte(`#/\?@:[]<>^|%"`, c) >= 0 {
			return false
		}
	}
	return true
}

// isAddress reports whether host is an IP address, or would be taken for one:
// "127.1" has no parent domain either.
func isAddress(host string) bool {
	if strings.Contains(host, ":") {
		return true
	}
	last := host[strings.LastIndexByte(host, '.')+1:]
	if hex, ok := strings.CutPrefix(last, "0x"); ok {
		return strings.Trim(hex, "0123456789abcdef") == ""
	}
	return last != "" && strings.Trim(last, "0123456789") == ""
}

// domainMatch reports whether host is domain or one below it (section 5.1.3).
func domainMatch(host, domain string) bool {
	if host == domain {
		return true
	}
	return len(host) > len(domain)+1 && strings.HasSuffix(host, domain) &&
		host[len(host)-len(domain)-1] == '.' && !isAddress(host)
}

// publicSuffix reports whether anybody can have a name below domain. What the list
// does not have is one if it has no dot.
func publicSuffix(domain string) bool {
	if isAddress(domain) {
		return false
	}
	suffix, _ := publicsuffix.PublicSuffix(domain)
	return suffix == domain
}

// cookieDomain returns the domain that a cookie of host gets by its Domain attribute,
// as section 5.7 has it.
func cookieDomain(host, attribute string) (domain string, hostOnly bool, err error) {
	domain = strings.TrimPrefix(attribute, ".")
	if !ascii(domain) {
		return "", false, rejected("the domain %q is not in ASCII", attribute)
	}
	domain = lower(domain)
	if bare := strings.TrimSuffix(strings.TrimPrefix(domain, "["), "]"); bare != domain {
		if a, err := netip.ParseAddr(bare); err == nil {
			domain = a.String()
		}
	}
	if domain != "" && publicSuffix(domain) {
		if domain != host {
			return "", false, rejected("the domain %q is a public suffix", domain)
		}
		domain = ""
	}
	if domain == "" {
		return host, true, nil
	}
	if !domainMatch(host, domain) {
		return "", false, rejected("the domain %q is not one of %q", domain, host)
	}
	return domain, false, nil
}

func ascii(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

// lower makes the ASCII letters of s small, and those alone.
func lower(s string) string {
	for i := range len(s) {
		if 'A' <= s[i] && s[i] <= 'Z' {
			b := []byte(s)
			for j := i; j < len(b); j++ {
				if 'A' <= b[j] && b[j] <= 'Z' {
					b[j] += 'a' - 'A'
				}
			}
			return string(b)
		}
	}
	return s
}

// parents yields host and the domains above it.
func parents(host string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for yield(host) && !isAddress(host) {
			_, above, ok := strings.Cut(host, ".")
			if !ok {
				return
			}
			host = above
		}
	}
}
